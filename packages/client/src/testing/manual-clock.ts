/**
 * A clock for tests: time stands still until the test lets a timer fire.
 */
import type { Clock } from "../clock.ts";

interface ManualTimer {
  readonly delayMs: number;
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Timers wait until `fire`. `random` is 0 unless set, so that the first retries come after 250 ms. */
export class ManualClock implements Clock {
  nowMs = 1_000_000;
  chance = 0;
  #timers: ManualTimer[] = [];
  #added = Promise.withResolvers<void>();

  now(): number {
    return this.nowMs;
  }

  random(): number {
    return this.chance;
  }

  startTimer(callback: () => void, delayMs: number): () => void {
    const timer = { delayMs, dueMs: this.nowMs + delayMs, callback };
    this.#timers.push(timer);
    this.#added.resolve();
    this.#added = Promise.withResolvers<void>();
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** The delays of the timers that wait. */
  get delays(): number[] {
    return this.#timers.map((timer) => timer.delayMs);
  }

  /** Waits for a timer of this delay, moves the time to when it is due (and `lateMs` further), and lets it fire. */
  async fire(delayMs: number, lateMs = 0): Promise<void> {
    for (;;) {
      const timer = this.#timers.find((other) => other.delayMs === delayMs);
      if (timer === undefined) {
        await this.#added.promise;
        continue;
      }
      this.#timers = this.#timers.filter((other) => other !== timer);
      this.nowMs = Math.max(this.nowMs, timer.dueMs) + lateMs;
      timer.callback();
      return;
    }
  }
}
