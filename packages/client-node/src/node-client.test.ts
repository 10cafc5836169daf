import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as http from "node:http";
import * as net from "node:net";
import test, { type TestContext } from "node:test";
import * as tls from "node:tls";
import { type Clock, Code, isRetryable, systemClock, type Tail } from "@logsvc/client";
import { createNodeClient, type NodeClientOptions, type NodeLogClient } from "./node-client.ts";
import { testCertificate } from "./testing/test-certificate.ts";
import { type LogServiceImpl, portOf, startServer } from "./testing/test-server.ts";

/** Retries after a hundredth of the time; silence, of which 30 s are borne, is measured as it is. */
const fastClock: Clock = {
  ...systemClock,
  startTimer: (callback, delayMs) =>
    systemClock.startTimer(callback, delayMs < 30_000 ? delayMs / 100 : delayMs),
  random: () => 0.5,
};

function open(t: TestContext, options: NodeClientOptions): NodeLogClient {
  const client = createNodeClient({ clock: fastClock, ...options });
  t.after(() => client.close());
  return client;
}

/** A tail of entries 1, 2, 3 … up to `size` as it is when the tail opens, then of nothing more. */
function countingTail(
  sizeOf: () => number,
  pace: () => Promise<void> = async () => undefined,
): LogServiceImpl {
  return {
    async *tailLogs({ cursor }, { signal }) {
      const size = sizeOf();
      let position = Number(cursor);
      yield { cursor, event: { case: "opened", value: { heartbeatIntervalMs: 15_000 } } };
      while (position < size && !signal.aborted) {
        position++;
        yield { cursor: `${position}`, entries: [{ id: `${position}`, entry: { message: "x" } }] };
        await pace();
      }
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
}

/** Reads until `count` entries came; `onEntry` sees each number. */
async function read(
  tail: Tail,
  count: number,
  onEntry: (id: number) => void = () => undefined,
): Promise<number[]> {
  const seen: number[] = [];
  for await (const event of tail) {
    if (event.kind !== "entries") continue;
    for (const { id } of event.entries) {
      seen.push(Number(id));
      onEntry(Number(id));
    }
    if (seen.length >= count) break;
  }
  return seen;
}

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

const wires = [
  { protocol: "connect", httpVersion: "2" },
  { protocol: "grpc", httpVersion: "2" },
  { protocol: "grpc-web", httpVersion: "2" },
  { protocol: "connect", httpVersion: "1.1" },
  { protocol: "grpc-web", httpVersion: "1.1" },
] as const;

for (const { protocol, httpVersion } of wires) {
  const name = `${protocol} over HTTP/${httpVersion}`;

  test(`${name} writes with a token and tails`, async (t) => {
    const tokens: (string | null)[] = [];
    const service: LogServiceImpl = {
      ...countingTail(() => 3),
      writeLogs: ({ entries }, { requestHeader }) => {
        tokens.push(requestHeader.get("authorization"));
        return { accepted: entries.length };
      },
    };
    const { url } = await startServer(t, service, { httpVersion });
    const client = open(t, { url: `${url}/`, protocol, httpVersion, token: "secret", compression: true });
    const { accepted } = await client.write([{ message: "x".repeat(5_000) }]);
    assert.equal(accepted, 1);
    assert.deepEqual(tokens, ["Bearer secret"]);
    assert.deepEqual(await read(client.tail({ cursor: "0" }), 3), [1, 2, 3]);
  });

  test(`${name} goes on with a tail after the server was killed and started again`, async (t) => {
    const service = countingTail(
      () => 60,
      () => new Promise((resolve) => setImmediate(resolve)),
    );
    let server = await startServer(t, service, { httpVersion });
    const { url, port } = server;
    const client = open(t, { url, protocol, httpVersion });
    let restarted: Promise<void> | undefined;
    const restart = async (): Promise<void> => {
      await server.kill();
      server = await startServer(t, service, { httpVersion, port });
    };
    const seen = await read(client.tail({ cursor: "0" }), 60, (id) => {
      if (id % 20 === 7) restarted = restart();
    });
    await restarted;
    assert.deepEqual(seen, oneTo(60));
  });
}

test("a body that ends cleanly in the middle of a message is a break, not an end", async (t) => {
  const cuts = [0, 3, 12];
  const { url } = await startServer(
    t,
    countingTail(() => 2),
    { httpVersion: "1.1" },
  );
  const proxy = http.createServer((request, response) => {
    const forwarded = http.request(
      url + request.url,
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        const cut = cuts.shift();
        if (cut === undefined) answer.pipe(response);
        else answer.once("data", (bytes: Buffer) => response.end(bytes.subarray(0, cut)));
      },
    );
    response.once("close", () => forwarded.destroy());
    forwarded.on("error", () => response.destroy());
    request.pipe(forwarded);
  });
  t.after(() => proxy.close());
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const client = open(t, { url: `http://127.0.0.1:${portOf(proxy.address())}`, httpVersion: "1.1" });
  assert.deepEqual(await read(client.tail({ cursor: "0" }), 2), [1, 2]);
  assert.deepEqual(cuts, []);
  client.close();
  proxy.closeAllConnections();
});

/** Forwards TCP; what was connected before `freeze` gets nothing more, and is told nothing. */
async function freezableProxy(t: TestContext, port: number): Promise<{ url: string; freeze: () => void }> {
  const pairs = new Set<[net.Socket, net.Socket]>();
  const proxy = net.createServer((inner) => {
    const outer = net.connect(port, "127.0.0.1");
    pairs.add([inner, outer]);
    inner.pipe(outer).pipe(inner);
    for (const socket of [inner, outer]) {
      // Being cut is what these connections are for.
      socket.on("error", () => undefined);
    }
  });
  t.after(() => {
    proxy.close();
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${portOf(proxy.address())}`,
    freeze: () => {
      for (const [inner, outer] of pairs) {
        inner.unpipe(outer);
        outer.unpipe(inner);
      }
    },
  };
}

test("a connection that died without a word is found by pings, and the tail goes on", async (t) => {
  let size = 10;
  const service: LogServiceImpl = {
    ...countingTail(() => size),
    writeLogs: () => ({ accepted: 0 }),
  };
  const { port } = await startServer(t, service);
  const { url, freeze } = await freezableProxy(t, port);
  const client = open(t, { url, pingIntervalMs: 100, pingTimeoutMs: 100 });
  let written: Promise<unknown> | undefined;
  const tail = client.tail({
    cursor: "0",
    onState: ({ kind }) => {
      if (kind !== "retrying") return;
      size = 20;
      // At this moment the dead session has not yet emitted its error, and a
      // new one is opened: the error must not become an uncaught one.
      written = client.write([]);
    },
  });
  const seen = await read(tail, 20, (id) => {
    if (id === 10) freeze();
  });
  assert.deepEqual(seen, oneTo(20));
  await written;
});

test("a server that takes the connection and never speaks TLS is given up in time", async (t) => {
  const silent = net.createServer();
  const sockets: net.Socket[] = [];
  silent.on("connection", (socket) => sockets.push(socket.on("error", () => undefined)));
  t.after(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(silent.listen(0, "127.0.0.1"), "listening");
  const client = open(t, { url: `https://127.0.0.1:${portOf(silent.address())}`, connectTimeoutMs: 100 });
  await assert.rejects(client.write([]), {
    code: Code.Unavailable,
    message: /no connection to .* within 100 ms/,
  });
});

for (const httpVersion of ["2", "1.1"] as const) {
  test(`a certificate that is not trusted is no reason to try again, over HTTP/${httpVersion}`, async (t) => {
    const server = tls.createServer({ ...testCertificate, ALPNProtocols: ["h2", "http/1.1"] });
    // Being refused is what this server is for.
    server.on("tlsClientError", () => undefined);
    t.after(() => server.close());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const client = open(t, { url: `https://127.0.0.1:${portOf(server.address())}`, httpVersion });
    const untrusted = { code: Code.FailedPrecondition, message: /the certificate of .* is not trusted/ };
    await assert.rejects(client.write([]), untrusted);
    await assert.rejects(read(client.tail(), 1), untrusted);
    await assert.rejects(Array.fromAsync(client.query()), untrusted);
  });
}

test("closing ends every call, and later ones are refused", async (t) => {
  const { url } = await startServer(
    t,
    countingTail(() => 1),
  );
  const client = open(t, { url });
  const reader = client.tail({ cursor: "1" })[Symbol.asyncIterator]();
  const next = reader.next();
  await client.count().catch(() => undefined);
  client.close();
  await assert.rejects(next, { code: Code.FailedPrecondition });
  await assert.rejects(client.write([]), { code: Code.FailedPrecondition, message: /the client was closed/ });
});

test("a process that has closed its client exits by itself", async (t) => {
  const { url } = await startServer(t, { writeLogs: () => ({ accepted: 1 }) });
  const program = `
    import { createNodeClient } from ${JSON.stringify(new URL("index.ts", import.meta.url).href)};
    using client = createNodeClient({ url: ${JSON.stringify(url)} });
    await client.write([{ message: "a" }]);
  `;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
    stdio: "inherit",
  });
  t.after(() => child.kill());
  assert.deepEqual(await once(child, "exit"), [0, null]);
});

