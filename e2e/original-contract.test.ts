/**
 * Clients that were generated from the original three-field contract work as
 * they did: a gRPC client which knows only that text, and one that misbehaves.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { LogEntrySchema, LogResponseSchema, LogService, limits } from "@logsvc/proto";
import { encodeEnvelope, endStreamFlag } from "./harness/envelope.ts";
import { assertSameLines } from "./harness/lines-match.ts";
import { openRawStream } from "./harness/raw-stream.ts";
import { connectRpc, type LogRpc, messagesOf, readAll, readStats } from "./harness/rpc.ts";
import { startServer } from "./harness/server.ts";
import { waitFor } from "./harness/wait-for.ts";
import {
  connectOriginal,
  decodeAnswer,
  type OriginalAnswer,
  type OriginalEntry,
  readAnswers,
  streamLogs,
} from "./original/original-client.ts";

const grpcOk = 0;
const grpcCancelled = 1;
const grpcInvalidArgument = 3;
const grpcDeadlineExceeded = 4;
const grpcResourceExhausted = 8;

/** A protobuf tag with wire type 7, which does not exist. */
const garbage = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]);

const seconds = 1_700_000_000;
const entryOf = (message: string): OriginalEntry => ({ level: "info", message, timestamp: seconds });
const rawEntryOf = (message: string): Buffer => encodeEnvelope(streamLogs.requestSerialize(entryOf(message)));
const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `entry ${index}`);

test("the original contract", { timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  const original = connectOriginal(t, server.url);

  await t.test("1 000 entries are answered one for one, in order, then EOF with OK", async () => {
    const stream = original.open();
    const whole = readAnswers(stream);
    for (const message of numbered(1000)) stream.write(entryOf(message));
    stream.end();
    const { answers, status } = await whole;

    assert.equal(status.code, grpcOk);
    assert.equal(answers.length, 1000);
    assert.ok(answers.every(({ accepted, reason }) => accepted && reason === ""));
    const stored = await readAll(rpc);
    assertSameLines(messagesOf(stored), numbered(1000));
    assertSameLines(
      answers.map(({ id }) => id),
      stored.map(({ id }) => id),
    );
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1000);
    assert.equal(stored[0]?.entry?.timestamp, BigInt(seconds) * 1_000_000_000n);
    assert.equal(stored[0]?.entry?.level, "INFO");
  });

  await t.test("an empty message is rejected with a reason, its neighbours are accepted", async () => {
    const stream = original.open();
    const whole = readAnswers(stream);
    for (const message of ["before", "", "after"]) stream.write(entryOf(message));
    stream.end();
    const { answers, status } = await whole;

    assert.equal(status.code, grpcOk);
    assert.deepEqual(
      answers.map(({ accepted }) => accepted),
      [true, false, true],
    );
    assert.match(answers[1]?.reason ?? "", /message/);
    assert.equal(answers[1]?.id, "");
  });

  await t.test("each entry is answered before the next is sent", async () => {
    const stream = original.open();
    const answers = stream[Symbol.asyncIterator]();
    for (const message of numbered(20)) {
      stream.write(entryOf(message));
      const { value } = await answers.next();
      assert.equal(value?.accepted, true);
    }
    stream.end();
    assert.equal((await answers.next()).done, true);
  });

  await t.test("a client may send everything before it reads the first answer", async () => {
    const stream = original.open().pause();
    const count = 5000;
    for (const message of numbered(count)) stream.write(entryOf(message));
    stream.end();
    const before = (await readStats(rpc)).ingest?.accepted ?? 0n;
    await waitFor("all entries to be stored", async () => {
      const accepted = (await readStats(rpc)).ingest?.accepted ?? 0n;
      return accepted >= before && (await readStats(rpc)).ingest?.inFlightBytes === 0n;
    });
    const { answers, status } = await readAnswers(stream.resume());
    assert.equal(status.code, grpcOk);
    assert.equal(answers.length, count);
    assert.ok(answers.every(({ accepted }) => accepted));
  });

  await t.test("one side sends while the other reads", async () => {
    const stream = original.open();
    const whole = readAnswers(stream);
    for (const message of numbered(2000)) {
      if (!stream.write(entryOf(message))) await once(stream, "drain");
    }
    stream.end();
    const { answers, status } = await whole;
    assert.equal(status.code, grpcOk);
    assert.equal(answers.length, 2000);
  });

  await t.test("a cancel ends the stream at once, and the server's work with it", async (t) => {
    const stream = original.open();
    const whole = readAnswers(stream);
    stream.write(entryOf("before the cancel"));
    await openStreams(rpc, 1n);
    const start = performance.now();
    stream.cancel();
    const { status } = await whole;
    await openStreams(rpc, 0n);
    t.diagnostic(`stream and work ended after ${Math.round(performance.now() - start)} ms`);
    assert.equal(status.code, grpcCancelled);
    assert.ok(performance.now() - start < 5000);
  });

  await t.test("a deadline ends the stream in time, and the server's work with it", async (t) => {
    const start = performance.now();
    const stream = original.open({ deadline: Date.now() + 50 });
    const whole = readAnswers(stream);
    stream.write(entryOf("before the deadline"));
    const { status } = await whole;
    await openStreams(rpc, 0n);
    t.diagnostic(`stream and work ended after ${Math.round(performance.now() - start)} ms`);
    assert.equal(status.code, grpcDeadlineExceeded);
    assert.ok(performance.now() - start < 5000);
  });
});

