/**
 * Time and chance as the clients use them, in one place, so that tests can
 * hold the clock and nobody else notices that it is there.
 */

/** Where waiting and jitter come from. Only tests give another than `systemClock`. */
export interface Clock {
  /** Milliseconds since the Unix epoch. It counts while a machine sleeps, unlike a monotonic clock. */
  now(): number;
  /** Calls back once, after so many milliseconds. Returns what cancels it. */
  startTimer(callback: () => void, delayMs: number): () => void;
  /** From 0 to 1, 1 not in it. */
  random(): number;
}

/** The runtime's own. */
export const systemClock: Clock = {
  now: () => Date.now(),
  // Not unref'd: whoever waits for a retry wants the process to live until it.
  startTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
