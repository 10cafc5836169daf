/**
 * The column `times`, as fresh and as packed blocks have it. Both layouts are
 * at the head of block-format.ts.
 *
 * Times are worked on in halves of 32 bits, and as differences that a double
 * holds exactly: arithmetic on bigint takes ten times as long.
 */
import { type ColumnPlace, corrupt, decodeColumn } from "./block-column.ts";
import { readPlanes } from "./byte-planes.ts";

const twoTo32 = 0x100000000;
const planeCount = 8;

/** Units of packed times: 10^9, 10^6, 10^3, 10^0 nanoseconds. */
const exponents = [9, 6, 3, 0] as const;

/** Stands where the exponent is: the times are laid out as in a fresh block. */
const freshLayout = 255;

/** Differences up to this are exact as a double when doubled. */
const spanMax = 2 ** 52;

/** The lower and the upper half of each time. */
export function wordsOf(timestamps: BigInt64Array): Uint32Array {
  return new Uint32Array(timestamps.buffer, timestamps.byteOffset, timestamps.length * 2);
}

/** A fresh block's times: eight planes of differences. */
export function encodeFreshTimes(timestamps: BigInt64Array): Uint8Array {
  const count = timestamps.length;
  const words = wordsOf(timestamps);
  const planes = new Uint8Array(count * planeCount);
  let lastLow = 0;
  let lastHigh = 0;
  for (let index = 0; index < count; index++) {
    const low = words[index * 2] ?? 0;
    const high = words[index * 2 + 1] ?? 0;
    putWord(planes, index, count, low - lastLow);
    putWord(planes, index + 4 * count, count, high - lastHigh - (low < lastLow ? 1 : 0));
    lastLow = low;
    lastHigh = high;
  }
  return planes;
}

/** @param planes From `encodeFreshTimes`; eight times `count` bytes. */
export function decodeFreshTimes(planes: Uint8Array, count: number): BigInt64Array<ArrayBuffer> {
  const timestamps = new BigInt64Array(count);
  const words = wordsOf(timestamps);
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    const sum = low + (wordAt(planes, index, count) >>> 0);
    low = sum >>> 0;
    high = (high + wordAt(planes, index + 4 * count, count) + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    words[index * 2] = low;
    words[index * 2 + 1] = high;
  }
  return timestamps;
}

/** A packed block's times. */
export function encodePackedTimes(
  timestamps: BigInt64Array,
  { least, greatest }: { least: bigint; greatest: bigint },
): Uint8Array {
  if (BigInt.asUintN(64, greatest - least) > BigInt(spanMax)) {
    const fresh = encodeFreshTimes(timestamps);
    const raw = new Uint8Array(fresh.length + 1);
    raw[0] = freshLayout;
    raw.set(fresh, 1);
    return raw;
  }
  const steps = stepsSince(timestamps, least);
  const exponent = exponents.find((each) => steps.every((step) => step % 10 ** each === 0)) ?? 0;
  const unit = 10 ** exponent;
  let last = 0;
  let most = 0;
  for (let index = 0; index < steps.length; index++) {
    const time = (steps[index] ?? 0) / unit;
    const difference = time - last;
    last = time;
    const step = difference < 0 ? -2 * difference - 1 : 2 * difference;
    steps[index] = step;
    if (step > most) most = step;
  }
  return planesOf(steps, exponent, most);
}

/**
 * The times of a packed block.
 *
 * @param least The block's least timestamp.
 * @throws EngineError `corrupt`
 */
