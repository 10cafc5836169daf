/**
 * Unix nanoseconds as two 32-bit words: more than a number holds exactly, and
 * a bigint for each entry would be garbage for each entry. So would be a word
 * beyond 2^31, which V8 keeps as a double: words are signed.
 */

/** A time, or another whole number from 0 and below 2^63, to be used again and again. */
export class Nanoseconds {
  /** The lower 32 bits, as a signed number. */
  low = 0;
  /** The upper ones, from 0. */
  high = 0;

  /** Sets both words. */
  set(low: number, high: number): void {
    this.low = low;
    this.high = high;
  }

  /**
   * Sets the time to `time` × `scale`, exactly.
   *
   * @param time A whole number from 0, safe.
   * @param scale A whole number from 1 to 1e9, such that the product is below 2^63.
   */
  setProduct(time: number, scale: number): void {
    // In halves of 22 bits, so that no product of one with the scale has more than 53.
    const upper = Math.floor(time / 0x400000);
    const product = upper * scale;
    const shifted = Math.floor(product / 0x400);
    const rest = (product - shifted * 0x400) * 0x400000 + (time - upper * 0x400000) * scale;
    this.low = rest | 0;
    this.high = shifted + Math.floor(rest / 0x100000000);
  }

  /** Whether this is later than another time. */
  isAfter(other: Nanoseconds): boolean {
    return this.high === other.high ? this.low >>> 0 > other.low >>> 0 : this.high > other.high;
  }

  /** One nanosecond later. */
  advance(): void {
    this.low = (this.low + 1) | 0;
    if (this.low === 0) this.high += 1;
  }

  /** The same as a bigint. */
  toBigInt(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }
}
