/**
 * GOAWAY, from either side, with streams of entries open: they are answered to
 * their end. What goes by frames (framed.ts) and what takes Connect's own way
 * run side by side on one server, and must end alike.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { type TestContext, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Engine } from "@logsvc/engine";
import {
  frameHeaderBytes,
  frameOf,
  LogEntrySchema,
  LogResponseSchema,
  messageLengthAt,
  WriteLogsRequestSchema,
  WriteLogsResponseSchema,
} from "@logsvc/proto";
import { type HeldEngine, holdAppends } from "../testing/hold-appends.ts";
import { startServer, type TestServer, until } from "../testing/start-server.ts";

/** An RPC that streams both ways: what a message is, and how an answer is read. */
interface Rpc {
  readonly name: "StreamLogs" | "ShipLogs";
  /** One message in its frame. */
  readonly frame: Uint8Array;
  readonly entriesPerFrame: number;
  readonly read: (message: Uint8Array) => Answer;
}

/** An answer: how many entries were accepted, and some of their ids. */
interface Answer {
  readonly accepted: number;
  readonly ids: readonly string[];
}

/** Long enough that what floods bring is bounded by bytes, not by time. */
const entry = { message: "m".repeat(2_000), timestamp: 1n };
const streamLogs: Rpc = {
  name: "StreamLogs",
  frame: frameOf(toBinary(LogEntrySchema, create(LogEntrySchema, entry))),
  entriesPerFrame: 1,
  read: (message) => {
    const { accepted, id } = fromBinary(LogResponseSchema, message);
    return { accepted: accepted ? 1 : 0, ids: [id] };
  },
};
const shipLogs: Rpc = {
  name: "ShipLogs",
  frame: frameOf(
    toBinary(WriteLogsRequestSchema, create(WriteLogsRequestSchema, { entries: [entry, entry] })),
  ),
  entriesPerFrame: 2,
  read: (message) => {
    const { accepted, firstId, lastId } = fromBinary(WriteLogsResponseSchema, message);
    return { accepted, ids: [firstId, lastId] };
  },
};

/** By frames; on Connect's own way, which is for those who announce compression, even where no message is compressed. */
const ways = { framed: {}, "Connect's own": { "grpc-encoding": "gzip" } } as const;

/** An open call. */
interface OpenCall {
  readonly rpc: Rpc;
  readonly way: string;
  readonly session: http2.ClientHttp2Session;
  readonly stream: http2.ClientHttp2Stream;
  /** When it is over. */
  readonly outcome: Promise<Outcome>;
}

/** How a call ended, and what had been answered. */
interface Outcome {
  readonly status: unknown;
  readonly message: unknown;
  /** The code that the stream was reset with; 0 where nothing went wrong with the stream itself. */
  readonly rstCode: unknown;
  readonly answers: readonly Answer[];
}

function connect(t: TestContext, url: string): http2.ClientHttp2Session {
  const session = http2.connect(url);
  t.after(() => session.destroy());
  return session;
}

/** Both RPCs both ways, each call on a connection of its own. */
function openCalls(t: TestContext, url: string): OpenCall[] {
  return [streamLogs, shipLogs].flatMap((rpc) =>
    Object.entries(ways).map(([way, headers]) => {
      const session = connect(t, url);
      const stream = session.request({
        ":method": "POST",
        ":path": `/logsvc.LogService/${rpc.name}`,
        "content-type": "application/grpc",
        te: "trailers",
        ...headers,
      });
      return { rpc, way, session, stream, outcome: outcomeOf(stream, rpc) };
    }),
  );
}

async function outcomeOf(stream: http2.ClientHttp2Stream, rpc: Rpc): Promise<Outcome> {
  const chunks: Buffer[] = [];
  const received: http2.IncomingHttpHeaders = {};
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("trailers", (trailers) => Object.assign(received, trailers));
  await once(stream, "close");
  const answers = [...messagesIn(Buffer.concat(chunks))].map(rpc.read);
  const { "grpc-status": status, "grpc-message": message } = received;
  return { status, message, rstCode: stream.rstCode, answers };
}

function* messagesIn(bytes: Buffer): Generator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes.length; ) {
    const end = start + frameHeaderBytes + messageLengthAt(bytes, start);
    assert(end <= bytes.length, "the answers break off");
    yield bytes.subarray(start + frameHeaderBytes, end);
    start = end;
  }
}

const framesOf = ({ frame }: Rpc, count: number): Buffer => Buffer.alloc(frame.length * count, frame);

/** Asserts that every call ended with the status, and both ways with the same words. */
function assertAlike(calls: readonly OpenCall[], outcomes: readonly Outcome[], status: string): void {
  const ends = outcomes.map((outcome, index) => ({
    call: `${calls[index]?.rpc.name}, ${calls[index]?.way}`,
    status: outcome.status,
    message: outcome.message,
    rstCode: outcome.rstCode,
  }));
  const message = outcomes[0]?.message;
  assert.deepEqual(
    ends,
    ends.map(({ call }) => ({ call, status, message, rstCode: 0 })),
  );
}

