/** The format's specification holds, and damage is noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { LogEntrySchema } from "@logsvc/proto";
import { batchOf, entriesOf, entryOf, Random } from "../contract/engine-under-test.ts";
import { EngineError } from "../engine-error.ts";
import { encodeBlock, type StoredBlock } from "./block-format.ts";
import type { BlockImage } from "./block-image.ts";
import { packBlocks } from "./packed-block.ts";
import { columnsOf, imageOf } from "./testing/block-images.ts";

/** What the reader makes of a stored block. */
function decodeBlock(stored: StoredBlock): BlockImage {
  return columnsOf(stored).imageFrom(0);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("the example of the specification is what is written", () => {
  const entry = create(LogEntrySchema, { level: "INFO", message: "a", timestamp: 1n });
  assert.equal(hex(toBinary(LogEntrySchema, entry)), "0a04494e464f1201611801");
  const { times, severities, entries, packed, ...head } = encodeBlock(imageOf([entry], 7, 5n));
  assert.deepEqual(head, {
    firstOffset: 7,
    count: 1,
    leastTimestamp: 1n,
    greatestTimestamp: 1n,
    receivedAt: 5n,
    rawBytes: 13,
    levelCounts: '{"9":1}',
    services: '[""]',
    wordParts: null,
    stripes: null,
    headCrc: 1184226073,
  });
  assert.equal(packed, null);
  assert.equal(hex(times), "00" + "0100000000000000" + "688dd725");
  assert.equal(hex(severities), "00" + "09" + "abcb8a78");
  assert.equal(hex(entries), "00" + "0a0b0a04494e464f1201611801" + "50821fe4");
});

test("the packed example of the specification is what is written", () => {
  const one = create(LogEntrySchema, { level: "INFO", message: "a", timestamp: 1n });
  const two = create(LogEntrySchema, { level: "NOTE", message: "bc", timestamp: 3n, service: "api" });
  const { block, words } = packBlocks([imageOf([one], 7, 5n), imageOf([two], 8, 6n)]);
  const { times, severities, entries, packed, ...head } = block;
  assert.deepEqual(head, {
    firstOffset: 7,
    count: 2,
    leastTimestamp: 1n,
    greatestTimestamp: 3n,
    receivedAt: 6n,
    rawBytes: 32,
    levelCounts: '{"0":1,"9":1}',
    services: '["","api"]',
    wordParts: 1,
    stripes: 1,
    headCrc: 2756815909,
  });
  assert.equal(hex(times), "00" + "00" + "01" + "0004" + "f4eea874");
  assert.equal(hex(severities), "00" + "0900" + "261f7e93");
  assert.equal(entries.length, 0);
  assert.ok(packed !== null);
  assert.equal(hex(packed.tally), "00" + "00" + "01" + "0101" + "3a2bd91d");
  const runs = "0101000000000000" + "05010000000000000000000000000000";
  assert.equal(hex(packed.received), `00${runs}59415523`);
  assert.equal(
    hex(packed.origins),
    "00" + "02000000" + "00000000" + "03000000" + "617069" + "0001" + "4e57f265",
  );
  // The one of severity 0 has the first place.
  assert.equal(hex(packed.lengths), "00" + "01" + "01" + "01" + "02000000" + "0201" + "0600" + "e49f1268");
  assert.equal(hex(packed.messages), "08000000" + "00" + "626361" + "04597b30");
  assert.equal(hex(packed.rest), "0b000000" + "00" + "0a044e4f5445" + "e741a5c0");
  assert.deepEqual(words.map(hex), ["d18a831e620e31c2" + "19073267"]);
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
