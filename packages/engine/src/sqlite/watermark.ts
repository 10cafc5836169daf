/**
 * The part of the log that can be read, and who waits for more of it. One
 * commit wakes all that wait; waiting costs a reader one small object.
 */
import type { EngineError } from "../engine-error.ts";

/** Oldest and newest readable offset. */
export class Watermark {
  #oldest: number;
  #offset: number;
  #ended: EngineError | undefined;
  #sleepers = new Set<Sleeper>();

  /**
   * @param oldest The first offset that can be read, or the next to come.
   * @param offset The last offset that can be read; `oldest - 1` when there is none.
   */
  constructor(oldest: number, offset: number) {
    this.#oldest = oldest;
    this.#offset = offset;
  }

  /** The first offset that can be read, or the next to come. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The last offset that can be read. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether somebody waits for more. */
  get isAwaited(): boolean {
    return this.#sleepers.size > 0;
  }

  /** @throws EngineError the one that the log ended with, once it has. */
  check(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  /** The log can be read up to here. Nobody is woken for what they have: a commit may hold nothing but repeats. */
  advance(offset: number): void {
    if (offset === this.#offset) return;
    this.#offset = offset;
    this.#wakeAll();
  }

  /**
   * The log begins here now. Readers who are behind learn of it at their next step.
   *
   * The disk may say so before the commits up to there are known here: until they are, nothing lies behind the
   * watermark, neither an entry nor a gap.
   */
  trim(oldest: number): void {
    this.#oldest = Math.max(this.#oldest, Math.min(oldest, this.#offset + 1));
  }

  /** Nothing will be read any more. The first call counts. */
  end(error: EngineError): void {
    this.#ended ??= error;
    this.#wakeAll();
  }

  /** Wakes this sleeper at the next move, or when the log ends. */
  add(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
  }

  /** It was woken otherwise. */
  remove(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
  }

  #wakeAll(): void {
    const sleepers = this.#sleepers;
    this.#sleepers = new Set();
    for (const sleeper of sleepers) sleeper.wake("moved");
  }
}

/** What ended a sleep. */
export type Wake = "moved" | "idle" | "aborted";

/** A reader's waiting: for the watermark, its signal and its idle time, with one listener and one timer for all its life. */
export class Sleeper {
  readonly #watermark: Watermark;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #abort = () => this.wake("aborted");
  #resolve: ((wake: Wake) => void) | undefined;

  constructor(watermark: Watermark, { signal, idleMs }: { signal?: AbortSignal; idleMs?: number }) {
    this.#watermark = watermark;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort);
    if (idleMs === undefined) return;
    // Ringing while the reader is at work is of no consequence: each sleep sets it anew.
    this.#timer = setTimeout(() => this.wake("idle"), idleMs).unref();
  }

  /** Sleeps until something happens. To be called when there is nothing to read. */
  sleep(): Promise<Wake> {
    if (this.#signal?.aborted) return Promise.resolve("aborted");
    this.#timer?.refresh();
    this.#watermark.add(this);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Ends a sleep, if there is one. */
  wake(why: Wake): void {
    if (this.#resolve === undefined) return;
    this.#watermark.remove(this);
    this.#resolve(why);
    this.#resolve = undefined;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#abort);
  }
}
