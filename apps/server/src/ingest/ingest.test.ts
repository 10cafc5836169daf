/** Ingest without a wire: how far a stream is read that nobody takes the answers of, and entries that stay encoded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Engine } from "@logsvc/engine";
import {
  EncodedBatchSchema,
  LogEntrySchema,
  limits,
  type WriteLogsRequest,
  WriteLogsRequestSchema,
} from "@logsvc/proto";
import { Lifecycle } from "../lifecycle.ts";
import { RequestError } from "../request-error.ts";
import { Counters } from "../stats/counters.ts";
import { holdAppends } from "../testing/hold-appends.ts";
import { openEnded } from "../testing/open-ended.ts";
import { startServer, until } from "../testing/start-server.ts";
import { AnswerStream, readInto } from "./answer-stream.ts";
import { ByteGate } from "./byte-gate.ts";
import { Ingest, type IngestCall } from "./ingest.ts";
import type { EncodedRun, EntryAnswer, RunAnswers } from "./intake.ts";

type Fields = MessageInitShape<typeof LogEntrySchema>;

const ingestInto = (engine: Engine): Ingest =>
  new Ingest({ engine, lifecycle: new Lifecycle(), counters: new Counters(), logger: undefined });

const callOf = (producerId: string): IngestCall => ({ producerId, signal: new AbortController().signal });

/** Entries one after the other, with what frames put between them. */
function runOf(entries: readonly (Fields | Uint8Array)[]): EncodedRun {
  const header = Buffer.from("-----");
  const ranges: number[] = [];
  let length = 0;
  const parts = entries.map((entry) => {
    const bytes =
      entry instanceof Uint8Array ? entry : toBinary(LogEntrySchema, create(LogEntrySchema, entry));
    ranges.push(length + header.length, length + header.length + bytes.length);
    length += header.length + bytes.length;
    return Buffer.concat([header, bytes]);
  });
  return { bytes: Buffer.concat(parts), count: entries.length, ranges: Uint32Array.from(ranges) };
}

/** The verdicts of a run, one by one. */
function verdictsOf({ count, result, rejections, sequences }: RunAnswers): Omit<EntryAnswer, "id">[] {
  let rejected = 0;
  return Array.from({ length: count }, (_, index) => {
    const rejection = rejections[rejected];
    if (rejection?.index === index) {
      rejected += 1;
      const { reason, retryable, sequence } = rejection;
      return { accepted: false, reason, retryable, duplicate: false, sequence };
    }
    const duplicate = result.isDuplicate(index - rejected);
    const sequence = BigInt(sequences?.[index] ?? 0);
    return { accepted: true, reason: "", retryable: false, duplicate, sequence };
  });
}

/** What comes until the end, and the end. */
async function drain<T>(answers: AsyncIterable<T>): Promise<{ all: T[]; error: unknown }> {
  const all: T[] = [];
  try {
    for await (const answer of answers) all.push(answer);
    return { all, error: undefined };
  } catch (error) {
    return { all, error };
  }
}

/** Good, bad, repeated, unusual ones. */
const mixed: readonly Fields[] = [
  { message: "a", sequence: 1n },
  { message: "b", level: "warning", sequence: 2n },
  { message: "", sequence: 3n },
  { message: "c", sequence: 2n },
  { message: "", sequence: 2n },
  { message: "d", attributes: { 7: "x" }, sequence: 9n },
  { message: "e", sequence: 2n ** 64n - 1n },
  { message: "f" },
  { message: "g", sequence: 10n },
];

test("a stream of encoded entries is answered as one of objects", async (t) => {
  const { engine } = await startServer(t);
  const ingest = ingestInto(engine);
  async function* runs(): AsyncGenerator<EncodedRun> {
    yield runOf(mixed.slice(0, 4));
    yield runOf([]);
    yield runOf(mixed.slice(4));
  }
  async function* entries() {
    yield mixed.map((fields) => create(LogEntrySchema, fields));
  }
  const encoded = await drain(ingest.answerRuns(runs(), callOf("p")));
  const objects = await drain(ingest.answerEntries(entries(), callOf("q")));
  assert.equal(encoded.error, undefined);
  assert.deepEqual(
    encoded.all.flatMap(verdictsOf),
    objects.all.flat().map(({ id, ...verdict }) => verdict),
  );
  assert.equal(ingest.inFlightBytes, 0);
});