test("stream answers each entry, in order, and names its producer", async (t) => {
  const producers: (string | null)[] = [];
  const { url } = await startServer(t, {
    async *streamLogs(entries, { requestHeader }) {
      producers.push(requestHeader.get("logsvc-producer-id"));
      for await (const { message, sequence } of entries) {
        yield message === ""
          ? { reason: "message: empty", sequence }
          : { accepted: true, id: message, sequence };
      }
    },
  });
  const stream = open(t, { url }).stream({ producerId: "p" });
  const answers = await Promise.all([
    stream.write({ message: "a", sequence: 1n }),
    stream.write({ message: "", sequence: 2n }),
    stream.write({ message: "c", sequence: 3n }),
  ]);
  assert.deepEqual(
    answers.map(({ accepted, id, reason, sequence }) => ({ accepted, id, reason, sequence })),
    [
      { accepted: true, id: "a", reason: "", sequence: 1n },
      { accepted: false, id: "", reason: "message: empty", sequence: 2n },
      { accepted: true, id: "c", reason: "", sequence: 3n },
    ],
  );
  await assert.rejects(stream.write({ message: "d", sequence: -1n }), RangeError);
  await stream.end();
  await assert.rejects(stream.write({ message: "d" }), { code: Code.FailedPrecondition });
  assert.deepEqual(producers, ["p"]);
});

