/**
 * The fast way (framed.ts, entries as bytes) and Connect's own way are one
 * service: whatever bytes come, however they are cut, both give the same
 * answers, the same codes and the same stored entries.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Engine, entryBytesAt } from "@logsvc/engine";
import {
  frameHeaderBytes,
  LogEntrySchema,
  limits,
  QueryLogsRequestSchema,
  TailLogsRequestSchema,
  WriteLogsRequestSchema,
  writeFrameHeader,
} from "@logsvc/proto";
import fc from "fast-check";
import Fastify from "fastify";
import { buildRoutes } from "../build-server.ts";
import { startServer } from "../testing/start-server.ts";
import { mountConnect } from "./mount-connect.ts";
import { createPort } from "./port.ts";
import { ReceiveBound } from "./receive-bound.ts";

/** One of the two, with an HTTP/2 connection to it. */
interface Way {
  readonly engine: Engine;
  readonly session: http2.ClientHttp2Session;
  /** Begins all ids and cursors. */
  readonly identity: string;
}

async function openWays(t: TestContext): Promise<readonly [fast: Way, connects: Way]> {
  const fast = await startServer(t);
  const { engine } = await startServer(t);
  const app = Fastify({
    serverFactory: (serve) => createPort(serve, { tls: undefined, closeTimeoutMs: () => 100 }),
  });
  mountConnect(app, {
    messages: buildRoutes({ version: "1" }, engine),
    encoded: () => undefined,
    receiveBound: new ReceiveBound(limits.unaryBytesMax),
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => app.close());
  return [await openWay(t, fast.engine, fast.url), await openWay(t, engine, app.listeningOrigin)];
}

async function openWay(t: TestContext, engine: Engine, url: string): Promise<Way> {
  const session = http2.connect(url);
  t.after(() => session.destroy());
  await once(session, "connect");
  return { engine, session, identity: engine.head().split(".", 1)[0] ?? "" };
}

/** A request: what is sent of it, and how. */
interface Sent {
  readonly path: string;
  readonly contentType: string;
  readonly headers?: http2.OutgoingHttpHeaders;
  /** Each is received by the server before the next is sent. */
  readonly chunks: readonly Uint8Array[];
}

/** All that a client sees of an answer. */
interface Seen {
  readonly status: unknown;
  readonly contentType: unknown;
  readonly grpcStatus: unknown;
  readonly grpcMessage: unknown;
  readonly body: string;
}

async function send(way: Way, { path, contentType, headers, chunks }: Sent): Promise<Seen> {
  const { session, identity } = way;
  const stream = session.request({
    ":method": "POST",
    ":path": `/logsvc.LogService/${path}`,
    "content-type": contentType,
    "logsvc-producer-id": "test",
    "connect-protocol-version": "1",
    te: "trailers",
    ...headers,
  });
  const received: http2.IncomingHttpHeaders = {};
  const body: Buffer[] = [];
  stream.on("response", (fields) => Object.assign(received, fields));
  stream.on("trailers", (fields) => Object.assign(received, fields));
  stream.on("data", (chunk: Buffer) => body.push(chunk));
  for (const [index, chunk] of chunks.entries()) {
    if (stream.closed) break;
    if (index > 0) await promisify(session.ping.bind(session))();
    stream.write(chunk);
  }
  stream.end();
  if (!stream.closed) await once(stream, "close");
  return {
    status: received[":status"],
    contentType: received["content-type"],
    grpcStatus: received["grpc-status"],
    grpcMessage: received["grpc-message"],
    body: Buffer.concat(body).toString("latin1").replaceAll(identity, "identity"),
  };
}

/** Sends the same to both, and asserts that both answer alike. */
async function compare(ways: readonly [Way, Way], sent: Sent, what: string): Promise<Seen> {
  const [fast, connects] = await Promise.all(ways.map((way) => send(way, sent)));
  assert(fast !== undefined && connects !== undefined);
  assert.deepEqual(fast, connects, `${sent.contentType} ${sent.path} ${what}`);
  return fast;
}

/** The stored entries, encoded. */
async function storedIn({ engine }: Way): Promise<string[]> {
  const entries: string[] = [];
  const stop = new AbortController();
  const start = `${engine.head().split(".", 1)[0]}.0`;
  if (engine.lag(start) === 0) return entries;
  for await (const event of engine.read(start, { signal: stop.signal })) {
    if (event.kind !== "blocks") continue;
    for (const block of event.blocks) {
      for (let index = 0; index < block.count; index++) {
        entries.push(Buffer.from(entryBytesAt(block, index)).toString("latin1"));
      }
    }
    if (entries.length >= engine.lag(start)) stop.abort();
  }
  return entries;
}

async function compareStored(ways: readonly [Way, Way]): Promise<number> {
  const [fast, connects] = await Promise.all(ways.map(storedIn));
  assert.deepEqual(fast, connects);
  return fast?.length ?? 0;
}

function frame(message: Uint8Array, flags = 0): Uint8Array {
  const bytes = new Uint8Array(frameHeaderBytes + message.length);
  writeFrameHeader(bytes, 0, flags, message.length);
  bytes.set(message, frameHeaderBytes);
  return bytes;
}

type EntryInit = MessageInitShape<typeof LogEntrySchema>;

const entryOf = (init: EntryInit): Uint8Array => toBinary(LogEntrySchema, create(LogEntrySchema, init));

const batchOf = (entries: EntryInit[], firstSequence = 0n): Uint8Array =>
  toBinary(WriteLogsRequestSchema, create(WriteLogsRequestSchema, { entries, firstSequence }));

/** As the original client sends it; one of each field; one to reject; one that is a repeat the second time. */
const entries: EntryInit[] = [
  { level: "warning", message: "a", timestamp: 1_790_000_000n },
  {
    level: "x",
    message: "grüße",
    timestamp: 1_790_000_000_000_000_000n,
    service: "s",
    attributes: { k: "v" },
    spanId: "ABCDEF0123456789",
  },
  { message: "", sequence: 7n },
  { message: "b", timestamp: 1n, sequence: 9n },
];

const protocols = [
  { contentType: "application/grpc", endFlag: 0 },
  { contentType: "application/grpc-web+proto", endFlag: 128 },
  { contentType: "application/connect+proto", endFlag: 2 },
];

/** How a stream may go on: what is no good entry, and what ends it. */
const endings: Readonly<Record<string, Uint8Array>> = {
  nothing: new Uint8Array(),
  "an empty message": frame(new Uint8Array()),
  "what is not protobuf": frame(Buffer.from([0x0a, 0xff, 0x01])),
  "text that is not UTF-8": frame(Buffer.from([0x12, 0x02, 0xff, 0xfe])),
  "a compressed message": frame(Buffer.from("compressed"), 1),
  "Connect's last frame": frame(Buffer.from("{}"), 2),
  "gRPC-Web's last frame": frame(Buffer.from("a: b\r\n"), 128),
  "a message that is too long": frame(new Uint8Array(limits.batchBytesMax + 1)).subarray(0, frameHeaderBytes),
};

/** The same in two pieces, or broken off. */
function* cutsOf(bytes: Uint8Array, from: number): Generator<{ chunks: Uint8Array[]; what: string }> {
  for (let at = from; at < bytes.length; at++) {
    yield { chunks: [bytes.subarray(0, at)], what: `broken off at ${at}` };
    yield { chunks: [bytes.subarray(0, at), bytes.subarray(at)], what: `cut at ${at}` };
  }
  yield { chunks: [bytes], what: "whole" };
}

for (const { contentType } of protocols) {
  test(`StreamLogs cut anywhere, ${contentType}`, { timeout: 120_000 }, async (t) => {
    const ways = await openWays(t);
    const good = Buffer.concat(entries.map((entry) => frame(entryOf(entry))));
    for (const [name, ending] of Object.entries(endings)) {
      const bytes = Buffer.concat([good, ending, frame(entryOf({ message: "after", timestamp: 1n }))]);
      const from = name === "nothing" ? 0 : good.length;
      for (const { chunks, what } of cutsOf(bytes, from)) {
        await compare(ways, { path: "StreamLogs", contentType, chunks }, `${name}, ${what}`);
      }
    }
    assert((await compareStored(ways)) > 100);
  });

  test(`batches cut anywhere, ${contentType}`, { timeout: 120_000 }, async (t) => {
    const ways = await openWays(t);
    const good = Buffer.concat([frame(batchOf(entries)), frame(batchOf(entries.slice(0, 2), 20n))]);
    for (const path of ["ShipLogs", "UploadLogs"]) {
      for (const [name, ending] of Object.entries(endings)) {
        const bytes = Buffer.concat([good, ending]);
        for (const { chunks, what } of cutsOf(bytes, name === "nothing" ? 0 : good.length)) {
          await compare(ways, { path, contentType, chunks }, `${name}, ${what}`);
        }
      }
    }
    assert((await compareStored(ways)) > 100);
  });
}

test("content types are told apart in any case", async (t) => {
  const ways = await openWays(t);
  const bytes = frame(entryOf({ message: "a", timestamp: 1n }));
  for (const { contentType, endFlag } of protocols) {
    const chunks = [Buffer.concat([bytes, endFlag === 0 ? bytes : frame(Buffer.from("{}"), endFlag)])];
    const sent = {
      path: "StreamLogs",
      contentType: contentType.replace("application", "Application"),
      chunks,
    };
    await compare(ways, sent, "in another case");
  }
});

test("one batch cut anywhere, in every protocol", { timeout: 120_000 }, async (t) => {
  const ways = await openWays(t);
  const batch = batchOf(entries);
  for (const { contentType } of [...protocols.slice(0, 2), { contentType: "application/proto" }]) {
    const bytes = contentType === "application/proto" ? batch : frame(batch);
    for (const { chunks, what } of cutsOf(bytes, 0)) {
      await compare(ways, { path: "WriteLogs", contentType, chunks }, what);
    }
  }
  assert((await compareStored(ways)) > 100);
});

test("requests that only read, cut anywhere", { timeout: 120_000 }, async (t) => {
  const ways = await openWays(t);
  for (const way of ways) {
    await send(way, { path: "WriteLogs", contentType: "application/proto", chunks: [batchOf(entries)] });
  }
  const query = frame(toBinary(QueryLogsRequestSchema, create(QueryLogsRequestSchema, { filter: "absent" })));
  const tail = frame(toBinary(TailLogsRequestSchema, create(TailLogsRequestSchema, { filter: "(" })));
  for (const { contentType } of protocols) {
    for (const [path, bytes] of Object.entries({ QueryLogs: query, TailLogs: tail })) {
      for (const { chunks, what } of cutsOf(bytes, 0)) {
        const seen = await compare(ways, { path, contentType, chunks }, what);
        assert.equal(seen.status, 200);
      }
    }
  }
});

test("random entries in random chunks", { timeout: 120_000 }, async (t) => {
  const ways = await openWays(t);
  const text = fc.oneof(fc.string({ maxLength: 40, unit: "binary" }), fc.string({ maxLength: 300 }));
  const entry = fc.record({
    level: fc.constantFrom("", "info", "WARN", "err", "40", "strange"),
    message: text,
    timestamp: fc.bigInt({ min: -5n, max: 2n ** 63n - 1n }).filter((time) => time !== 0n),
    service: fc.oneof(fc.constant("api"), text),
    attributes: fc.dictionary(fc.string({ maxLength: 140 }), text, { maxKeys: 4 }),
    traceId: fc.constantFrom("", "0123456789abcdef0123456789ABCDEF", "short"),
    sequence: fc.oneof(fc.constant(0n), fc.bigInt({ min: 1n, max: 2n ** 54n })),
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });
  const garbage = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { freq: 6 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 12 }),
      cuts,
      garbage,
      fc.constantFrom(...protocols),
      async (all, lengths, flip, { contentType }) => {
        const messages = all.map((init) => entryOf({ ...init, message: init.message.toWellFormed() }));
        const batch = frame(Buffer.concat(messages.map((message) => field1(message))));
        await compare(ways, { path: "ShipLogs", contentType, chunks: chunksOf(batch, lengths) }, "random");
        // Not in the batch: there protobuf's own reader goes on into the next entry, and has other words for what it finds.
        const [place, byte] = flip ?? [0, undefined];
        const spoiled = messages[place % Math.max(1, messages.length)];
        if (byte !== undefined && spoiled !== undefined) spoiled[place % spoiled.length] = byte;
        const streamed = Buffer.concat(messages.map((message) => frame(message)));
        await compare(
          ways,
          { path: "StreamLogs", contentType, chunks: chunksOf(streamed, lengths) },
          "random",
        );
      },
    ),
    // Each run leaves entries behind: a smaller example would not begin where this one did.
    { numRuns: 100, endOnFailure: true },
  );
  await compareStored(ways);
});

/** An entry as it is in a batch. */
function field1(message: Uint8Array): Uint8Array {
  const empty = batchOf([{}]);
  if (message.length === 0) return empty;
  const length: number[] = [];
  for (let rest = message.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest);
      break;
    }
    length.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), message]);
}

function chunksOf(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return chunks;
}
