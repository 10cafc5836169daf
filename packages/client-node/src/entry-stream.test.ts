import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import test, { type TestContext } from "node:test";
import { Code, encodeAnswer, isRetryable, type LogEntryInit, type LogResponse } from "@logsvc/client";
import type { EntryStream } from "./entry-stream.ts";
import { createNodeClient, type NodeClientOptions, type NodeLogClient } from "./node-client.ts";
import { FrameCounter, frameOf, startCannedServer } from "./testing/canned-server.ts";
import { type LogServiceImpl, startServer } from "./testing/test-server.ts";

function open(t: TestContext, options: NodeClientOptions): NodeLogClient {
  const client = createNodeClient(options);
  t.after(() => client.close());
  return client;
}

const answerWith = (fields: Partial<LogResponse>): LogResponse => ({
  $typeName: "logsvc.LogResponse",
  accepted: false,
  id: "",
  reason: "",
  retryable: false,
  duplicate: false,
  sequence: 0n,
  ...fields,
});

/** Answers that the fast decoder reads, and some that it leaves to protobuf. */
const answers = [
  answerWith({ accepted: true, id: "k3v9q2xa-1", sequence: 1n }),
  answerWith({ reason: "message: müssen sein", retryable: true }),
  answerWith({}),
  answerWith({ accepted: true, duplicate: true, sequence: 2n ** 60n }),
];
const answerFrames = Buffer.concat(answers.map(encodeAnswer));

type Protocol = NonNullable<NodeClientOptions["protocol"]>;
const protocols: readonly Protocol[] = ["connect", "grpc", "grpc-web"];

const trailers = "grpc-status: 8\r\ngrpc-message: that was enough\r\n";

/** What follows the answers: an end, or an error, as each protocol has them in the body. */
const endings: Readonly<Record<Protocol, readonly [name: string, bytes: Buffer][]>> = {
  connect: [
    ["a clean end", frameOf(2, "{}")],
    ["an error", frameOf(2, '{"error":{"code":"resource_exhausted","message":"that was enough"}}')],
  ],
  grpc: [["trailers", Buffer.alloc(0)]],
  "grpc-web": [
    ["a clean end", frameOf(128, "grpc-status: 0\r\n")],
    ["an error", frameOf(128, trailers)],
  ],
};

/** Sends the parts of a body, each in a DATA frame of its own. */
function send(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, parts: readonly Buffer[]): void {
  const type = headers["content-type"] ?? "";
  const isGrpc = /^application\/grpc(\+|$)/.test(type);
  stream.respond({ ":status": 200, "content-type": type }, { waitForTrailers: isGrpc });
  stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  const next = (index: number): void => {
    const part = parts[index];
    if (part === undefined) stream.end();
    else stream.write(part, () => setImmediate(next, index + 1));
  };
  stream.once("data", () => next(0));
  stream.resume();
}

/** Writes an entry for each answer; what became of each, and of the end. */
async function converse(stream: EntryStream): Promise<unknown[]> {
  const written = answers.map((_, index) => stream.write({ message: `${index}` }));
  const settled = await Promise.allSettled([...written, stream.end()]);
  return settled.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason.message));
}

for (const protocol of protocols) {
  test(`${protocol}: however the answers are cut, all of them come, and then the end`, async (t) => {
    let parts: readonly Buffer[] = [];
    const url = await startCannedServer(t, (stream, headers) => send(stream, headers, parts));
    const client = open(t, { url, protocol });
    for (const [name, ending] of endings[protocol]) {
      const body = Buffer.concat([answerFrames, ending]);
      const end = name === "an error" ? "[resource_exhausted] that was enough" : undefined;
      for (let cut = 0; cut <= body.length; cut++) {
        parts = [body.subarray(0, cut), body.subarray(cut)];
        assert.deepEqual(await converse(client.stream()), [...answers, end], `${name}, cut at ${cut}`);
      }
      parts = [...body].map((byte) => Buffer.of(byte));
      assert.deepEqual(await converse(client.stream()), [...answers, end], `${name}, byte by byte`);
    }
  });

  test(`${protocol}: what breaks off, or is no answer, ends as it does message by message`, async (t) => {
    let parts: readonly Buffer[] = [];
    const url = await startCannedServer(t, (stream, headers) => send(stream, headers, parts));
    const [fast, slow] = [open(t, { url, protocol }), open(t, { url, protocol, compression: true })];
    const first = answerFrames.subarray(0, 5 + (answerFrames[4] ?? 0));
    const bodies: readonly (readonly Buffer[])[] = [
      [],
      ...[3, 9, first.length].map((length) => [answerFrames.subarray(0, length)]),
      // Not a LogResponse: a text that is longer than its message, a field of no known type.
      [first, frameOf(0, Buffer.of(0x12, 9, 65)), first],
      [first, frameOf(0, Buffer.of(0x0f))],
      // A message of 16 MiB and a byte, of which only the header comes.
      [first, Buffer.of(0, 1, 0, 0, 1)],
      // More answers than entries.
      [answerFrames, first],
    ];
    for (parts of bodies) {
      const [ours, theirs] = [await converse(fast.stream()), await converse(slow.stream())];
      assert.deepEqual(ours, theirs, Buffer.concat(parts).toString("hex"));
      assert.equal(typeof ours.at(-1), "string", "the end must tell what was wrong");
    }
  });
}