export function decodePackedTimes(
  place: ColumnPlace & { readonly leastTimestamp: bigint },
  column: Uint8Array,
): BigInt64Array<ArrayBuffer> {
  const { count, leastTimestamp } = place;
  const raw = decodeColumn(place, "times", column);
  if (raw[0] === freshLayout) {
    expectLength(place, raw, 1 + planeCount * count);
    return decodeFreshTimes(raw.subarray(1), count);
  }
  const [exponent = 0, planes = 0] = raw;
  if (!exponents.some((known) => known === exponent))
    throw corrupt(place, `its column times has the unknown exponent ${exponent}`);
  expectLength(place, raw, 2 + planes * count);
  const lows = readPlanes(raw, 2, { planes: Math.min(planes, 4), count });
  const highs = planes > 4 ? readPlanes(raw, 2 + 4 * count, { planes: planes - 4, count }) : undefined;
  return addSteps(lows, highs, { least: leastTimestamp, unit: 10 ** exponent });
}

/** The times whose steps have these lower and, unless they are all 0, upper halves. */
function addSteps(
  lows: Uint32Array,
  highs: Uint32Array | undefined,
  { least, unit }: { least: bigint; unit: number },
): BigInt64Array<ArrayBuffer> {
  const timestamps = new BigInt64Array(lows.length);
  const words = wordsOf(timestamps);
  const leastHigh = Number(BigInt.asUintN(32, least >> 32n));
  // The time less the least one's upper half.
  let time = Number(BigInt.asUintN(32, least));
  for (let index = 0; index < lows.length; index++) {
    const low = lows[index] ?? 0;
    const half = (low >>> 1) + (highs === undefined ? 0 : (highs[index] ?? 0) * (twoTo32 / 2));
    time += ((low & 1) === 0 ? half : -1 - half) * unit;
    const high = Math.floor(time * (1 / twoTo32));
    words[index * 2] = time - high * twoTo32;
    words[index * 2 + 1] = leastHigh + high;
  }
  return timestamps;
}

/** Nanoseconds of each time since the least, or an earlier one. Exact up to 2^53. */
export function stepsSince(timestamps: BigInt64Array, least: bigint): Float64Array {
  const words = wordsOf(timestamps);
  const leastLow = Number(BigInt.asUintN(32, least));
  const leastHigh = Number(BigInt.asUintN(32, least >> 32n));
  const steps = new Float64Array(timestamps.length);
  for (let index = 0; index < steps.length; index++) {
    // The upper halves' difference modulo 2^32: it is small, also where the sign changes.
    const high = ((words[index * 2 + 1] ?? 0) - leastHigh) | 0;
    steps[index] = high * twoTo32 + ((words[index * 2] ?? 0) - leastLow);
  }
  return steps;
}

/** Exponent, number of planes, and as many planes as the greatest needs. */
function planesOf(steps: Float64Array, exponent: number, most: number): Uint8Array {
  const count = steps.length;
  let planes = 0;
  for (let bound = 1; bound <= most; bound *= 256) planes++;
  const raw = new Uint8Array(2 + planes * count);
  raw[0] = exponent;
  raw[1] = planes;
  for (let index = 0; index < count; index++) {
    const step = steps[index] ?? 0;
    const high = Math.floor(step / twoTo32);
    const low = step - high * twoTo32;
    for (let plane = 0, at = 2 + index; plane < planes; plane++, at += count) {
      raw[at] = plane < 4 ? low >>> (8 * plane) : high >>> (8 * plane - 32);
    }
  }
  return raw;
}

function expectLength(place: ColumnPlace, raw: Uint8Array, bytes: number): void {
  if (raw.length !== bytes)
    throw corrupt(place, `its column times has ${raw.length} bytes, ${bytes} expected`);
}

function putWord(planes: Uint8Array, at: number, stride: number, word: number): void {
  planes[at] = word;
  planes[at + stride] = word >>> 8;
  planes[at + 2 * stride] = word >>> 16;
  planes[at + 3 * stride] = word >>> 24;
}

function wordAt(planes: Uint8Array, at: number, stride: number): number {
  return (
    (planes[at] ?? 0) |
    ((planes[at + stride] ?? 0) << 8) |
    ((planes[at + 2 * stride] ?? 0) << 16) |
    ((planes[at + 3 * stride] ?? 0) << 24)
  );
}
