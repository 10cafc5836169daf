/** Batches from objects and from bytes: the same, however large, and whole in buffers of their own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { type LogEntry, LogEntrySchema, severityOf, WriteLogsRequestSchema } from "@logsvc/proto";
import { entriesOf, entryOf } from "./contract/engine-under-test.ts";
import { EntryBatchBuilder, hasOwnBuffers } from "./entry-batch.ts";
import { entryBytesAt } from "./entry-bytes.ts";

/** Entries with sequences from the third on. */
const sequenceAt = (index: number): number => (index < 2 ? 0 : index);

function build(entries: readonly LogEntry[], capacityBytes?: number) {
  const builder = new EntryBatchBuilder("producer", capacityBytes);
  for (const [index, entry] of entries.entries()) builder.add(entry, sequenceAt(index));
  return builder.build();
}

const times = [0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 63n - 1n, -1n];
const entries = [
  ...times.map((timestamp) => entryOf({ timestamp, level: "odd" })),
  ...entriesOf("many", 300),
  entryOf({ message: "long ".repeat(5_000) }),
];

test("a batch is the encoding of its entries, one after the other", () => {
  const batch = build(entries);
  assert.deepEqual(fromBinary(WriteLogsRequestSchema, batch.bytes).entries, entries);
  assert.equal(batch.count, entries.length);
  for (const [index, entry] of entries.entries()) {
    assert.deepEqual(fromBinary(LogEntrySchema, entryBytesAt(batch, index)), entry);
    assert.equal(batch.timestamps[index], entry.timestamp);
    assert.equal(batch.severities[index], severityOf(entry.level));
    assert.equal(batch.sequences?.[index], sequenceAt(index));
  }
});

test("a batch is the same whatever room it began with, and whoever wrote its bytes", () => {
  const batch = build(entries);
  for (const capacityBytes of [0, 1, 64, 1_000_000]) assert.deepEqual(build(entries, capacityBytes), batch);

  const copied = new EntryBatchBuilder("producer", 0);
  let start = 0;
  for (const [index, entry] of entries.entries()) {
    const bytes = batch.bytes.subarray(start, batch.ends[index]);
    start += bytes.length;
    // What is not committed leaves no trace.
    copied.reserve(100).fill(0xff, copied.byteLength);
    copied.reserve(bytes.length).set(bytes, copied.byteLength);
    copied.commit(copied.byteLength + bytes.length, {
      timestampLow: Number(BigInt.asIntN(32, entry.timestamp)),
      timestampHigh: Number(entry.timestamp >> 32n),
      severity: severityOf(entry.level),
      sequence: sequenceAt(index),
    });
  }
  assert.deepEqual(copied.build(), batch);
});

test("sequences are kept only of a producer that numbers its entries", () => {
  const nobody = new EntryBatchBuilder();
  nobody.add(entryOf(), 7);
  assert.deepEqual(Object.keys(nobody.build()), ["count", "bytes", "ends", "timestamps", "severities"]);
  const uncounted = new EntryBatchBuilder("producer");
  uncounted.add(entryOf());
  assert.equal(uncounted.build().sequences, undefined);
});

test("a lonely entry's batch does not keep the room for many", () => {
  const batch = build([entryOf()], 100_000);
  assert.equal(batch.bytes.buffer.byteLength, batch.bytes.length);
  assert(hasOwnBuffers(batch));
  assert(!hasOwnBuffers({ ...batch }), "only as it was built");
});
