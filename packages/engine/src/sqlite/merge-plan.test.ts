/** What the plan promises: few blocks, each within its bounds, and entries that are seldom written again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  joinedBlocksMax,
  mergedWeightMax,
  type PlannedBlock,
  planMerge,
  plannedBlocksMax,
  weightOf,
} from "./merge-plan.ts";

/** A block that remembers how often its entries were written again, at the most. */
interface Block extends PlannedBlock {
  readonly rewritten: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

function blockOf(firstOffset: number, size: Partial<Block>): Block {
  const rawBytes = size.rawBytes ?? 100;
  return { count: 1, storedBytes: rawBytes / 4, period: 0, rewritten: 0, ...size, firstOffset, rawBytes };
}

function join(joined: readonly Block[]): Block {
  const [first] = joined;
  assert.ok(first !== undefined);
  assert.equal(new Set(joined.map(({ period }) => period)).size, 1, "blocks of one period are joined");
  const sum = (of: (block: Block) => number) => joined.reduce((total, block) => total + of(block), 0);
  return {
    firstOffset: first.firstOffset,
    period: first.period,
    count: sum(({ count }) => count),
    rawBytes: sum(({ rawBytes }) => rawBytes),
    storedBytes: sum(({ storedBytes }) => storedBytes),
    rewritten: Math.max(...joined.map(({ rewritten }) => rewritten)) + 1,
  };
}

/** A log to which blocks are added, and in which they are joined as the merger does: in windows behind what is settled. */
class Log {
  readonly blocks: Block[] = [];
  readonly #weightMax: number;
  #settled = 0;
  #next = 1;

  constructor(weightMax = mergedWeightMax) {
    this.#weightMax = weightMax;
  }

  add(size: Partial<Block>): void {
    const block = blockOf(this.#next, size);
    this.#next += block.count;
    this.blocks.push(block);
  }

  merge(): void {
    for (;;) {
      const planned = this.blocks.slice(this.#settled, this.#settled + plannedBlocksMax);
      const plan = planMerge(planned, this.#weightMax);
      this.#settled += plan.settled;
      if (plan.join !== undefined) {
        const { from, to } = plan.join;
        assert.ok(from >= plan.settled && to - from > 1 && to - from <= joinedBlocksMax);
        const merged = join(planned.slice(from, to));
        assert.ok(weightOf(merged) <= this.#weightMax, "a joined block is within its bound");
        this.blocks.splice(this.#settled + from - plan.settled, to - from, merged);
      } else if (plan.settled === 0) {
        assert.ok(planned.length < plannedBlocksMax, "a full window never leaves nothing to do");
        return;
      }
    }
  }
}

/** Sizes of blocks as they come from commits: lonely entries, small batches, large ones, a mixture. */
const anySize = fc.oneof(
  { weight: 5, arbitrary: fc.record({ count: fc.constant(1), rawBytes: fc.integer({ min: 4, max: 400 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      count: fc.integer({ min: 2, max: 200 }),
      rawBytes: fc.integer({ min: 1000, max: 30_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      count: fc.integer({ min: 1, max: 16_384 }),
      rawBytes: fc.integer({ min: 60_000, max: MiB }),
    }),
  },
);

/** Runs of like blocks, with the merger at work behind some of them. */
const anyHistory = fc.array(
  fc.record({ size: anySize, times: fc.integer({ min: 1, max: 700 }), isMerged: fc.boolean() }),
  { maxLength: 30 },
);

test("any history: few blocks are left, and no entry was written again more than three times", () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const log = new Log();
      for (const { size, times, isMerged } of history) {
        for (let time = 0; time < times; time++) {
          log.add(size);
          if (isMerged) log.merge();
        }
      }
      log.merge();
      const weight = log.blocks.reduce((sum, block) => sum + weightOf(block), 0);
      // Of two neighbours that the last tier has left, one is half full; behind them lies less than one of its blocks.
      const bound = 2 + (4 * weight) / mergedWeightMax + joinedBlocksMax + 128;
      assert.ok(log.blocks.length <= bound, `${log.blocks.length} blocks, at most ${bound}`);
      assert.ok(log.blocks.every(({ rewritten }) => rewritten <= 3));
      const entries = history.reduce((sum, { size, times }) => sum + size.count * times, 0);
      assert.equal(
        log.blocks.reduce((sum, { count }) => sum + count, 0),
        entries,
      );
    }),
    { numRuns: 30 },
  );
});

test("lonely entries: as many blocks as the tiers have room for, and a full one for each 32 Ki", () => {
  const log = new Log();
  for (let entry = 0; entry < 300_000; entry++) {
    log.add({});
    // The merger looks now and then, as when it is woken.
    if (entry % 100 === 0) log.merge();
  }
  const full = log.blocks.filter((block) => weightOf(block) >= mergedWeightMax / 2).length;
  assert.ok(full >= 300_000 / 32_768 - 1 && full < 16, `${full} full blocks`);
  assert.ok(log.blocks.length - full < joinedBlocksMax + 150, `${log.blocks.length - full} smaller blocks`);
  assert.ok(Math.max(...log.blocks.map(({ rewritten }) => rewritten)) === 3);
});

test("a backlog of large blocks is written again once", () => {
  const log = new Log();
  for (let block = 0; block < 160; block++) log.add({ count: 7000, rawBytes: MiB });
  log.merge();
  assert.equal(Math.max(...log.blocks.map(({ rewritten }) => rewritten)), 1);
  assert.ok(log.blocks.length <= 40 + 8, `${log.blocks.length} blocks`);
});

test("what is not worth it waits: a few blocks, and those behind the last full group", () => {
  const medium = { count: 2000, rawBytes: 300 * KiB };
  const plan = (blocks: Partial<Block>[]) =>
    planMerge(blocks.map((size, index) => blockOf(index * 20_000 + 1, size)));
  assert.deepEqual(plan([]), { settled: 0 });
  assert.deepEqual(plan(Array.from({ length: 13 }, () => medium)), { settled: 0 });
  assert.deepEqual(plan(Array.from({ length: 15 }, () => medium)), { join: { from: 0, to: 13 }, settled: 0 });
  const finished = { count: 32_768, rawBytes: 3 * MiB };
  assert.deepEqual(plan([finished, {}, finished, {}, {}]), { settled: 3 });
  assert.deepEqual(plan([finished, {}, {}, finished, {}]), { join: { from: 1, to: 3 }, settled: 1 });
});

test("blocks of different periods are not joined, those of one that is over are", () => {
  const blocks = [0, 0, 1, 1, 1, 2, 2].map((period, index) => blockOf(index + 1, { period }));
  assert.deepEqual(planMerge(blocks), { join: { from: 0, to: 2 }, settled: 0 });
  assert.deepEqual(planMerge(blocks.slice(1)), { join: { from: 1, to: 4 }, settled: 1 });
  assert.deepEqual(planMerge(blocks.slice(4)), { settled: 1 });
});

test("where the log itself must stay small blocks do too, and all entries are still joined", () => {
  const weightMax = 128 * KiB;
  const log = new Log(weightMax);
  for (let entry = 0; entry < 20_000; entry++) log.add({});
  log.merge();
  assert.ok(log.blocks.length < (2 * 20_000 * 128) / weightMax + joinedBlocksMax);
});
