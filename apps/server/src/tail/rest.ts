/**
 * How often a tail looks at the log. Each look costs about 3 µs and each
 * response about 60 µs, whatever is in it. So a tail that has just looked
 * rests before the next look, the longer the more tails are open: many commits
 * make one response then. One tail alone never rests, and after a silence
 * nobody does: the first entry goes at once.
 *
 *   tails    1    100    500    1 000 and more
 *   rest     0    14     70     140 ms
 *
 * Rests end on a grid of moments, so that tails of one connection send
 * together: their frames then take one write to the socket.
 */

/** What an open tail adds to the rest of each. */
const restMsPerTail = 0.14;

/** The longest rest: with it and the time to send, entries reach a thousand readers within a quarter of a second. */
const restMsMax = 140;

/** Between two moments of the grid. */
const gridMs = 10;

/** How long each of so many tails rests, in milliseconds. */
export function restMsOf(openTails: number): number {
  return Math.floor(Math.min(restMsMax, openTails * restMsPerTail));
}

/** One tail's rests. */
export class Rest {
  readonly #stop: AbortSignal;
  readonly #end = () => {
    this.#resolve?.();
    this.#resolve = undefined;
  };
  #resolve: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param stop Ends a rest at once. */
  constructor(stop: AbortSignal) {
    this.#stop = stop;
    stop.addEventListener("abort", this.#end);
  }

  /** Rests for about so long. */
  take(ms: number): Promise<void> {
    if (this.#stop.aborted) return Promise.resolve();
    const wake = performance.now() + ms;
    const late = ms > gridMs ? gridMs - (wake % gridMs) : 0;
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#timer = setTimeout(this.#end, ms + late).unref();
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stop.removeEventListener("abort", this.#end);
  }
}
