/** One port for two protocols, over real sockets: sniffing, silence, TLS, and an end that comes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { TlsConfig } from "../server-config.ts";
import { testCertificate } from "../testing/test-certificate.ts";
import { createPort, type RequestListener } from "./port.ts";

/** Answers with the protocol and the body it got. */
const echo: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => response.end(`${request.httpVersion} ${Buffer.concat(chunks).toString()}`));
};

async function listen(
  t: TestContext,
  options: { serve?: RequestListener; tls?: TlsConfig; closeTimeoutMs?: number } = {},
): Promise<{ port: number; server: http.Server }> {
  const { serve = echo, tls, closeTimeoutMs = 1_000 } = options;
  const server = createPort(serve, { tls, closeTimeoutMs: () => closeTimeoutMs });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.listening && close(server));
  return { port: portOf(server), server };
}

const portOf = (server: net.Server): number => {
  const address: AddressInfo | string | null = server.address();
  assert(address !== null && typeof address === "object");
  return address.port;
};

const close = (server: http.Server): Promise<void> =>
  new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));

function connectHttp2(
  t: TestContext,
  url: string,
  options: http2.SecureClientSessionOptions = {},
): http2.ClientHttp2Session {
  const session = http2.connect(url, options);
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  return session;
}

async function requestHttp2(session: http2.ClientHttp2Session, body = ""): Promise<string> {
  return textOf(session.request({ ":method": "POST", ":path": "/" }).end(body));
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** A port that passes everything on to another one in single bytes. */
async function cutIntoBytes(t: TestContext, port: number): Promise<number> {
  const relay = net.createServer((client) => {
    const server = net.connect(port, "127.0.0.1").setNoDelay();
    server.pipe(client);
    client.on("data", (bytes) => {
      for (const byte of bytes) server.write(Buffer.of(Number(byte)));
    });
    client.on("end", () => server.end());
    for (const socket of [client, server]) socket.on("error", () => client.destroy());
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  t.after(() => relay.close());
  return portOf(relay);
}

test("HTTP/1.1 and HTTP/2 on one plaintext port", async (t) => {
  const { port } = await listen(t);
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "one" });
  assert.equal(await response.text(), "1.1 one");
  assert.equal(await requestHttp2(connectHttp2(t, `http://127.0.0.1:${port}`), "two"), "2.0 two");
});

test("a protocol is recognised in single bytes", async (t) => {
  const { port } = await listen(t);
  const slowPort = await cutIntoBytes(t, port);
  assert.equal(await requestHttp2(connectHttp2(t, `http://127.0.0.1:${slowPort}`), "two"), "2.0 two");
  // PUT begins like the preface.
  const response = await fetch(`http://127.0.0.1:${slowPort}/`, { method: "PUT", body: "one" });
  assert.equal(await response.text(), "1.1 one");
});

test("a client that leaves before it has said anything leaves nothing behind", async (t) => {
  const { port, server } = await listen(t);
  for (const bytes of ["", "PRI * HT"]) {
    const socket = net.connect(port, "127.0.0.1");
    const [accepted] = await once(server, "connection");
    socket.end(bytes);
    await once(accepted, "close");
  }
  await close(server);
});

test("a client that says nothing is cut", async (t) => {
  const { port, server } = await listen(t);
  const socket = net.connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  const [accepted] = await once(server, "connection");
  assert.equal(accepted.timeout, 10_000);
  accepted.emit("timeout");
  await once(socket, "close");
});

for (const tls of [undefined, testCertificate]) {
  test(`a client that leaves without having read ends its request, ${tls ? "TLS" : "plaintext"}`, async (t) => {
    const closed = Promise.withResolvers<void>();
    const serve: RequestListener = (_request, response) => {
      response.on("close", closed.resolve);
      response.write("never read");
    };
    const { port } = await listen(t, { serve, ...(tls && { tls }) });
    const options = tls ? { ca: tls.cert } : {};
    const session = connectHttp2(t, `${tls ? "https" : "http"}://localhost:${port}`, options);
    const stream = session.request({ ":path": "/" }).pause();
    stream.on("error", () => undefined);
    await once(stream, "response");
    session.destroy();
    await closed.promise;
  });
}

test("TLS offers both protocols by ALPN", async (t) => {
  const { port } = await listen(t, { tls: testCertificate });
  const ca = testCertificate.cert;
  assert.equal(await requestHttp2(connectHttp2(t, `https://localhost:${port}`, { ca }), "two"), "2.0 two");
  const request = https.request({ port, host: "localhost", ca, method: "POST", agent: false }).end("one");
  const [response] = await once(request, "response");
  assert.equal(await textOf(response), "1.1 one");
});

for (const tls of [undefined, testCertificate]) {
  const kind = tls === undefined ? "plaintext" : "TLS";
  test(`closing a ${kind} port lets requests finish and idle connections go`, async (t) => {
    const held = Promise.withResolvers<http.ServerResponse>();
    const serve: RequestListener = (request, response) =>
      request.url === "/held" ? held.resolve(response) : response.end("done");
    const { port, server } = await listen(t, { serve, ...(tls && { tls }) });
    const url = `${tls ? "https" : "http"}://localhost:${port}`;
    const options = tls ? { ca: tls.cert } : {};
    const idle = connectHttp2(t, url, options);
    await requestHttp2(idle);
    const kept = new https.Agent({ keepAlive: true });
    t.after(() => kept.destroy());
    if (tls) {
      const request = https.request({ port, host: "localhost", agent: kept, ca: tls.cert }).end();
      const [response] = await once(request, "response");
      await textOf(response);
    } else {
      await (await fetch(url)).text();
    }
    const busy = connectHttp2(t, url, options);
    const answer = textOf(busy.request({ ":path": "/held" }));
    const response = await held.promise;
    const closed = close(server);
    await once(idle, "close");
    response.end("finished");
    assert.equal(await answer, "finished");
    await closed;
  });
}

for (const tls of [undefined, testCertificate]) {
  const kind = tls ? "TLS" : "plaintext";
  // Less than such a socket may stay by itself.
  test(`closing does not wait for who has said nothing, ${kind}`, { timeout: 5_000 }, async (t) => {
    const { port, server } = await listen(t, { closeTimeoutMs: 60_000, ...(tls && { tls }) });
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
    await once(server, "connection");
    await close(server);
  });
}

test("closing cuts what does not end by itself", async (t) => {
  const arrived = Promise.withResolvers<void>();
  const { port, server } = await listen(t, { serve: () => arrived.resolve(), closeTimeoutMs: 20 });
  const session = connectHttp2(t, `http://127.0.0.1:${port}`);
  const stream = session.request({ ":path": "/" });
  const failed = once(stream, "close");
  const socket = net.connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  await arrived.promise;
  await close(server);
  await failed;
});