test("stream holds no more entries than allowed, and says when there is room", async (t) => {
  const gate = Promise.withResolvers<void>();
  const { url } = await startServer(t, {
    async *streamLogs(entries) {
      await gate.promise;
      for await (const _ of entries) yield { accepted: true };
    },
  });
  const stream = open(t, { url }).stream({ inFlightMax: 2 });
  const written = [stream.write({ message: "a" }), stream.write({ message: "b" })];
  await assert.rejects(stream.write({ message: "c" }), {
    code: Code.ResourceExhausted,
    message: /the limit is 2/,
  });
  const room = stream.ready();
  gate.resolve();
  await room;
  written.push(stream.write({ message: "c" }));
  assert.ok((await Promise.all(written)).every(({ accepted }) => accepted));
  await stream.end();
});

test("a stream that breaks tells everybody who waits", async (t) => {
  const { url, kill } = await startServer(t, {
    async *streamLogs(entries) {
      for await (const _ of entries) {
        yield { accepted: true };
        await new Promise<never>(() => undefined);
      }
    },
  });
  const stream = open(t, { url }).stream();
  await stream.write({ message: "a" });
  const unanswered = assert.rejects(stream.write({ message: "b" }), isRetryable);
  await kill();
  await unanswered;
  await assert.rejects(stream.ready(), isRetryable);
  await assert.rejects(stream.end(), isRetryable);
});

test("ship answers batch for batch and keeps to its bound", async (t) => {
  let arrived = 0;
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { entries } of batches) {
        arrived++;
        yield { accepted: entries.length };
      }
    },
  });
  const client = open(t, { url });
  let taken = 0;
  let answered = 0;
  function* batches() {
    for (let count = 1; count <= 50; count++) {
      taken++;
      assert.ok(taken - answered <= 3 + 1, `${taken} taken, ${answered} answered`);
      yield { entries: Array.from({ length: count }, () => ({ message: "x" })) };
    }
  }
  const accepted: number[] = [];
  for await (const answer of client.ship(batches(), { inFlightMax: 3 })) {
    answered++;
    accepted.push(answer.accepted);
  }
  assert.deepEqual(accepted, oneTo(50));
  assert.equal(arrived, 50);
});