test("a compressed answer that was not agreed on is refused", async (t) => {
  const body = Buffer.concat([answerFrames, frameOf(1, "zipped")]);
  const url = await startCannedServer(t, (stream, headers) => send(stream, headers, [body]));
  const outcome = await converse(open(t, { url }).stream());
  assert.deepEqual(outcome.slice(0, -1), answers);
  assert.match(String(outcome.at(-1)), /received compressed envelope/);
});

test("a malformed answer cancels the call", async (t) => {
  const closed = Promise.withResolvers<number>();
  const url = await startCannedServer(t, (stream, headers) => {
    stream.once("close", () => closed.resolve(stream.rstCode));
    stream.respond({ ":status": 200, "content-type": headers["content-type"] ?? "" });
    stream.write(frameOf(0, Buffer.of(0x12, 9)));
  });
  await assert.rejects(open(t, { url }).stream().write({ message: "a" }), { code: Code.Internal });
  assert.notEqual(await closed.promise, 0);
});

/** A real server that answers each entry, counts them, and sees who calls. */
function counting(): LogServiceImpl & { count: number; token: string | null } {
  return {
    count: 0,
    token: null,
    async *streamLogs(entries, { requestHeader }) {
      this.token = requestHeader.get("authorization");
      for await (const { message } of entries) {
        this.count++;
        yield { accepted: true, id: message };
      }
    },
  };
}

const numbered = (count: number): LogEntryInit[] =>
  Array.from({ length: count }, (_, index) => ({ message: `${index}` }));

for (const way of [{}, { compression: true }, { protocol: "grpc" }, { protocol: "grpc-web" }] as const) {
  test(`writeAll answers all in order, with ${JSON.stringify(way)}`, async (t) => {
    const service = counting();
    const { url } = await startServer(t, service);
    const client = open(t, { url, token: "secret", ...way });
    const stream = client.stream({ inFlightMax: 100 });
    const entries = numbered(1_000);
    const [before, all, none, after] = await Promise.all([
      stream.write({ message: "before" }),
      stream.writeAll(entries),
      stream.writeAll([]),
      stream.writeAll([{ message: "after" }]),
    ]);
    assert.deepEqual([before.id, after[0]?.id, none], ["before", "after", []]);
    assert.deepEqual(
      all.map(({ id }) => id),
      entries.map(({ message }) => message),
    );
    await stream.end();
    assert.deepEqual([service.count, service.token], [1_002, "Bearer secret"]);
    client.close();
    await assert.rejects(client.stream().write({ message: "late" }), { code: Code.FailedPrecondition });
  });
}

test("writeAll sends all or none", async (t) => {
  const service = counting();
  const { url } = await startServer(t, service);
  const stream = open(t, { url }).stream();
  const wrong = [{ message: "a" }, { message: "b", timestamp: new Date(Number.NaN) }];
  await assert.rejects(stream.writeAll(wrong), { name: "RangeError", message: /Invalid Date/ });
  await assert.rejects(stream.writeAll(Array.from({ length: 100_001 }, () => ({ message: "" }))), {
    name: "RangeError",
    message: /at most 100000 entries at once, got 100001/,
  });
  await assert.rejects(stream.write({ message: "x".repeat(2 ** 24) }), {
    code: Code.ResourceExhausted,
    message: /16777221 bytes.* 16777216/,
  });
  assert.equal((await stream.write({ message: "c" })).id, "c");
  await stream.end();
  assert.equal(service.count, 1);
});

test("end waits for what writeAll has not sent yet", async (t) => {
  const service = counting();
  const { url } = await startServer(t, service);
  const stream = open(t, { url }).stream({ inFlightMax: 7 });
  const written = stream.writeAll(numbered(50));
  await stream.end();
  assert.equal((await written).length, 50);
  await assert.rejects(stream.writeAll([]), { code: Code.FailedPrecondition });
});

