/**
 * One question at a time: a new one aborts the one before, and only the newest
 * answer is kept. While a new question is out the last answer stays, so that
 * what shows it need not flicker.
 *
 * A question can be asked again and again: only while the page is visible, and
 * with a pause of several times what the answer took, so that a server which is
 * slow is asked less.
 */

/** How a question stands. */
export interface RequestState<T> {
  /** The newest answer, perhaps to a question before this one. */
  readonly answer?: T;
  /** Why the newest question has no answer. */
  readonly error?: unknown;
  /** Whether the newest question is still out. */
  readonly pending: boolean;
}

/** Asks. Aborting the signal must end it. */
export type Call<T> = (signal: AbortSignal) => Promise<T>;

/** Options of `ask`. */
export interface AskOptions {
  /** Wait so long before asking, in milliseconds, so that only the last of many quick questions is asked. Default: 0. */
  readonly delayMs?: number;
  /** Ask again so long after the answer, in milliseconds, or later. Default: once. */
  readonly everyMs?: number;
  /** Keep the last answer until this one's. Default: true. */
  readonly keep?: boolean;
}

/** What it needs of the page. For tests. */
export interface PageClock {
  readonly now: () => number;
  readonly setTimer: (callback: () => void, delayMs: number) => () => void;
  readonly isHidden: () => boolean;
  /** Calls back whenever the page is shown again; returns how to stop that. */
  readonly onVisible: (callback: () => void) => () => void;
}

/** The page that this runs in. */
export const pageClock: PageClock = {
  now: () => performance.now(),
  setTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  isHidden: () => document.hidden,
  onVisible: (callback) => {
    const listener = (): void => {
      if (!document.hidden) callback();
    };
    document.addEventListener("visibilitychange", listener);
    return () => document.removeEventListener("visibilitychange", listener);
  },
};

/** Between two questions lies so many times what the first one's answer took. */
const restFactor = 5;

/** After errors the pause doubles, up to so many times. */
const errorPauseMax = 16;

/** Asks one question after the other. */
export class LatestRequest<T> {
  readonly #clock: PageClock;
  readonly #listeners = new Set<() => void>();
  #state: RequestState<T> = { pending: false };
  #abort: AbortController | undefined;
  #stopWaiting: (() => void) | undefined;
  #failures = 0;

  constructor(clock: PageClock = pageClock) {
    this.#clock = clock;
  }

  /** How the newest question stands; another object whenever that changes. */
  get state(): RequestState<T> {
    return this.#state;
  }

  /** Calls back when the state changes; returns how to stop that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks, in place of whatever was asked before. */
  ask(call: Call<T>, options: AskOptions = {}): void {
    const { delayMs = 0, keep = true } = options;
    this.stop();
    this.#failures = 0;
    const { answer } = this.#state;
    this.#setState({ ...(keep && answer !== undefined && { answer }), pending: true });
    if (delayMs === 0) this.#send(call, options);
    else this.#stopWaiting = this.#clock.setTimer(() => this.#send(call, options), delayMs);
  }

  /** Asks no more, and aborts what is out. */
  stop(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    this.#abort?.abort();
    this.#abort = undefined;
    if (this.#state.pending) this.#setState({ ...this.#state, pending: false });
  }

  #send(call: Call<T>, options: AskOptions): void {
    const abort = new AbortController();
    const sentMs = this.#clock.now();
    this.#stopWaiting = undefined;
    this.#abort = abort;
    const settle = (state: RequestState<T>): void => {
      if (abort.signal.aborted) return;
      this.#abort = undefined;
      this.#setState(state);
      this.#askAgain(call, options, this.#clock.now() - sentMs);
    };
    call(abort.signal).then(
      (answer) => {
        this.#failures = 0;
        settle({ answer, pending: false });
      },
      (error: unknown) => {
        this.#failures++;
        const { answer } = this.#state;
        settle({ ...(answer !== undefined && { answer }), error, pending: false });
      },
    );
  }

  #askAgain(call: Call<T>, options: AskOptions, tookMs: number): void {
    const { everyMs } = options;
    if (everyMs === undefined) return;
    const pause = everyMs * Math.min(2 ** this.#failures, errorPauseMax);
    const send = (): void => this.#send(call, options);
    this.#stopWaiting = this.#clock.setTimer(
      () => this.#whenVisible(send),
      Math.max(pause, tookMs * restFactor),
    );
  }

  #whenVisible(send: () => void): void {
    if (!this.#clock.isHidden()) {
      send();
      return;
    }
    const stop = this.#clock.onVisible(() => {
      stop();
      send();
    });
    this.#stopWaiting = stop;
  }

  #setState(state: RequestState<T>): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