test("a server that ends ship before everything is answered has broken it", async (t) => {
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const _ of batches) {
        yield { accepted: 1 };
        return;
      }
    },
  });
  const client = open(t, { url });
  const batches = Array.from({ length: 3 }, () => ({ entries: [{ message: "a" }] }));
  const answers: number[] = [];
  await assert.rejects(
    async () => {
      for await (const { accepted } of client.ship(batches, { inFlightMax: 1 })) answers.push(accepted);
    },
    { code: Code.Unavailable, message: /the server ended the stream/ },
  );
  assert.deepEqual(answers, [1]);
});

test("what a source throws comes out of ship and upload as it is", async (t) => {
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const _ of batches) yield { accepted: 1 };
    },
    uploadLogs: async (batches) => {
      for await (const _ of batches);
      return {};
    },
  });
  const client = open(t, { url });
  function* failing<T>(value: T) {
    yield value;
    throw new Error("the file is gone");
  }
  await assert.rejects(Array.fromAsync(client.ship(failing({ entries: [] }))), {
    message: "the file is gone",
  });
  await assert.rejects(client.upload(failing({ message: "a" })), { message: "the file is gone" });
});

test("a batch that can't be sent is named as such by ship", async (t) => {
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const _ of batches) yield {};
    },
  });
  const answers = open(t, { url }).ship([{ entries: [], firstSequence: 7 }]);
  await assert.rejects(Array.fromAsync(answers), { name: "RangeError", message: /Expected a producerId/ });
});

test("upload sends numbered batches and sums up", async (t) => {
  const received: [string, number, number][] = [];
  const { url } = await startServer(t, {
    uploadLogs: async (batches) => {
      let accepted = 0n;
      for await (const { producerId, firstSequence, entries } of batches) {
        received.push([producerId, Number(firstSequence), entries.length]);
        accepted += BigInt(entries.length);
      }
      return { accepted };
    },
  });
  const told: number[] = [];
  const summary = await open(t, { url }).upload(
    oneTo(25).map((id) => ({ message: `${id}` })),
    { producerId: "p", firstSequence: 100, entriesMax: 10, onProgress: ({ entries }) => told.push(entries) },
  );
  assert.equal(summary.accepted, 25n);
  assert.deepEqual(received, [
    ["p", 100, 10],
    ["p", 110, 10],
    ["p", 120, 5],
  ]);
  assert.deepEqual(told, [10, 20, 25]);
});

test("a batch over the limit is refused before it is sent", async (t) => {
  const { url } = await startServer(t, { writeLogs: () => ({ accepted: 1 }) });
  const large = open(t, { url }).write([{ message: "x".repeat(2 ** 24) }]);
  await assert.rejects(large, { code: Code.ResourceExhausted, message: /16777216/ });
});

test("options are checked where they are given", () => {
  assert.throws(
    () => createNodeClient({ url: "localhost:50051" }),
    /begin with http.* got "localhost:50051"/,
  );
  assert.throws(
    () => createNodeClient({ url: "http://a", protocol: "grpc", httpVersion: "1.1" }),
    /httpVersion to be "2"/,
  );
  assert.throws(() => createNodeClient({ url: "http://a", pingIntervalMs: 5 }), /pingIntervalMs .* got 5/);
  assert.throws(
    () => createNodeClient({ url: "http://a", pingTimeoutMs: 2 ** 31 }),
    /pingTimeoutMs .* 2147483647/,
  );
  const client = createNodeClient({ url: "http://a" });
  assert.throws(() => client.stream({ producerId: "p".repeat(129) }), /producerId .* 128 bytes, got 129/);
});

test("many large batches at once are all answered", async (t) => {
  const service: LogServiceImpl = { writeLogs: ({ entries }) => ({ accepted: entries.length }) };
  const { url } = await startServer(t, service, { httpVersion: "2" });
  using client = createNodeClient({ url });
  const batch = Array.from({ length: 20 }, () => ({ message: "x".repeat(100_000) }));
  const answers = await Promise.all(Array.from({ length: 16 }, () => client.write(batch)));
  assert.deepEqual(
    answers.map(({ accepted }) => accepted),
    answers.map(() => batch.length),
  );
});
