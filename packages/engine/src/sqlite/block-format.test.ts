/** The format's specification holds, and damage is noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { LogEntrySchema } from "@logsvc/proto";
import { batchOf, entriesOf, entryOf, Random } from "../contract/engine-under-test.ts";
import { EngineError } from "../engine-error.ts";
import type { EntryBatch } from "../entry-batch.ts";
import { decodeBlock, decodeTimes, encodeBlock } from "./block-format.ts";
import { type BlockImage, blockViews, createBlockImage } from "./block-image.ts";

function imageOf(batch: EntryBatch, firstOffset: number, receivedAt: bigint): BlockImage {
  const { count } = batch;
  const image = createBlockImage({ firstOffset, count, receivedAt, rawBytes: batch.bytes.length });
  const views = blockViews(image);
  views.bytes.set(batch.bytes);
  views.ends.set(batch.ends);
  views.timestamps.set(batch.timestamps);
  views.severities.set(batch.severities);
  return image;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("the example of the specification is what is written", () => {
  const entry = create(LogEntrySchema, { level: "INFO", message: "a", timestamp: 1n });
  assert.equal(hex(toBinary(LogEntrySchema, entry)), "0a04494e464f1201611801");
  const { times, severities, entries, ...head } = encodeBlock(imageOf(batchOf([entry]), 7, 5n));
  assert.deepEqual(head, {
    firstOffset: 7,
    count: 1,
    leastTimestamp: 1n,
    greatestTimestamp: 1n,
    receivedAt: 5n,
    rawBytes: 13,
    levelCounts: '{"9":1}',
    services: '[""]',
    headCrc: 1184226073,
  });
  assert.equal(hex(times), "00" + "0100000000000000" + "688dd725");
  assert.equal(hex(severities), "00" + "09" + "abcb8a78");
  assert.equal(hex(entries), "00" + "0a0b0a04494e464f1201611801" + "50821fe4");
});

test("a block is decoded as it was encoded, whatever its times", () => {
  const random = new Random(1);
  const times = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, 2n ** 32n - 1n];
  for (let round = 0; round < 20; round++) {
    const entries = Array.from({ length: 1 + random.below(500) }, (_, index) =>
      entryOf({
        message: "x".repeat(random.below(300)),
        timestamp: times[random.below(20)] ?? 1_700_000_000_000_000_000n + BigInt(index * random.below(1e9)),
      }),
    );
    const image = imageOf(batchOf(entries), 1 + random.below(1e9), 3n);
    assert.deepEqual(decodeBlock(encodeBlock(image)), image);
    const stored = encodeBlock(image);
    assert.deepEqual(decodeTimes(stored, stored.times), blockViews(image).timestamps);
  }
});

test("services are listed while they are few", () => {
  const batch = (services: number) =>
    batchOf(
      Array.from({ length: services }, (_, index) =>
        entryOf({ service: `s${index}`, attributes: { a: "b" } }),
      ),
    );
  assert.equal(encodeBlock(imageOf(batch(2), 1, 1n)).services, '["s0","s1"]');
  assert.equal(JSON.parse(encodeBlock(imageOf(batch(32), 1, 1n)).services ?? "").length, 32);
  assert.equal(encodeBlock(imageOf(batch(33), 1, 1n)).services, null);
});

test("any changed bit, any changed number and a column of another row is corrupt, and the block is named", () => {
  const stored = encodeBlock(imageOf(batchOf(entriesOf("entry", 40)), 11, 5n));
  const other = encodeBlock(imageOf(batchOf(entriesOf("entry", 40)), 12, 5n));
  const random = new Random(2);
  const flip = (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  };
  const damaged = [
    ...Array.from({ length: 50 }, () => ({ ...stored, entries: flip(stored.entries) })),
    ...Array.from({ length: 20 }, () => ({ ...stored, times: flip(stored.times) })),
    ...Array.from({ length: 20 }, () => ({ ...stored, severities: flip(stored.severities) })),
    { ...stored, count: 39 },
    { ...stored, rawBytes: stored.rawBytes + 1 },
    { ...stored, receivedAt: 6n },
    { ...stored, services: null },
    { ...stored, entries: other.entries },
    { ...stored, entries: new Uint8Array(2) },
  ];
  for (const each of damaged) {
    assert.throws(
      () => decodeBlock(each),
      (error) =>
        error instanceof EngineError && error.code === "corrupt" && error.message.startsWith("block 11 "),
    );
  }
});
