/** Tells which bucket of a histogram each of many times lies in. */
import type { Buckets } from "../../scan/histogram-buckets.ts";

/** Differences up to here are exact as numbers. */
const exactMax = 2n ** 53n;

/**
 * Writes the bucket of each time from `from` on into `into`. All of them lie
 * in the buckets where `marks` is 1; elsewhere what is written has no meaning.
 *
 * @param least, greatest Of the times that are marked, or further apart.
 */
export function bucketTimes(
  buckets: Buckets,
  times: {
    readonly timestamps: BigInt64Array;
    readonly from: number;
    readonly least: bigint;
    readonly greatest: bigint;
  },
  into: Uint32Array,
  marks: Uint8Array,
): void {
  const { timestamps, from, least, greatest } = times;
  const first = (least - buckets.start) / buckets.interval;
  const base = buckets.start + first * buckets.interval;
  if (greatest - base >= exactMax || buckets.interval >= exactMax) {
    for (let at = 0; at < marks.length; at++) {
      if (marks[at] === 1)
        into[at] = Number(((timestamps[from + at] ?? 0n) - buckets.start) / buckets.interval);
    }
    return;
  }
  bucketExactTimes(
    {
      words: wordsOf(timestamps, from, marks.length),
      base,
      first: Number(first),
      interval: Number(buckets.interval),
    },
    into,
  );
}

/** The lower and the upper half of each time: several times as fast as arithmetic on bigint. */
function wordsOf(timestamps: BigInt64Array, from: number, count: number): Int32Array {
  return new Int32Array(timestamps.buffer, timestamps.byteOffset + from * 8, count * 2);
}

function bucketExactTimes(
  { words, base, first, interval }: { words: Int32Array; base: bigint; first: number; interval: number },
  into: Uint32Array,
): void {
  const baseLow = Number(BigInt.asUintN(32, base));
  const baseHigh = Number(base >> 32n);
  // The bucket of the time before, which the next one is mostly in too.
  let bucket = first;
  let start = 0;
  for (let at = 0; at * 2 < words.length; at++) {
    const low = (words[at * 2] ?? 0) >>> 0;
    const time = ((words[at * 2 + 1] ?? 0) - baseHigh) * 0x1_0000_0000 + (low - baseLow);
    if (time < start || time >= start + interval) {
      // Both are whole and below 2^53, so the remainder is exact, and so is the quotient.
      const within = time % interval;
      start = time - within;
      bucket = first + start / interval;
    }
    into[at] = bucket;
  }
}