test("misbehaving clients of the original contract", { timeout: 60_000 }, async (t) => {
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);

  /** Sends bytes, half-closes, and reads gRPC's answers and status. */
  async function send(bytes: Buffer): Promise<{ answers: OriginalAnswer[]; status: number }> {
    const { stream, envelopes, ended } = openRawStream(t, server.url, streamLogs.path, "application/grpc");
    stream.end(bytes);
    const trailers = await ended;
    return {
      answers: envelopes().map(({ payload }) => decodeAnswer(payload)),
      status: Number(trailers["grpc-status"]),
    };
  }

  await t.test("garbage ends it with InvalidArgument after the answers before it", async () => {
    const good = numbered(3).map(rawEntryOf);
    const { answers, status } = await send(
      Buffer.concat([...good, encodeEnvelope(garbage), rawEntryOf("after")]),
    );
    assert.equal(status, grpcInvalidArgument);
    assert.deepEqual(
      answers.map(({ accepted }) => accepted),
      [true, true, true],
    );
    assert.deepEqual(messagesOf(await readAll(rpc)), numbered(3));
  });

  await t.test("the same in Connect's protocol", async () => {
    const { stream, envelopes, ended } = openRawStream(
      t,
      server.url,
      streamLogs.path,
      "application/connect+proto",
    );
    stream.end(Buffer.concat([rawEntryOf("good"), encodeEnvelope(garbage)]));
    await ended;
    const [answer, end] = envelopes();
    assert.equal(decodeAnswer(answer?.payload ?? Buffer.alloc(0)).accepted, true);
    assert.equal(end?.flags, endStreamFlag);
    assert.match(end.payload.toString(), /"code":"invalid_argument"/);
  });

  await t.test("a message beyond the limit ends it with ResourceExhausted, before it is sent", async (t) => {
    const { stream, envelopes, ended } = openRawStream(t, server.url, streamLogs.path, "application/grpc");
    stream.write(rawEntryOf("good"));
    await waitFor("the answer to the entry before it", () => envelopes().length === 1);
    stream.write(encodeEnvelope(Buffer.from("a"), 0, limits.entryBytesMax * 8));
    const trailers = await ended;
    assert.equal(Number(trailers["grpc-status"]), grpcResourceExhausted);
    assert.match(`${trailers["grpc-message"]}`, /\d/);
    assert.equal(envelopes().length, 1);
    // A client that goes on sending must be told that nobody listens.
    await waitFor("the server to let go of the stream", () => stream.closed);
  });

  await t.test("the server goes on unharmed", async () => {
    const stream = connectOriginal(t, server.url).open();
    const whole = readAnswers(stream);
    stream.end(entryOf("still here"));
    const { answers, status } = await whole;
    assert.equal(status.code, grpcOk);
    assert.equal(answers.length, 1);
    await openStreams(rpc, 0n);
    assert.deepEqual(server.errors, []);
  });
});

test("the original's bytes are ours", () => {
  const { streamLogs: ours } = LogService.method;
  assert.equal(streamLogs.path, `/${LogService.typeName}/${ours.name}`);

  for (const entry of [
    { level: "info", message: "a message", timestamp: seconds },
    { level: "ERROR", message: "naïve 日本語 🚀\nsecond line\u0000", timestamp: -1 },
    { level: "warn", message: "x".repeat(100_000), timestamp: 1_700_000_000_000_000 },
  ]) {
    const bytes = streamLogs.requestSerialize(entry);
    const decoded = fromBinary(LogEntrySchema, bytes);
    assert.equal(decoded.level, entry.level);
    assert.equal(decoded.message, entry.message);
    assert.equal(decoded.timestamp, BigInt(entry.timestamp));
    assert.equal(decoded.$unknown, undefined);
    assert.deepEqual(Buffer.from(toBinary(LogEntrySchema, decoded)), bytes);
  }
  // The original's library writes empty fields out where ours leaves them out.
  const empty = streamLogs.requestSerialize({ level: "", message: "", timestamp: 0 });
  assert.deepEqual(fromBinary(LogEntrySchema, empty), create(LogEntrySchema));

  const answer = { accepted: true, id: "an id", reason: "a reason" };
  const extended = create(LogResponseSchema, { ...answer, retryable: true, duplicate: true, sequence: 7n });
  assert.deepEqual(decodeAnswer(Buffer.from(toBinary(LogResponseSchema, extended))), answer);
  assert.deepEqual(
    Buffer.from(toBinary(LogResponseSchema, create(LogResponseSchema, answer))),
    streamLogs.responseSerialize(answer),
  );
});

async function openStreams(rpc: LogRpc, count: bigint): Promise<void> {
  await waitFor(`${count} open streams`, async () => (await readStats(rpc)).ingest?.streams === count);
}
