/** A tally counts what is there, in units that buckets are made of, and damage is noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { entryOf, epoch, Random } from "../contract/engine-under-test.ts";
import { EngineError } from "../engine-error.ts";
import { chooseBuckets } from "../scan/histogram-buckets.ts";
import { encodeColumn } from "./block-column.ts";
import type { StoredBlock } from "./block-format.ts";
import { packBlocks } from "./packed-block.ts";
import type { Tally } from "./tally-column.ts";
import { columnsOf, imageOf } from "./testing/block-images.ts";

const day = 86_400n * 10n ** 9n;

/** From a nanosecond to 63 days: each of some unit, and two of the smallest. */
const spans = [
  ...([1n, 5n * 10n ** 7n, 5n * 10n ** 8n, 5n * 10n ** 9n, 5n * 10n ** 10n, 2n * 10n ** 11n] as const),
  ...[2n * 10n ** 12n, day / 6n, 2n * day, 63n * day],
] as const;

const levels = ["INFO", "INFO", "INFO", "WARN", "ERROR", "audit", ""] as const;

/** The packed block of entries of these times. */
function packedOf(
  timestamps: readonly bigint[],
  levelOf: (index: number) => string = () => "INFO",
): StoredBlock {
  const entries = timestamps.map((timestamp, index) => entryOf({ timestamp, level: levelOf(index) }));
  return packBlocks([imageOf(entries, 7, 1n)]).block;
}

/** Entries by severity and by where their unit begins, of those that there are. */
function cellsOf({ unitNs, start, units, severities, counts }: Tally): Map<string, number> {
  const cells = new Map<string, number>();
  for (const [index, count] of counts.entries()) {
    const severity = severities[Math.floor(index / units)];
    if (count > 0) cells.set(`${severity} ${start + BigInt(index % units) * unitNs}`, count);
  }
  return cells;
}

/** How many units times touch. */
function unitsOf(timestamps: readonly bigint[], unitNs: bigint): number {
  const units = timestamps.map((time) => Number(time / unitNs));
  return Math.max(...units) - Math.min(...units) + 1;
}

test("each entry is counted in the unit that its time lies in, whatever the times", () => {
  const random = new Random(1);
  const unitsNs = new Set<bigint>();
  for (let round = 0; round < 200; round++) {
    const span = random.of(spans);
    const origin = random.of([0n, epoch, epoch + 123_456_789n, 2n ** 63n - 1n - span]);
    const timestamps = Array.from({ length: 1 + random.below(400) }, () => {
      const place = random.of([0, 2 ** 32, random.below(2 ** 32)]);
      return origin + ((BigInt(place) * span) >> 32n);
    });
    const columns = columnsOf(packedOf(timestamps, () => random.of(levels)));
    const tally = columns.tally();
    assert.ok(tally !== undefined);
    const expected = new Map<string, number>();
    for (const [index, time] of timestamps.entries()) {
      const cell = `${columns.severities[index]} ${time - (time % tally.unitNs)}`;
      expected.set(cell, (expected.get(cell) ?? 0) + 1);
    }
    assert.deepEqual(new Map([...cellsOf(tally)].sort()), new Map([...expected].sort()));
    assert.equal(tally.units, unitsOf(timestamps, tally.unitNs));
    assert.ok(tally.units <= 64);
    for (const smaller of unitsNs)
      if (smaller < tally.unitNs) assert.ok(unitsOf(timestamps, smaller) > 64, "it is the least that does");
    unitsNs.add(tally.unitNs);
  }
  assert.equal(unitsNs.size, 9, "each unit was chosen for some");
});

test("times that are too far apart, or negative, are not counted", () => {
  const start = epoch - (epoch % day);
  assert.equal(columnsOf(packedOf([start, start + 64n * day - 1n])).tally()?.units, 64);
  for (const times of [[start, start + 64n * day], [-1n], [-1n, 1n], [-(2n ** 63n), 2n ** 63n - 1n]])
    assert.equal(columnsOf(packedOf(times)).tally(), undefined);
});

test("round buckets that are not narrower than a unit hold it whole", () => {
  const widths = new Set<bigint>();
  const unitsNs = new Set<bigint>();
  for (let span = 10n ** 6n; span < 10n ** 18n; span += span / 10n) {
    widths.add(chooseBuckets({ start: epoch, last: epoch + span }, undefined, 60).interval);
    const unitNs = columnsOf(packedOf([epoch, epoch + span])).tally()?.unitNs;
    if (unitNs !== undefined) unitsNs.add(unitNs);
  }
  assert.equal(unitsNs.size, 9);
  for (const unitNs of unitsNs)
    for (const width of widths) assert.ok(width < unitNs || width % unitNs === 0n, `${unitNs} in ${width}`);
});

test("a tally that is not the block's is corrupt, and says what is wrong", () => {
  const block = packedOf([epoch, epoch + 10_000_000n, epoch + 10_000_000n]);
  const { packed } = block;
  assert.ok(packed !== null);
  const cells = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
  const tallyFrom = (...raw: number[]) => {
    const tally = encodeColumn(Uint8Array.from(raw), 7, { level: 1, sized: true });
    return columnsOf({ ...block, packed: { ...packed, tally } }).tally();
  };
  assert.deepEqual(tallyFrom(0, 1, ...cells), columnsOf(block).tally());
  const faults: (readonly [number[], RegExp])[] = [
    [[9, 1, ...cells], /tally has the unknown unit 9/],
    [[1, 1, ...cells], /tally has 13 bytes and 1 planes of 2 counts/],
    [[0, 2, ...cells], /tally has 13 bytes and 2 planes of 11 counts/],
    [[0, 0], /tally has 2 bytes and 0 planes of 11 counts/],
    [[0], /tally has 1 bytes/],
    [[0, 1, ...cells.with(0, 2)], /tally is about 4 entries, 3 expected/],
  ];
  for (const [raw, message] of faults) {
    assert.throws(
      () => tallyFrom(...raw),
      (error) =>
        error instanceof EngineError &&
        error.code === "corrupt" &&
        error.message.startsWith("block 7 ") &&
        message.test(error.message),
    );
  }
});
