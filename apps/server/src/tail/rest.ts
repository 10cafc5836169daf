/**
 * How often a tail looks at the log. Each look and each response costs some
 * microseconds, whatever is in it. So a tail that has just looked rests before
 * the next look, the longer the more tails are open: many commits make one
 * response then. One tail alone never rests, and after a silence nobody does:
 * the first entry goes at once.
 *
 *   tails    1    100    500    1 000 and more
 *   rest     0    14     70     140 ms
 *
 * Rests end together, on a grid of moments with one timer each: tails that
 * wake together see the same blocks, so what is made for one of them serves
 * all with its filter, and frames of one connection take one write to the
 * socket.
 */

/** What an open tail adds to the rest of each. */
const restMsPerTail = 0.14;

/** The longest rest: with it and the time to send, entries reach a thousand readers within a quarter of a second. */
const restMsMax = 140;

/** Between two moments of the grid; of the grid for short rests. */
const gridMs = 10;
const fineGridMs = 1;

/** How long each of so many tails rests, in milliseconds. */
export function restMsOf(openTails: number): number {
  return Math.floor(Math.min(restMsMax, openTails * restMsPerTail));
}

/** Who rests until a moment of the grid, by moment. */
const moments = new Map<number, Set<Rest>>();

/** One tail's rests. */
export class Rest {
  readonly #stop: AbortSignal;
  readonly #end = () => this.end();
  #resolve: (() => void) | undefined;
  #resting: Set<Rest> | undefined;

  /** @param stop Ends a rest at once. */
  constructor(stop: AbortSignal) {
    this.#stop = stop;
    stop.addEventListener("abort", this.#end);
  }

  /** Rests for about so long. */
  take(ms: number): Promise<void> {
    if (this.#stop.aborted) return Promise.resolve();
    this.#resting = restingUntil(performance.now() + ms, ms > gridMs ? gridMs : fineGridMs);
    this.#resting.add(this);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Ends a rest, if there is one. */
  end(): void {
    this.#resolve?.();
    this.#resolve = undefined;
  }

  close(): void {
    this.#resting?.delete(this);
    this.#resting = undefined;
    this.#stop.removeEventListener("abort", this.#end);
  }
}

/** Those who rest until the first moment of a grid that is not before `wake`. */
function restingUntil(wake: number, stepMs: number): Set<Rest> {
  const moment = Math.ceil(wake / stepMs) * stepMs;
  const known = moments.get(moment);
  if (known !== undefined) return known;
  const resting = new Set<Rest>();
  moments.set(moment, resting);
  const ring = (): void => {
    moments.delete(moment);
    for (const rest of resting) rest.end();
    // A tail that has nothing to do keeps the set of its last rest, and must not keep the others in it.
    resting.clear();
  };
  setTimeout(ring, moment - performance.now()).unref();
  return resting;
}
