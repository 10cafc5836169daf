/**
 * Carries the steps of a search from the thread that sends them to the one who
 * asks for them. A search runs ahead of a client that reads slowly, up to a
 * page; what all of them have waiting has one bound, and the one that has most
 * must go when it is reached.
 */
import { EngineError } from "../engine-error.ts";

/** Part of an answer, as far as its size goes. */
interface Sized {
  readonly entries?: { readonly bytes: Uint8Array; readonly offsets: Float64Array } | undefined;
}

/** What an entry takes besides its bytes: offset, time of arrival, end. */
const bytesBesidesEntry = 20;

/** Bounds what waits in the queues of all searches together. */
export class WaitingSteps {
  readonly #bytesMax: number;
  readonly #queues = new Set<StepQueue<Sized>>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A queue has something that waits. */
  add(queue: StepQueue<Sized>): void {
    this.#queues.add(queue);
    let bytes = 0;
    let largest = queue;
    for (const each of this.#queues) {
      bytes += each.bytes;
      if (each.bytes > largest.bytes) largest = each;
    }
    if (bytes <= this.#bytesMax) return;
    const reason = `the answers of all searches that wait for their clients have ${bytes} bytes, at most ${this.#bytesMax} may wait; this search has the most, ${largest.bytes}`;
    largest.refuse(new EngineError("unavailable", reason));
  }

  /** A queue has nothing that waits any more. */
  delete(queue: StepQueue<Sized>): void {
    this.#queues.delete(queue);
  }
}

/** A queue between a search's messages and an async loop. */
export class StepQueue<Step extends Sized> implements AsyncIterable<Step> {
  readonly #waiting: WaitingSteps;
  readonly #stop = new AbortController();
  #steps: Step[] = [];
  #bytes = 0;
  #ended: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(waiting: WaitingSteps) {
    this.#waiting = waiting;
  }

  /** Aborts when the search is no longer of use: nobody asks any more, or the queue was refused. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Bytes of what was pushed and not taken yet. */
  get bytes(): number {
    return this.#bytes;
  }

  push(step: Step): void {
    if (this.#stop.signal.aborted) return;
    this.#steps.push(step);
    this.#bytes += sizeOf(step);
    this.#wake?.();
    this.#waiting.add(this);
  }

  /** The queue ends when the search does; when that fails, with its error. */
  follow(search: Promise<unknown>): void {
    search.then(
      () => this.#end({}),
      (error: unknown) => this.refuse(error),
    );
  }

  /** Ends the queue with an error, which is told at once: an abort must not wait for its reader. */
  refuse(error: unknown): void {
    this.#end({ error });
    this.#empty();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Step, void, undefined> {
    try {
      for (;;) {
        const step = this.#take();
        if (step !== undefined) yield step;
        else if (this.#ended !== undefined && "error" in this.#ended) throw this.#ended.error;
        else if (this.#ended !== undefined) return;
        else await this.#moved();
      }
    } finally {
      this.#empty();
    }
  }

  #take(): Step | undefined {
    const step = this.#steps.shift();
    if (step === undefined) return undefined;
    this.#bytes -= sizeOf(step);
    if (this.#steps.length === 0) this.#waiting.delete(this);
    return step;
  }

  #empty(): void {
    this.#stop.abort();
    this.#steps = [];
    this.#bytes = 0;
    this.#waiting.delete(this);
  }

  /** The first error counts, also after a clean end: what waited is gone then. */
  #end(how: { readonly error?: unknown }): void {
    const isOver = this.#ended !== undefined && ("error" in this.#ended || !("error" in how));
    if (!isOver) this.#ended = how;
    this.#wake?.();
  }

  #moved(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function sizeOf({ entries }: Sized): number {
  return entries === undefined ? 0 : entries.bytes.length + entries.offsets.length * bytesBesidesEntry;
}
