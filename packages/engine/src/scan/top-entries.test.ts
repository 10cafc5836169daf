/** The best entries, compared with sorting all of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../contract/engine-under-test.ts";
import type { FoundEntry } from "./entry-chunk.ts";
import { orders, TopEntries } from "./top-entries.ts";

function randomEntries(random: Random, count: number, bytesMax: number): FoundEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    offset: index + 1,
    timestamp: BigInt(random.below(50)),
    receivedAt: 0n,
    bytes: new Uint8Array(random.below(bytesMax)),
  }));
}

const offsets = (entries: readonly FoundEntry[]) => entries.map(({ offset }) => offset);

test("the first entries of an order are kept, whatever order they come in, and are taken in pieces", () => {
  const random = new Random(1);
  for (let round = 0; round < 200; round++) {
    const before = orders[random.below(2) === 0 ? "newest" : "oldest"];
    const all = randomEntries(random, random.below(200), 10);
    const sorted = all.toSorted((a, b) => (before(a, b) ? -1 : 1));
    const limit = 1 + random.below(100);
    const top = new TopEntries(before, { entries: limit, bytes: 1e9 });
    const taken: FoundEntry[] = [];
    // Each part comes wholly before the next, as blocks do whose results are sent early; inside it is shuffled.
    for (let from = 0; from < sorted.length; from += 20) {
      const part = sorted.slice(from, from + 20).sort((a, b) => a.bytes.length - b.bytes.length);
      const [first] = sorted.slice(from);
      if (first !== undefined && random.below(3) === 0) taken.push(...top.take(first));
      for (const entry of part) if (top.admits(entry)) top.add(entry);
    }
    taken.push(...top.take());
    assert.deepEqual(offsets(taken), offsets(sorted.slice(0, limit)));
  }
});

test("beyond the bytes' bound the last in order go, one stays, and none behind them is taken again", () => {
  const random = new Random(2);
  for (let round = 0; round < 200; round++) {
    const all = randomEntries(random, 1 + random.below(60), 500);
    const top = new TopEntries(orders.oldest, { entries: 1000, bytes: 3000 });
    for (const entry of all) if (top.admits(entry)) top.add(entry);
    const taken = top.take();
    const sorted = all.toSorted((a, b) => (orders.oldest(a, b) ? -1 : 1));
    assert.deepEqual(offsets(taken), offsets(sorted.slice(0, taken.length)), "what is kept is a beginning");
    const bytes = taken.reduce((sum, entry) => sum + entry.bytes.length, 0);
    assert.ok(taken.length === 1 || bytes <= 3000);
    assert.equal(top.cut, taken.length < all.length);
  }
});

test("what is taken early counts among the bytes", () => {
  const top = new TopEntries(orders.oldest, { entries: 1000, bytes: 3000 });
  const taken: FoundEntry[] = [];
  for (let offset = 1; offset <= 20; offset++) {
    const entry = { offset, timestamp: 1n, receivedAt: 0n, bytes: new Uint8Array(800) };
    if (top.admits(entry)) top.add(entry);
    taken.push(...top.take());
  }
  // The fourth, for which there was not room enough, was alone.
  assert.deepEqual(offsets(taken), [1, 2, 3, 4]);
  assert.ok(top.isFull);
});
