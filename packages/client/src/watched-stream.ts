/**
 * A server stream that is read message by message, and given up when it is
 * silent for too long: a connection can die without anybody saying so.
 *
 * Only silence while somebody waits for a message counts. A reader that is slow
 * does not make the stream look dead.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "./clock.ts";

/** A message, or why there will be none. */
export type Received<T> =
  | { readonly kind: "message"; readonly message: T }
  | { readonly kind: "broken"; readonly error: ConnectError };

/**
 * A timer that comes later than this tells that this process, tab or machine
 * stood still. What the server sent meanwhile may wait to be read.
 */
const latenessMsMax = 1_000;

/**
 * How long to go on reading then, once: in a hidden page all timers may come
 * late (https://developer.chrome.com/blog/timer-throttling-in-chrome-88).
 */
const graceMs = 5_000;

/** How late a heartbeat may be that is asked for by `check`. */
const heartbeatLatenessMs = 2_000;

/** A reader that waits for a message. */
interface Waiting {
  readonly sinceMs: number;
  readonly fail: (error: ConnectError) => void;
  /** Fails it after so long from now, and not when it would have. */
  readonly failAfter: (delayMs: number) => void;
  readonly stopWatch: () => void;
}

/** One RPC's responses. */
export class WatchedStream<T> {
  readonly #clock: Clock;
  readonly #rpc = new AbortController();
  readonly #iterator: AsyncIterator<T>;
  #waiting: Waiting | undefined;
  #closed = false;

  /** The longest silence to bear, in milliseconds. May be changed between messages. */
  silenceMsMax: number;

  /** @param open Starts the RPC; the signal cancels it. */
  constructor(open: (signal: AbortSignal) => AsyncIterable<T>, clock: Clock, silenceMsMax: number) {
    this.#clock = clock;
    this.silenceMsMax = silenceMsMax;
    this.#iterator = open(this.#rpc.signal)[Symbol.asyncIterator]();
  }

  /** The next message. After `broken` there is no more. */
  async receive(): Promise<Received<T>> {
    if (this.#closed) return { kind: "broken", error: closedError() };
    const { promise, resolve } = Promise.withResolvers<Received<T>>();
    const fail = (error: ConnectError): void => resolve({ kind: "broken", error });
    const waiting = this.#watch(fail);
    this.#waiting = waiting;
    this.#iterator.next().then(
      ({ done, value }) =>
        done
          ? fail(new ConnectError("the server ended the stream", Code.Unavailable))
          : resolve({ kind: "message", message: value }),
      (reason: unknown) => fail(ConnectError.from(reason)),
    );
    const received = await promise;
    waiting.stopWatch();
    this.#waiting = undefined;
    if (received.kind === "broken") this.close();
    return received;
  }

  /**
   * Gives the stream up now when at least half the silence it may keep has passed: when a heartbeat is
   * overdue. Else as soon as one is, and not only after the whole.
   */
  check(): void {
    if (this.#waiting === undefined) return;
    const silenceMs = this.#clock.now() - this.#waiting.sinceMs;
    const leftMs = this.silenceMsMax / 2 - silenceMs;
    if (leftMs < 0) this.#waiting.fail(silenceError(silenceMs));
    else this.#waiting.failAfter(leftMs + heartbeatLatenessMs);
  }

  /** Cancels the RPC. A waiting `receive` answers at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting?.fail(closedError());
    this.#rpc.abort();
  }

  #watch(fail: (error: ConnectError) => void): Waiting {
    const sinceMs = this.#clock.now();
    let cancel: () => void;
    const start = (delayMs: number, isGrace = false): void => {
      const dueMs = this.#clock.now() + delayMs;
      cancel = this.#clock.startTimer(() => {
        const isLate = this.#clock.now() - dueMs > latenessMsMax;
        if (isLate && !isGrace) start(graceMs, true);
        else fail(silenceError(this.#clock.now() - sinceMs));
      }, delayMs);
    };
    start(this.silenceMsMax);
    const failAfter = (delayMs: number): void => {
      cancel();
      start(delayMs);
    };
    return { sinceMs, fail, failAfter, stopWatch: () => cancel() };
  }
}

function silenceError(silenceMs: number): ConnectError {
  return new ConnectError(`nothing was heard from the server for ${silenceMs} ms`, Code.Unavailable);
}

function closedError(): ConnectError {
  return new ConnectError("the stream was closed", Code.Canceled);
}
