/** A batch that could not be read again is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { batchOf, entryOf } from "../contract/engine-under-test.ts";
import type { EntryBatch } from "../entry-batch.ts";
import { batchFault } from "./entry-wire.ts";

/** A batch of one entry of these bytes, its tag and length included. */
function batchWith(bytes: Uint8Array): EntryBatch {
  const ends = Uint32Array.of(bytes.length);
  return { count: 1, bytes, ends, timestamps: BigInt64Array.of(1n), severities: Uint8Array.of(0) };
}

test("a length that is not in its shortest form is refused", () => {
  assert.equal(batchFault(batchOf([entryOf(), entryOf({ message: "m".repeat(128) })])), undefined);
  assert.equal(batchFault(batchWith(Uint8Array.of(0x0a, 3, 0x12, 1, 0x61))), undefined);
  const long = Uint8Array.of(0x0a, 0x83, 0x80, 0x80, 0x80, 0x00, 0x12, 1, 0x61);
  assert.equal(batchFault(batchWith(long)), "entry 0 is not the bytes 0 to 9");
});

test("an entry that is larger than a column may be is refused", () => {
  const entryOfBytes = (total: number) => {
    const bytes = new Uint8Array(total);
    const length = total - 5;
    bytes.set([0x0a, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, ((length >> 14) & 0x7f) | 0x80]);
    bytes[4] = length >> 21;
    return batchWith(bytes);
  };
  const bytesMax = 64 * 1024 * 1024;
  assert.equal(batchFault(entryOfBytes(bytesMax)), undefined);
  assert.equal(
    batchFault(entryOfBytes(bytesMax + 1)),
    `entry 0 takes ${bytesMax + 1} bytes, at most ${bytesMax} expected`,
  );
});
