/** What a signal means to a command that sends lines: stop reading, later give up what is not acknowledged. */
import { exitCodes } from "../exit-code.ts";
import type { Interruption } from "../interruption.ts";

/** When to stop what. A second signal ends the program at once, see interruption.ts. */
export interface Stop {
  /** Aborts when nothing more is to be read. */
  readonly reading: AbortSignal;
  /** Aborts when the time is over that what was read has to be acknowledged. */
  readonly giveUp: AbortSignal;
  /** Forgets the signals: everything is done. */
  done(): void;
}

/**
 * Ctrl-C reaches the program before us in a pipe as well: its last words are
 * still read, but not for longer than this.
 */
const lastWordsMs = 5_000;

/** How long what was read may take to be acknowledged after a signal. */
const flushMs = 10_000;

/** @param readsPipe Whether a program before us in a pipe is read. */
export function createStop(interruption: Interruption, readsPipe: boolean): Stop {
  const reading = new AbortController();
  const giveUp = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  interruption.signal.addEventListener("abort", () => {
    const isCtrlC = interruption.exitCode === exitCodes.interrupted;
    const readMs = isCtrlC && readsPipe ? lastWordsMs : 0;
    timers.push(setTimeout(() => reading.abort(), readMs));
    timers.push(setTimeout(() => giveUp.abort(), readMs + flushMs));
  });
  return {
    reading: reading.signal,
    giveUp: giveUp.signal,
    done: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
