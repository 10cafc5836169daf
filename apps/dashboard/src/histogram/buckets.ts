/**
 * Which buckets a histogram has, and what ranges its gestures choose. All in
 * nanoseconds as bigint: a bucket's edge is a time in the log, and an entry on
 * it belongs to one side only.
 *
 *   range          ├────────────────────────┤
 *   buckets    │···╳···│·······│·······│····╳··│    whole multiples of `interval`
 *   counted        ├────────────────────────┤       in the first and the last only what the range holds
 */
import { rangeKey, spanOf, type TimeSpan } from "../range/range-span.ts";
import type { ViewRange } from "../view/view-state.ts";

/** Buckets side by side. */
export interface Buckets {
  /** What is counted. */
  readonly span: TimeSpan;
  /** Where the first begins: a whole multiple of `interval`. */
  readonly start: bigint;
  /** How wide each is, in nanoseconds. */
  readonly interval: bigint;
  readonly count: number;
}

const msNs = 1_000_000n;
const secondNs = 1000n * msNs;
const minuteNs = 60n * secondNs;
const hourNs = 60n * minuteNs;
const dayNs = 24n * hourNs;

/** Widths that people read easily: divisors of the next larger unit. Beyond: whole numbers of 30 days. */
const roundWidths: readonly bigint[] = [
  ...[1n, 2n, 5n, 10n, 20n, 50n, 100n, 200n, 500n].map((width) => width * msNs),
  ...[1n, 2n, 5n, 10n, 15n, 30n].map((width) => width * secondNs),
  ...[1n, 2n, 5n, 10n, 15n, 30n].map((width) => width * minuteNs),
  ...[1n, 2n, 3n, 6n, 12n].map((width) => width * hourNs),
  ...[1n, 2n, 5n, 10n, 30n].map((width) => width * dayNs),
];

/** A bar and its gap are at least so wide, in CSS pixels. */
const bucketPixelsMin = 7;
const bucketsMin = 24;
const bucketsMax = 120;

/** No zoom goes closer: a few of the least buckets. */
const spanMin = 10n * msNs;

/** The server's times end here; see timestampMax. */
const timeMax = 2n ** 63n - 1n;

/** The buckets of a range that is asked now, for a chart so wide. */
export function planBuckets(range: ViewRange, now: bigint, widthPixels: number): Buckets {
  const wanted = Math.floor(widthPixels / bucketPixelsMin);
  const max = Math.min(Math.max(wanted, bucketsMin), bucketsMax);
  const span = spanOf(range, now);
  const interval = roundWidth(span.end - span.start, max);
  const start = floorTo(span.start, interval);
  // Following the log, the oldest bucket is whole, so that bars only move and never shrink.
  const counted = range.kind === "live" ? { start, end: ceilTo(span.end, interval) } : span;
  return {
    span: counted,
    start,
    interval,
    count: Number((ceilTo(counted.end, interval) - start) / interval),
  };
}

/** The buckets `first` up to, not with, `end`, as a range: no more than what is counted. */
export function rangeOfBuckets(buckets: Buckets, first: number, end: number): ViewRange {
  const { span, start, interval } = buckets;
  const low = clamp(Math.floor(Math.min(first, end)), 0, buckets.count - 1);
  const high = clamp(Math.ceil(Math.max(first, end)), low + 1, buckets.count);
  return between(
    max(start + BigInt(low) * interval, span.start),
    min(start + BigInt(high) * interval, span.end),
  );
}

/** When a bucket begins and ends. */
export function bucketSpan(buckets: Buckets, index: number): TimeSpan {
  const start = buckets.start + BigInt(index) * buckets.interval;
  return { start, end: start + buckets.interval };
}

/** The middle half of a range. */
export function zoomIn(range: ViewRange, now: bigint): ViewRange {
  const { start, end } = spanOf(range, now);
  const quarter = (end - start) / 4n;
  return end - start <= spanMin ? range : between(start + quarter, end - quarter);
}

/** Twice the range around its middle; one that ends now goes on ending now. */
export function zoomOut(range: ViewRange, now: bigint): ViewRange {
  const { start, end } = spanOf(range, now);
  const length = end - start;
  if (range.kind !== "between") return { kind: "last", durationMs: Number((length * 2n) / msNs) };
  // Nothing lies in the future: what is more than now on the one side comes on the other.
  const late = max(0n, end + length / 2n - max(now, end));
  return between(start - length / 2n - late, end + length / 2n - late);
}

/** A range half of its length earlier (-1) or later (1); none reaches into the future by that. */
export function shiftRange(range: ViewRange, now: bigint, direction: -1 | 1): ViewRange {
  const { start, end } = spanOf(range, now);
  const step = (end - start) / 2n;
  const shift = direction < 0 ? -step : clampBig(now - end, 0n, step);
  return shift === 0n ? range : between(start + shift, end + shift);
}

/** Whether two ranges are asked alike. */
export function sameRange(a: ViewRange, b: ViewRange): boolean {
  return rangeKey(a) === rangeKey(b);
}

function roundWidth(length: bigint, bucketCountMax: number): bigint {
  const count = BigInt(bucketCountMax);
  const wide = 30n * dayNs;
  // The range need not begin on an edge, which takes one more.
  return (
    roundWidths.find((width) => ceilTo(length, width) / width < count) ?? ceilTo(length / (count - 1n), wide)
  );
}

/** Between two times that the server takes, and long enough to be looked at. */
function between(start: bigint, end: bigint): ViewRange {
  const bounded = clampBig(start, spanMin, timeMax - spanMin);
  return { kind: "between", start: bounded, end: clampBig(end, bounded + msNs, timeMax) };
}

function floorTo(value: bigint, step: bigint): bigint {
  const rest = value % step;
  return value - (rest < 0n ? rest + step : rest);
}

function ceilTo(value: bigint, step: bigint): bigint {
  return -floorTo(-value, step);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

function clampBig(value: bigint, low: bigint, high: bigint): bigint {
  return max(low, min(value, high));
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