test("an entry that is not protobuf ends its stream after the answers to all before", async (t) => {
  const { engine } = await startServer(t);
  const ingest = ingestInto(engine);
  async function* runs(): AsyncGenerator<EncodedRun> {
    yield runOf([{ message: "a" }, { message: "b" }, Buffer.from("garbage"), { message: "c" }]);
    yield runOf([{ message: "d" }]);
  }
  const { all, error } = await drain(ingest.answerRuns(runs(), callOf("")));
  assert(error instanceof RequestError);
  assert.equal(error.code, "invalid");
  assert.match(error.message, /^parse binary: /);
  assert.deepEqual(
    all.map(({ count }) => count),
    [2],
  );
  assert.equal(ingest.inFlightBytes, 0);

  async function* onlyGarbage(): AsyncGenerator<EncodedRun> {
    yield runOf([Buffer.from("garbage")]);
  }
  assert.deepEqual((await drain(ingest.answerRuns(onlyGarbage(), callOf("")))).all, []);
});

test("runs are appended as they come, and grow while enough is being stored", async (t) => {
  const { engine } = await startServer(t);
  const hold = holdAppends(engine);
  const ingest = ingestInto(hold.engine);
  const { messages, send, end } = openEnded<EncodedRun>();
  const drained = drain(ingest.answerRuns(messages, callOf("")));
  for (let index = 0; index < 5; index++) send(runOf([{ message: `${index}` }, { message: "and" }]));
  end();
  await until(() => hold.held() === 3, "two runs and the one that has grown, at the end");
  hold.letGo();
  const { all } = await drained;
  assert.deepEqual(
    all.map(({ count }) => count),
    [2, 2, 6],
  );
});

test("a run that is large is stored in pieces", async (t) => {
  const { engine } = await startServer(t);
  const ingest = ingestInto(engine);
  async function* runs(): AsyncGenerator<EncodedRun> {
    yield runOf(Array.from({ length: 10 }, () => ({ message: "m".repeat(200_000) })));
  }
  const { all } = await drain(ingest.answerRuns(runs(), callOf("")));
  assert.deepEqual(
    all.map(({ count }) => count),
    [3, 3, 3, 1],
  );
});

test("a batch of encoded entries is answered as one of objects", async (t) => {
  const { engine } = await startServer(t);
  const ingest = ingestInto(engine);
  const write = async (request: MessageInitShape<typeof WriteLogsRequestSchema>, encoded: boolean) => {
    const message = create(WriteLogsRequestSchema, request);
    const bytes = toBinary(WriteLogsRequestSchema, message);
    const batch = encoded ? fromBinary(EncodedBatchSchema, bytes) : message;
    const { firstId, lastId, ...answer } = await ingest.writeBatch(batch, callOf(encoded ? "p" : "q"));
    return { ...answer, some: firstId !== "" && lastId !== "" };
  };
  const entries = mixed.map((fields) => create(LogEntrySchema, fields));
  for (const request of [
    { entries },
    { entries },
    { entries, firstSequence: 100n },
    { entries, firstSequence: 100n, producerId: "r" },
    { entries: [] },
  ]) {
    const producerId = request.producerId;
    const named = (encoded: boolean) => ({
      ...request,
      ...(producerId === undefined ? {} : { producerId: `${producerId} ${encoded}` }),
    });
    assert.deepEqual(await write(named(true), true), await write(named(false), false));
  }
  const garbage = create(EncodedBatchSchema, { entries: [Buffer.from("garbage")] });
  await assert.rejects(ingest.writeBatch(garbage, callOf("")), /parse binary: /);
});

test("batches without entries have a bound as well", async (t) => {
  const { engine } = await startServer(t);
  const ingest = ingestInto(engine);
  const empty = create(WriteLogsRequestSchema);
  const count = 200_000;
  let read = 0;
  async function* batches(): AsyncGenerator<WriteLogsRequest> {
    for (; read < count; read++) yield empty;
  }
  const cancel = new AbortController();
  const answers = ingest.answerBatches(batches(), { producerId: "", signal: cancel.signal });
  await answers.next();
  await until(() => ingest.inFlightBytes >= limits.streamInFlightBytesMax, "a full stream");
  assert(read < count, `${read} batches read`);
  cancel.abort(new Error("enough"));
  await assert.rejects(answers.next(), /enough/);
});

test("a stream at its own bound still waits for the bound on all", async () => {
  const all = new ByteGate(100);
  all.add(100);
  const stream = new AnswerStream<never>(all);
  const read: number[] = [];
  async function* messages(): AsyncGenerator<number> {
    for (const bytes of [limits.streamInFlightBytesMax, 1]) {
      yield bytes;
      read.push(bytes);
    }
  }
  const ended = readInto(stream, messages(), (bytes) => stream.add(bytes), undefined);
  await until(() => all.bytes > 100, "the first message");
  stream.release(limits.streamInFlightBytesMax);
  await new Promise(setImmediate);
  assert.deepEqual(read, [], "read on while all together were over their bound");
  all.release(2);
  await ended;
  assert.equal(read.length, 2);
});
