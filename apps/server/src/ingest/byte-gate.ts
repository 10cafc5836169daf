/**
 * The bound on bytes that were received and not yet answered, for one stream
 * or for all ingest. What is received counts at once; past the bound the
 * readers of streams wait, so that HTTP/2 flow control (or TCP) holds their
 * clients. So the bound is exceeded by one message a stream at the most, and
 * by unary calls, which have a bound of their own (wire/receive-bound.ts).
 */

/** Counts bytes in flight and makes readers wait while they are too many. */
export class ByteGate {
  readonly #bytesMax: number;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  /** @param bytesMax From so many bytes on readers wait. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes in flight now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts received bytes. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Takes answered bytes off, and lets the readers go on, first come first, when there is room. */
  release(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes >= this.#bytesMax) return;
    const woken = this.#waiting;
    this.#waiting = [];
    for (const wake of woken) wake();
  }

  /** Resolves when there is room; undefined when there is some now. */
  room(): Promise<void> | undefined {
    if (this.#bytes < this.#bytesMax) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