/** Asserts that as many entries are stored as were accepted, those of each call's first and last answer by their ids. */
async function assertStored(engine: Engine, outcomes: readonly Outcome[]): Promise<void> {
  const answers = outcomes.flatMap((outcome) => outcome.answers);
  const accepted = answers.reduce((sum, answer) => sum + answer.accepted, 0);
  assert.equal((await engine.stats()).entries, accepted);
  const ids = answers.flatMap((answer) => answer.ids);
  assert.equal(new Set(ids).size, ids.length);
  const ends = outcomes.flatMap((outcome) => [
    ...(outcome.answers[0]?.ids ?? []),
    ...(outcome.answers.at(-1)?.ids ?? []),
  ]);
  for (const id of ends) {
    const stored = await engine.around({ id, before: 0, after: 0 });
    assert.deepEqual(
      stored.map((entry) => entry.id),
      [id],
    );
  }
}

async function startHeld(t: TestContext): Promise<{ server: TestServer; hold: HeldEngine }> {
  const holds: HeldEngine[] = [];
  const server = await startServer(t, {
    drainTimeoutMs: 10_000,
    wrapEngine: (engine) => {
      const hold = holdAppends(engine);
      holds.push(hold);
      return hold.engine;
    },
  });
  const [hold] = holds;
  assert(hold !== undefined);
  return { server, hold };
}

const notReady = async (url: string): Promise<boolean> => (await fetch(`${url}/readyz`)).status === 503;

test("a drain answers what has come, ends the streams, and says GOAWAY", async (t) => {
  const { server, hold } = await startHeld(t);
  const calls = openCalls(t, server.url);
  const goneAway = calls.map(({ session }) => once(session, "goaway"));
  for (const { rpc, stream } of calls) {
    // What has come whole is answered, what has come half is not.
    stream.write(Buffer.concat([framesOf(rpc, 3), rpc.frame.subarray(0, 7)]));
  }
  const entries = calls.reduce((sum, { rpc }) => sum + 3 * rpc.entriesPerFrame, 0);
  await until(() => hold.heldEntries() === entries, "pending appends of all entries");
  const closed = server.app.close();
  await until(() => notReady(server.url), "a server that drains");
  for (const { rpc, stream } of calls) stream.write(rpc.frame.subarray(7));
  hold.letGo();
  const outcomes = await Promise.all(calls.map(({ outcome }) => outcome));
  assertAlike(calls, outcomes, "14");
  for (const [index, { answers }] of outcomes.entries()) {
    const accepted = calls[index]?.rpc.entriesPerFrame;
    assert.deepEqual(
      answers.map((answer) => answer.accepted),
      [accepted, accepted, accepted],
    );
  }
  await assertStored(server.engine, outcomes);
  await Promise.all(goneAway);
  await closed;
});

// Less than a connection may stay by itself: it has to end with its streams, whatever is still coming in.
test("a drain in the middle of floods answers what it stores, and ends", { timeout: 30_000 }, async (t) => {
  const { app, engine, url } = await startServer(t, { drainTimeoutMs: 60_000 });
  const calls = openCalls(t, url);
  for (const { rpc, stream } of calls) flood(stream, framesOf(rpc, 50));
  await Promise.all(calls.map(({ stream }) => once(stream, "data")));
  await app.close();
  const outcomes = await Promise.all(calls.map(({ outcome }) => outcome));
  assertAlike(calls, outcomes, "14");
  for (const { answers } of outcomes) assert(answers.length > 0);
  await assertStored(engine, outcomes);
});

/** Writes as fast as the stream takes it, until it has ended. */
function flood(stream: http2.ClientHttp2Stream, bytes: Buffer): void {
  const pump = (): void => {
    while (stream.writable && stream.write(bytes));
  };
  stream.on("drain", pump);
  pump();
}

for (const goAway of ["goaway", "close"] as const) {
  test(`a client that says GOAWAY (session.${goAway}) is answered to the end of its streams`, async (t) => {
    const { server, hold } = await startHeld(t);
    const calls = openCalls(t, server.url);
    for (const { rpc, stream } of calls) stream.write(framesOf(rpc, 3));
    const entries = calls.reduce((sum, { rpc }) => sum + 3 * rpc.entriesPerFrame, 0);
    await until(() => hold.heldEntries() === entries, "pending appends of all entries");
    const sessionsClosed = calls.map(({ session }) => once(session, "close"));
    // The server says it as well, when it has heard it.
    const heard = calls.map(({ session }) => once(session, "goaway"));
    for (const { session } of calls) session[goAway]();
    await Promise.all(heard);
    hold.letGo();
    for (const { rpc, stream } of calls) stream.end(framesOf(rpc, 3));
    const outcomes = await Promise.all(calls.map(({ outcome }) => outcome));
    assertAlike(calls, outcomes, "0");
    for (const { answers } of outcomes) assert.equal(answers.length, 6);
    await assertStored(server.engine, outcomes);
    await Promise.all(sessionsClosed);
  });
}
