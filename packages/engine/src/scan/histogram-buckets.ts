/** The buckets of a histogram: round widths, aligned to multiples of the width from the epoch. */
import { EngineError } from "../engine-error.ts";
import { type TimeRange, timeMin } from "./selection-range.ts";

const millisecond = 1_000_000n;
const second = 1000n * millisecond;
const minute = 60n * second;
const hour = 60n * minute;
const day = 24n * hour;
const week = 7n * day;

/** Widths that people read easily. Beyond a week: 2, 5, 10, 20, … weeks. */
const roundWidths: readonly bigint[] = [
  ...[1n, 2n, 5n, 10n, 20n, 50n, 100n, 200n, 500n].map((width) => width * millisecond),
  ...[1n, 2n, 5n, 10n, 15n, 30n].map((width) => width * second),
  ...[1n, 2n, 5n, 10n, 15n, 30n].map((width) => width * minute),
  ...[1n, 2n, 3n, 6n, 12n].map((width) => width * hour),
  day,
  week,
  ...[1n, 10n, 100n, 1000n].flatMap((scale) => [2n, 5n, 10n].map((width) => width * scale * week)),
];

/** Buckets side by side. */
export interface Buckets {
  /** Where the first begins, a whole multiple of `interval`. */
  readonly start: bigint;
  /** How wide each is. */
  readonly interval: bigint;
  readonly count: number;
}

/**
 * The buckets that hold a range.
 *
 * @param interval Their width. Absent: the least round width that needs no more than `max`.
 * @throws EngineError `invalid` when that width needs more than `max`.
 */
export function chooseBuckets(range: TimeRange, interval: bigint | undefined, max: number): Buckets {
  if (interval === undefined) {
    for (const width of roundWidths) {
      const buckets = bucketsOf(range, width);
      if (buckets.count <= max && buckets.start >= timeMin) return buckets;
    }
    // No width fits one bucket across the epoch; times before it are refused on the way in.
    throw new EngineError(
      "invalid",
      `no interval divides ${range.start} to ${range.last} into ${max} buckets`,
    );
  }
  if (interval <= 0n) throw new EngineError("invalid", `interval is ${interval}; it must be greater than 0`);
  const buckets = bucketsOf(range, interval);
  if (buckets.start < timeMin) {
    throw new EngineError(
      "invalid",
      `interval is ${interval}; the bucket that holds ${range.start} would begin at ${buckets.start}, before ${timeMin}`,
    );
  }
  if (buckets.count <= max) return buckets;
  throw new EngineError(
    "invalid",
    `interval ${interval} ns needs ${buckets.count} buckets, at most ${max} are allowed`,
  );
}

function bucketsOf({ start, last }: TimeRange, interval: bigint): Buckets {
  const first = floorDivide(start, interval);
  return { start: first * interval, interval, count: Number(floorDivide(last, interval) - first) + 1 };
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value < 0n && quotient * divisor !== value ? quotient - 1n : quotient;
}
