/** Ingest without a wire: how far a stream is read that nobody takes the answers of. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { limits, type WriteLogsRequest, WriteLogsRequestSchema } from "@logsvc/proto";
import { Lifecycle } from "../lifecycle.ts";
import { Counters } from "../stats/counters.ts";
import { startServer, until } from "../testing/start-server.ts";
import { AnswerStream, readInto } from "./answer-stream.ts";
import { ByteGate } from "./byte-gate.ts";
import { Ingest } from "./ingest.ts";

test("batches without entries have a bound as well", async (t) => {
  const { engine } = await startServer(t);
  const ingest = new Ingest({
    engine,
    lifecycle: new Lifecycle(),
    counters: new Counters(),
    logger: undefined,
  });
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
