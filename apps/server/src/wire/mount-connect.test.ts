/** What Connect is spared, and what its errors are called: requests that are wrong in ways of their own. */
import assert from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Code } from "@connectrpc/connect";
import { startServer } from "../testing/start-server.ts";

test("a field that does not exist is refused by name, and nothing is stored", async (t) => {
  const { engine, url } = await startServer(t);
  const head = engine.head();
  for (const body of [
    '{"entrys": [{"message": "a"}]}',
    '{"entries": [{"message": "a", "attributez": {}}]}',
  ]) {
    const response = await fetch(`${url}/logsvc.LogService/WriteLogs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /"invalid_argument".*(entrys|attributez)/);
  }
  assert.equal(engine.head(), head);
});

const path = "/logsvc.LogService/WriteLogs";

test("a compressed message that is cut off is its sender's fault", async (t) => {
  const { url } = await startServer(t);
  for (const body of [Buffer.from("x"), gzipSync("x".repeat(1_000)).subarray(0, 20)]) {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const response = await fetch(url + path, { method: "POST", headers, body: new Uint8Array(body) });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /"invalid_argument"/);
  }
});

/** The gRPC status of an empty WriteLogs over HTTP/2, or the HTTP status where there is none. */
async function statusOf(t: TestContext, url: string, headers: http2.OutgoingHttpHeaders): Promise<number> {
  const session = http2.connect(url);
  t.after(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    ...headers,
  });
  let status = Number.NaN;
  const note = (received: http2.IncomingHttpHeaders): void => {
    const grpcStatus = received["grpc-status"];
    status = Number(grpcStatus ?? received[":status"]);
  };
  stream.on("response", note);
  stream.on("trailers", note);
  stream.end(Buffer.alloc(5));
  stream.resume();
  await new Promise((resolve) => stream.on("close", resolve));
  return status;
}

test("a deadline beyond what a timer reaches is none", async (t) => {
  const { url } = await startServer(t);
  for (const timeout of ["99999999H", "31536000S", "40000M"]) {
    assert.equal(await statusOf(t, url, { "grpc-timeout": timeout }), 0, timeout);
  }
  assert.equal(await statusOf(t, url, { "grpc-timeout": "soon" }), Code.InvalidArgument);
  const headers = { "content-type": "application/json", "connect-timeout-ms": "9999999999" };
  const response = await fetch(url + path, { method: "POST", headers, body: "{}" });
  assert.equal(response.status, 200);
});

test("a host that is none is its sender's fault, and nothing to log", async (t) => {
  const { url, port } = await startServer(t);
  assert.equal(await statusOf(t, url, { ":authority": "[" }), 400);
  const socket = net.connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.write(`POST ${path} HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  assert.match(answer, /^HTTP\/1.1 400 /);
  assert.match(answer, /"message":"Host: expected the name of this server, got \\"\\""/);
});
