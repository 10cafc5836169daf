/** What is forgotten takes no memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { batchOf, entriesOf } from "../contract/engine-under-test.ts";
import { blockViews, createBlockImage } from "./block-image.ts";
import { MemoryBlock } from "./memory-block.ts";
import { Positions } from "./positions.ts";
import { RecentBlocks } from "./recent-blocks.ts";

/** A block of one entry. */
function blockAt(firstOffset: number): MemoryBlock {
  const image = createBlockImage({ firstOffset, count: 1, receivedAt: 0n, rawBytes: 1000 });
  return new MemoryBlock(image, new Positions("a"), firstOffset);
}

test("the newest blocks are found within the bound; those that are forgotten are let go of at once", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const { memoryBytes } = blockAt(1);
  const recent = new RecentBlocks(memoryBytes * 10);
  const added: WeakRef<MemoryBlock>[] = [];
  for (let offset = 1; offset <= 15; offset++) {
    const block = blockAt(offset);
    added.push(new WeakRef(block));
    recent.add(block);
  }
  assert.equal(recent.bytes, memoryBytes * 10);
  const found = added.map((_, index) => recent.run(index + 1, 0)[0]?.firstOffset);
  assert.deepEqual(found, [...new Array(5).fill(undefined), 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  // A WeakRef lives as long as the turn it was made in.
  await nextTurn();
  collectGarbage();
  assert.equal(added.filter((block) => block.deref() !== undefined).length, 10);
});

test("a run is what follows an offset, up to a bound in bytes, but one block at least", () => {
  const { bytes, memoryBytes } = blockAt(1);
  const recent = new RecentBlocks(memoryBytes * 10);
  for (let offset = 1; offset <= 15; offset++) recent.add(blockAt(offset));
  const runOf = (offset: number, bytesMax: number) =>
    recent.run(offset, bytesMax).map(({ firstOffset }) => firstOffset);
  assert.deepEqual(runOf(12, Number.POSITIVE_INFINITY), [12, 13, 14, 15]);
  assert.deepEqual(runOf(6, bytes.length * 3), [6, 7, 8]);
  assert.deepEqual(runOf(6, bytes.length * 3 - 1), [6, 7]);
  assert.deepEqual(runOf(6, 0), [6]);
  assert.deepEqual(runOf(5, 0), []);
  assert.deepEqual(runOf(16, 0), []);
});

test("blocks that do not follow each other are never one run", () => {
  const recent = new RecentBlocks(Number.POSITIVE_INFINITY);
  for (const offset of [1, 2, 5, 6]) recent.add(blockAt(offset));
  assert.deepEqual(recent.run(1, 0), []);
  assert.deepEqual(
    recent.run(5, Number.POSITIVE_INFINITY).map(({ firstOffset }) => firstOffset),
    [5, 6],
  );
  recent.clear();
  assert.deepEqual(recent.run(5, 0), []);
  assert.equal(recent.bytes, 0);
});

test("decoded entries are kept in the newest blocks, not for a reader who is behind", () => {
  const { count, bytes, timestamps } = batchOf(entriesOf("a", 1));
  const image = createBlockImage({ firstOffset: 1, count, receivedAt: 0n, rawBytes: bytes.length });
  blockViews(image).timestamps.set(timestamps);
  blockViews(image).bytes.set(bytes);
  blockViews(image).ends[0] = bytes.length;
  const newest = new MemoryBlock(image, new Positions("a"), 1);
  assert.equal(newest.entryAt(0), newest.entryAt(0));
  newest.forgetDecoded();
  assert.notEqual(newest.entryAt(0), newest.entryAt(0));
  const loaded = new MemoryBlock(image, new Positions("a"));
  assert.notEqual(loaded.entryAt(0), loaded.entryAt(0));
  assert.deepEqual(loaded.entryAt(0), newest.entryAt(0));
});

test("who asks for one run gets one array, until the blocks change", () => {
  const { bytes, memoryBytes } = blockAt(1);
  const recent = new RecentBlocks(memoryBytes * 3);
  for (const offset of [1, 2, 3]) recent.add(blockAt(offset));
  const run = recent.run(2, bytes.length * 2);
  assert.equal(recent.run(2, bytes.length * 2), run);
  assert.equal(recent.run(2, bytes.length).length, 1);
  assert.equal(recent.run(3, bytes.length * 2).length, 1);
  recent.run(2, bytes.length * 3);
  recent.add(blockAt(4));
  assert.deepEqual(
    recent.run(2, bytes.length * 3).map(({ firstOffset }) => firstOffset),
    [2, 3, 4],
  );
  recent.dropBefore(3);
  assert.deepEqual(recent.run(2, bytes.length * 3), []);
});
