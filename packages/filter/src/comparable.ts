/**
 * Values that can be compared, read from text:
 *
 *   number    500  -1.5  .5  6e3
 *   size      10KiB  1.5 MB     B KB MB GB TB by thousands, KiB MiB GiB TiB by 1024, in any case
 *   duration  1.5s  1h30m  -2ms  250 µs     ns us µs ms s m h d w, in lower case, one or several
 *
 * A size is its number of bytes, so that `20480` and `20KiB` are equal. A
 * duration is only compared with a duration: a number does not say whether it
 * counts seconds or milliseconds. Values are doubles; integers beyond 2^53 are
 * rounded to the nearest.
 */

/** The two sorts of values; only those of one sort are compared. */
export type ComparableSort = "amount" | "duration";

/** A literal's value: a number or bytes, or nanoseconds. */
export interface Comparable {
  readonly sort: ComparableSort;
  readonly value: number;
}

/** The value of a filter's literal; undefined when it is none. */
export function parseComparable(text: string): Comparable | undefined {
  const amount = amountOf(text);
  if (!Number.isNaN(amount)) return { sort: "amount", value: amount };
  const duration = durationOf(text);
  return Number.isNaN(duration) ? undefined : { sort: "duration", value: duration };
}

/** Longer text is not looked at: nobody's number has so many digits, and an attribute may have a megabyte. */
const comparableLengthMax = 64;

const numberPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const sizePattern = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)) ?([kmgt]i?)?b$/i;
const plainDurationPattern = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)) ?(ns|us|µs|μs|ms|s|m|h|d|w)$/;
const durationPattern = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+) ?(?:ns|us|µs|μs|ms|s|m|h|d|w))+$/;
const durationPartPattern = /([\d.]+) ?([a-zµμ]+)/g;

const sizeFactors: Readonly<Record<string, number>> = {
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** Micro is written with either of two characters that look alike: U+00B5 and U+03BC. */
const durationFactors: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
  w: 604_800e9,
};

/** A number, or a size in bytes; NaN when the text is neither. */
export function amountOf(text: string): number {
  if (text.length > comparableLengthMax) return Number.NaN;
  if (numberPattern.test(text)) return Number(text);
  const [, number, prefix] = sizePattern.exec(text) ?? [];
  if (number === undefined) return Number.NaN;
  return Number(number) * (prefix === undefined ? 1 : (sizeFactors[prefix.toLowerCase()] ?? Number.NaN));
}

/** A duration in nanoseconds; NaN when the text is none. */
export function durationOf(text: string): number {
  if (text.length > comparableLengthMax) return Number.NaN;
  const [, plainNumber, plainUnit] = plainDurationPattern.exec(text) ?? [];
  if (plainUnit !== undefined) return Number(plainNumber) * (durationFactors[plainUnit] ?? Number.NaN);
  if (!durationPattern.test(text)) return Number.NaN;
  let sum = 0;
  for (const [, number, unit = ""] of text.matchAll(durationPartPattern)) {
    sum += Number(number) * (durationFactors[unit] ?? Number.NaN);
  }
  return text.startsWith("-") ? -sum : sum;
}
