/**
 * The column `tally` of a packed block: its entries counted by severity and by
 * units of time. A histogram whose buckets are whole multiples of the unit needs
 * nothing else. The layout is at the head of block-format.ts.
 */
import { corrupt, decodeColumn } from "./block-column.ts";
import { type BlockHead, levelCountsOf } from "./block-format.ts";
import { putPlanes, readPlanes } from "./byte-planes.ts";
import { planesFor } from "./packed-layout.ts";
import { stepsSince } from "./time-column.ts";

const millisecond = 1_000_000n;
const second = 1_000n * millisecond;
const minute = 60n * second;
const hour = 60n * minute;

/** Nanoseconds of each unit. A round width of buckets that is not less than a unit is a multiple of it. */
const unitsNs: readonly bigint[] = [
  ...[1n, 10n, 100n].map((count) => count * millisecond),
  ...[1n, 5n].map((count) => count * second),
  ...[1n, 5n].map((count) => count * minute),
  hour,
  24n * hour,
];

/**
 * Units of a block at the most. By measurement, of 60 000 entries of five
 * severities: 64 take 0.36 KB, 128 take 0.56, 512 take 1.5; the block takes
 * about 1 MB. A histogram of many blocks has buckets much wider than a 64th of
 * one, so more would be of use to searches only that take few blocks anyway.
 */
const unitsMax = 64;

/** Bytes before the planes: which unit, and how many planes. */
const fixedBytes = 2;

/** How many entries of a block lie in each unit of time. */
export interface Tally {
  /** How long a unit is, nanoseconds. */
  readonly unitNs: bigint;
  /** Where the first unit begins, Unix nanoseconds: a whole multiple of the unit. */
  readonly start: bigint;
  /** How many units there are. */
  readonly units: number;
  /** The block's severities, rising. */
  readonly severities: readonly number[];
  /** The first severity's counts in all units, then the next one's, … */
  readonly counts: Uint32Array;
}

/** The tally of a block with this head; no bytes where its times are too far apart, or negative. */
export function encodeTally(head: BlockHead, timestamps: BigInt64Array, severities: Uint8Array): Uint8Array {
  // A head's extremes are found without regard to signs: where any time is negative, the greatest is.
  if (head.greatestTimestamp < 0n) return new Uint8Array();
  const code = unitsNs.findIndex((unitNs) => unitsIn(head, unitNs) <= unitsMax);
  const unitNs = unitsNs[code];
  if (unitNs === undefined) return new Uint8Array();
  const units = unitsIn(head, unitNs);
  const known = severitiesOf(head);
  const firstCells = new Uint32Array(256);
  for (const [row, severity] of known.entries()) firstCells[severity] = row * units;
  const counts = new Uint32Array(known.length * units);
  const steps = stepsSince(timestamps, startOf(head, unitNs));
  const unit = Number(unitNs);
  for (let index = 0; index < steps.length; index++) {
    // 64 days of nanoseconds are exact, and so is their quotient's whole part.
    const cell = (firstCells[severities[index] ?? 0] ?? 0) + Math.floor((steps[index] ?? 0) / unit);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const planes = planesFor(counts);
  const raw = new Uint8Array(fixedBytes + planes * counts.length);
  raw[0] = code;
  raw[1] = planes;
  putPlanes(counts, planes, raw, fixedBytes);
  return raw;
}

/**
 * The tally of a block; undefined where it has none.
 *
 * @throws EngineError `corrupt`
 */
export function decodeTally(head: BlockHead, column: Uint8Array): Tally | undefined {
  const raw = decodeColumn(head, "tally", column);
  if (raw.length === 0) return undefined;
  const [code = 0, planes = 0] = raw;
  const unitNs = unitsNs[code];
  if (unitNs === undefined) throw corrupt(head, `its column tally has the unknown unit ${code}`);
  const units = unitsIn(head, unitNs);
  const severities = severitiesOf(head);
  const cells = units * severities.length;
  if (planes < 1 || planes > 4 || raw.length !== fixedBytes + planes * cells)
    throw corrupt(head, `its column tally has ${raw.length} bytes and ${planes} planes of ${cells} counts`);
  const counts = readPlanes(raw, fixedBytes, { planes, count: cells });
  const counted = counts.reduce((sum, count) => sum + count, 0);
  if (counted !== head.count)
    throw corrupt(head, `its column tally is about ${counted} entries, ${head.count} expected`);
  return { unitNs, start: startOf(head, unitNs), units, severities, counts };
}

/** How many units a block's times touch. */
function unitsIn({ leastTimestamp, greatestTimestamp }: BlockHead, unitNs: bigint): number {
  return Number(greatestTimestamp / unitNs - leastTimestamp / unitNs) + 1;
}

/** Where the first unit begins. */
function startOf({ leastTimestamp }: BlockHead, unitNs: bigint): bigint {
  return leastTimestamp - (leastTimestamp % unitNs);
}

/** Rising, as JSON's whole numbers come back from an object. */
function severitiesOf(head: BlockHead): number[] {
  return [...levelCountsOf(head).keys()];
}