test("no more than inFlightMax are sent before the first is answered", async (t) => {
  const counter = new FrameCounter();
  const answering = Promise.withResolvers<ServerHttp2Stream>();
  const url = await startCannedServer(t, (stream, headers) => {
    stream.respond({ ":status": 200, "content-type": headers["content-type"] ?? "" });
    stream.on("data", (chunk: Buffer) => {
      counter.add(chunk);
      if (counter.count === 5) answering.resolve(stream);
    });
  });
  const stream = open(t, { url }).stream({ inFlightMax: 5 });
  const written = stream.writeAll(numbered(6));
  const server = await answering.promise;
  await assert.rejects(stream.write({ message: "no room" }), { code: Code.ResourceExhausted });
  assert.equal(counter.count, 5);
  server.write(encodeAnswer(answerWith({ id: "a" })));
  await once(server, "data");
  assert.equal(counter.count, 6);
  server.write(Buffer.concat(Array.from({ length: 5 }, () => encodeAnswer(answerWith({ id: "a" })))));
  assert.equal((await written).length, 6);
  await stream.ready();
});

test("what is written in one turn goes out as one", async (t) => {
  const chunks: number[] = [];
  const url = await startCannedServer(t, (stream, headers) => {
    const counter = new FrameCounter();
    stream.on("data", (chunk: Buffer) => {
      counter.add(chunk);
      chunks.push(chunk.length);
      if (counter.count === 100) {
        stream.respond({ ":status": 200, "content-type": headers["content-type"] ?? "" });
        stream.end(Buffer.concat([...Array.from({ length: 25 }, () => answerFrames), frameOf(2, "{}")]));
      }
    });
  });
  const stream = open(t, { url }).stream();
  const written = numbered(100).map((entry) => stream.write(entry));
  assert.equal((await Promise.all(written)).length, 100);
  assert.equal(chunks.length, 1);
  await stream.end();
});

test("a server that does not read holds the writer at its bound, and all are told of the abort", async (t) => {
  const url = await startCannedServer(t, (stream, headers) => {
    stream.pause();
    stream.respond({ ":status": 200, "content-type": headers["content-type"] ?? "" });
  });
  const controller = new AbortController();
  const stream = open(t, { url }).stream({ inFlightMax: 200, signal: controller.signal });
  const entry = { message: "x".repeat(10_000) };
  const failures: Promise<void>[] = [];
  for (let count = 0; count < 200; count++) {
    await stream.ready();
    failures.push(assert.rejects(stream.write(entry), { code: Code.Canceled }));
  }
  await assert.rejects(stream.write(entry), { code: Code.ResourceExhausted, message: /limit is 200/ });
  const room = assert.rejects(stream.ready(), { code: Code.Canceled });
  const batch = assert.rejects(stream.writeAll([entry]), { code: Code.Canceled });
  controller.abort();
  await Promise.all([...failures, room, batch, assert.rejects(stream.end(), { code: Code.Canceled })]);
  await assert.rejects(stream.write(entry), { code: Code.Canceled });
});

test("ready waits for bytes as well, until they are sent", async (t) => {
  const reading = Promise.withResolvers<ServerHttp2Stream>();
  const url = await startCannedServer(t, (stream, headers) => {
    stream.pause();
    stream.respond({ ":status": 200, "content-type": headers["content-type"] ?? "" });
    reading.resolve(stream);
  });
  const stream = open(t, { url }).stream();
  const entries = Array.from({ length: 20 }, () => ({ message: "x".repeat(2 ** 20) }));
  const written = stream.writeAll(entries);
  let isReady = false;
  const ready = stream.ready().then(() => {
    isReady = true;
  });
  const server = await reading.promise;
  assert.equal(isReady, false);
  server.resume();
  await ready;
  server.close();
  await assert.rejects(written);
});

test("a stream that breaks tells those who wait for many", async (t) => {
  const { url, kill } = await startServer(t, {
    async *streamLogs(entries) {
      for await (const { message } of entries) {
        yield { accepted: true };
        if (message === "1") await new Promise<never>(() => undefined);
      }
    },
  });
  const stream = open(t, { url }).stream();
  const written = assert.rejects(stream.writeAll(numbered(3)), isRetryable);
  await stream.ready();
  await kill();
  await written;
  await assert.rejects(stream.writeAll([]), isRetryable);
});
