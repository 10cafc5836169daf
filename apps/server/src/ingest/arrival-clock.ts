/** The time of arrival, for entries that bring no time of their own. */
import { Nanoseconds } from "./nanoseconds.ts";

/**
 * A clock of Unix nanoseconds that follows the wall clock and never stands
 * still nor goes back, so that entries which arrive in the same millisecond
 * keep their order when sorted by time.
 */
export class ArrivalClock {
  readonly #wallClockMs: () => number;
  readonly #now = new Nanoseconds();
  readonly #last = new Nanoseconds();

  /** @param wallClockMs Tells Unix milliseconds. */
  constructor(wallClockMs: () => number = Date.now) {
    this.#wallClockMs = wallClockMs;
  }

  /** The time of an arrival, later than the one before. To be copied: the next tick changes it. */
  tick(): Nanoseconds {
    this.#now.setProduct(this.#wallClockMs(), 1_000_000);
    if (this.#now.isAfter(this.#last)) this.#last.set(this.#now.low, this.#now.high);
    else this.#last.advance();
    return this.#last;
  }
}
