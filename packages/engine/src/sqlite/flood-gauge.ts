/**
 * Tells a flood of writes, in which merging had better wait: fresh blocks are
 * complete, so all that suffers are searches, and those only once much waits.
 */

/** Weight that is written in a second from which on it is a flood: a quarter of a million small entries. */
const floodWeightPerSecond = 32 * 1024 * 1024;

/** How long what is written is summed up, in milliseconds. A flood is over when nothing came for twice as long. */
export const floodWindowMs = 250;

/** Weighs what is written. Weight: see `weightOf`. */
export class FloodGauge {
  readonly #behindMax: number;
  readonly #now: () => number;
  #startedAtMs: number;
  #weight = 0;
  /** Whether the window before this one was a flood. */
  #wasFlood = false;
  #behind = 0;

  /**
   * @param behindMax Weight that may wait: with more, a flood is none.
   * @param now A clock, in milliseconds.
   */
  constructor(behindMax: number, now: () => number = () => performance.now()) {
    this.#behindMax = behindMax;
    this.#now = now;
    this.#startedAtMs = now();
  }

  /** True: merging should wait. */
  get isFlood(): boolean {
    const isRecent = this.#now() - this.#startedAtMs < 2 * floodWindowMs;
    return this.#wasFlood && isRecent && this.#behind < this.#behindMax;
  }

  /** So much was written. */
  wrote(weight: number): void {
    this.#behind += weight;
    this.#weight += weight;
    const elapsedMs = this.#now() - this.#startedAtMs;
    if (elapsedMs < floodWindowMs) return;
    this.#wasFlood = (this.#weight / elapsedMs) * 1_000 >= floodWeightPerSecond;
    this.#weight = 0;
    this.#startedAtMs = this.#now();
  }

  /** So much was merged. */
  merged(weight: number): void {
    this.#behind = Math.max(0, this.#behind - weight);
  }

  /** No more than so much waits. */
  caughtUp(behind: number): void {
    this.#behind = behind;
  }
}
