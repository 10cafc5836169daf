/**
 * Buffers that are used again. V8 collects garbage after so many bytes of
 * array buffers, however little else there is: at the speed of the wire ten
 * times a second, each time looking through the whole heap.
 */

/** Some buffers of one size, for whoever needs one for a moment. */
export class SpareBuffers {
  readonly #bufferBytes: number;
  readonly #countMax: number;
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  /**
   * @param bufferBytes The size of each.
   * @param countMax How many are kept.
   */
  constructor(bufferBytes: number, countMax: number) {
    this.#bufferBytes = bufferBytes;
    this.#countMax = countMax;
  }

  /** A buffer of the one size, or, for more bytes, of just these. What is in it is of no meaning. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > this.#bufferBytes) return new Uint8Array(bytes);
    return this.#spare.pop() ?? new Uint8Array(this.#bufferBytes);
  }

  /** Whether `giveBack` would keep a buffer: it is of the one size. */
  isOurs(buffer: ArrayBufferLike): boolean {
    return buffer.byteLength === this.#bufferBytes;
  }

  /** Takes a buffer back. Nobody may use it any more. Others than those of the one size are let go. */
  giveBack(buffer: ArrayBufferLike): void {
    if (!(buffer instanceof ArrayBuffer) || !this.isOurs(buffer)) return;
    if (this.#spare.length < this.#countMax) this.#spare.push(new Uint8Array(buffer));
  }
}
