/**
 * The resumable tail: TailLogs again and again, so that whoever reads it sees
 * each matching entry once, in order, whatever happens to the connection.
 *
 *   connecting ─▶ live ◀─▶ behind     a break leads to `retrying`, and after a
 *       ▲          │         │        wait to `connecting` with the last cursor;
 *       └─ retrying ◀────────┘        an error that no retry mends, an abort or
 *              └──────▶ closed        `return` leads to `closed`
 *
 * What makes it exact: every response carries the cursor to resume after it,
 * and a response is delivered whole or not at all. There is no queue: the next
 * response is asked for when the reader asks for the next event, so a slow
 * reader holds back the server by HTTP's flow control.
 *
 * Where connections are few, a gate lets tails take turns (connection-gate.ts).
 * That is no break: the state stays as it was until the wait is a long one.
 */
import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { type LogService, limits, type StoredEntry, type TailLogsResponse } from "@logsvc/proto";
import { backoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { ConnectionGate, ConnectionPass } from "./connection-gate.ts";
import { type LogTime, toWireTime } from "./log-entry-init.ts";
import { isRetryable } from "./retryable.ts";
import { WatchedStream } from "./watched-stream.ts";

/** What to follow, and from where. Without a cursor, `last` and `since`: from the next entry accepted. */
export interface TailOptions {
  /** Which entries, in the filter language. Default: all. At most 8 KiB. */
  readonly filter?: string;
  /** Resume after this position: an event's or a tail's `cursor`. */
  readonly cursor?: string;
  /** Begin with the last N stored entries that match, from 0 to 10 000. Of no meaning with a cursor. */
  readonly last?: number;
  /** Only entries whose timestamp is this or later, stored ones included. */
  readonly since?: LogTime;
  /** Aborting ends the tail at once; its iteration then ends without an error. */
  readonly signal?: AbortSignal;
  /** Called whenever the state changes. */
  readonly onState?: (state: TailState) => void;
}

/** What a tail comes upon. `cursor` is where to resume after it: keep it together with what was made of the event. */
export type TailEvent =
  | {
      readonly kind: "entries";
      /** At least one, in the order of the log. */
      readonly entries: StoredEntry[];
      readonly cursor: string;
    }
  | {
      /** Entries were deleted before this tail had read them: those after `from` up to and with `to`. */
      readonly kind: "gap";
      readonly from: string;
      readonly to: string;
      /** How many, matching or not. */
      readonly count: number;
      readonly cursor: string;
    };

/** How a tail stands. */
export type TailState =
  /**
   * Opening the connection. `attempt` counts from 1, anew after each success. `waiting`: other tails have
   * had all the connections there are for 10 seconds or more; entries come when it is this one's turn.
   */
  | { readonly kind: "connecting"; readonly attempt: number; readonly waiting?: true }
  /** Open, and at the end of the log as far as the server has told. */
  | { readonly kind: "live" }
  /** Open, and the server has told that so many entries are left to read, matching or not. */
  | { readonly kind: "behind"; readonly lag: number }
  /** Broken by `error`; the next attempt comes after `delayMs`, or at once with `wake`. `attempt`: how many failed in a row. */
  | {
      readonly kind: "retrying";
      readonly error: ConnectError;
      readonly attempt: number;
      readonly delayMs: number;
    }
  /** Over. `error`: why, when it was not ended by its reader. */
  | { readonly kind: "closed"; readonly error?: ConnectError };

const transitions: Readonly<Record<TailState["kind"], readonly TailState["kind"][]>> = {
  connecting: ["connecting", "live", "behind", "retrying", "closed"],
  live: ["connecting", "behind", "retrying", "closed"],
  behind: ["connecting", "live", "behind", "retrying", "closed"],
  retrying: ["connecting", "closed"],
  closed: [],
};

/** A wait for a connection that is shorter is not shown: the tail is about as live as it was. */
const hiddenWaitMs = 10_000;

/**
 * A connection that lasted so long, though it brought nothing, was no failure
 * to connect: some proxies cut every stream after some seconds.
 */
const steadyMsMin = 5_000;

/** The present connection. */
interface Connection {
  /** Where it began. */
  cursor: string;
  /** When it was opened. */
  openedMs: number;
  /** How far behind it was told to be. */
  lag: number;
  /** After a turn of others there is something to catch up with. That is not told, unless it lasts. */
  isExcused: boolean;
}

const noConnection: Readonly<Connection> = {
  cursor: "",
  openedMs: Number.POSITIVE_INFINITY,
  lag: 0,
  isExcused: false,
};

/** What a tail works with. */
export interface TailContext {
  readonly rpc: Client<typeof LogService>;
  readonly clock: Clock;
  readonly gate: ConnectionGate;
  /** Called when the server tells that nothing is left to read for now. */
  readonly onCaughtUp?: () => void;
}

/** A live view of the log, for one reader: `for await (const event of tail)`. It connects with the first step. */
export class Tail implements AsyncIterable<TailEvent> {
  readonly #context: TailContext;
  readonly #options: TailOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #state: TailState = { kind: "connecting", attempt: 1 };
  #cursor: string;
  #failures = 0;
  #iterated = false;
  #stream: WatchedStream<TailLogsResponse> | undefined;
  #endPause: (() => void) | undefined;
  #connection: Connection = { ...noConnection };

  /**
   * Made by `LogClient.tail`.
   *
   * @internal
   * @throws RangeError when `last` is out of its range.
   */
  constructor(context: TailContext, options: TailOptions) {
    const { last = 0 } = options;
    if (!Number.isInteger(last) || last < 0 || last > limits.pageEntriesMax) {
      throw new RangeError(`Expected last to be an integer from 0 to ${limits.pageEntriesMax}, got ${last}`);
    }
    this.#context = context;
    this.#options = options;
    this.#clock = context.clock;
    this.#cursor = options.cursor ?? "";
  }

  /** How it stands now. */
  get state(): TailState {
    return this.#state;
  }

  /**
   * Where to resume after everything delivered so far. It advances also when
   * nothing matches. Empty: not yet known.
   */
  get cursor(): string {
    return this.#cursor;
  }

  /**
   * Tries now: ends the wait of `retrying`, and gives a connection up whose
   * heartbeat is overdue. To be called when the network came back or the
   * machine woke up.
   */
  wake(): void {
    this.#endPause?.();
    this.#stream?.check();
  }

  /**
   * The events. They end when the signal aborts or the iterator's `return` is
   * called, which cancels the RPC at once.
   *
   * @throws ConnectError that no retry mends, in a step: InvalidArgument (see
   *   `filterErrorOf`), OutOfRange (the cursor is of another log),
   *   Unauthenticated, PermissionDenied and the like. Error, at once, when the
   *   tail has a reader already.
   */
  [Symbol.asyncIterator](): AsyncIterator<TailEvent, void, undefined> {
    if (this.#iterated) throw new Error("A tail has one reader, and this one has its already: open another");
    this.#iterated = true;
    const events = this.#run();
    return {
      next: () => events.next(),
      // A generator's own `return` would wait for the message it awaits.
      return: () => {
        this.#stop.abort();
        return events.return();
      },
    };
  }

  async *#run(): AsyncGenerator<TailEvent, void, undefined> {
    const { signal } = this.#options;
    const stop = (): void => this.#stop.abort();
    const onStop = (): void => {
      this.#endPause?.();
      this.#stream?.close();
    };
    signal?.addEventListener("abort", stop);
    this.#stop.signal.addEventListener("abort", onStop);
    let error: ConnectError | undefined;
    try {
      if (signal?.aborted) stop();
      this.#options.onState?.(this.#state);
      error = yield* this.#follow();
      if (error !== undefined) throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
      this.#enter({ kind: "closed", ...(error && { error }) });
    }
  }

  /** Connects until stopped. Returns the error that no retry mends, or nothing. */
  async *#follow(): AsyncGenerator<TailEvent, ConnectError | undefined, undefined> {
    while (!this.#stop.signal.aborted) {
      const pass = await this.#enterGate();
      if (pass === undefined || this.#stop.signal.aborted) {
        pass?.release();
        break;
      }
      const error = yield* this.#connect(pass);
      if (this.#stop.signal.aborted) break;
      if (error === undefined) continue;
      if (!isRetryable(error)) return error;
      await this.#pause(error);
      if (this.#stop.signal.aborted) break;
      this.#enter({ kind: "connecting", attempt: this.#failures + 1 });
    }
    return undefined;
  }

  /** Waits for leave to connect. Undefined: stopped. */
  async #enterGate(): Promise<ConnectionPass | undefined> {
    const attempt = this.#failures + 1;
    const showWait = (): void => this.#enter({ kind: "connecting", attempt, waiting: true });
    const cancel = this.#clock.startTimer(showWait, hiddenWaitMs);
    try {
      const { signal } = this.#stop;
      return await this.#context.gate.enter({ signal, mayLeave: () => this.#mayLeave() });
    } finally {
      cancel();
    }
  }

  /** Whether this connection has moved the tail on, or there was nothing to move to. */
  #mayLeave(): boolean {
    const { cursor, openedMs, lag } = this.#connection;
    if (openedMs > this.#clock.now() || this.#cursor === "") return false;
    return lag === 0 || this.#cursor !== cursor;
  }

  /** One connection. Returns the error that ended it, or nothing when it was recalled. */
  async *#connect(pass: ConnectionPass): AsyncGenerator<TailEvent, ConnectError | undefined, undefined> {
    const stream = this.#open();
    const giveUp = (): void => stream.close();
    pass.recalled.addEventListener("abort", giveUp);
    if (pass.recalled.aborted) giveUp();
    try {
      for (;;) {
        const received = await stream.receive();
        if (received.kind === "broken") return pass.recalled.aborted ? undefined : received.error;
        const { message } = received;
        if (message.event.case === "opened") this.#enterOpened(message.event.value.heartbeatIntervalMs);
        // A server that accepts and dies at once must not be asked in a tight loop.
        else this.#failures = 0;
        const event = this.#take(message);
        if (event instanceof ConnectError) return event;
        if (event !== undefined) yield event;
      }
    } finally {
      stream.close();
      this.#stream = undefined;
      pass.recalled.removeEventListener("abort", giveUp);
      pass.release();
      if (this.#clock.now() - this.#connection.openedMs >= steadyMsMin) this.#failures = 0;
    }
  }

  #open(): WatchedStream<TailLogsResponse> {
    const { filter = "", last = 0, since } = this.#options;
    const request = { filter, cursor: this.#cursor, last, since: toWireTime(since) };
    const stream = new WatchedStream<TailLogsResponse>(
      (signal) => this.#context.rpc.tailLogs(request, { signal }),
      this.#clock,
      2 * limits.heartbeatIntervalMs,
    );
    const isExcused = this.#state.kind === "live" && this.#connection.lag === 0;
    this.#connection = { ...noConnection, cursor: this.#cursor, isExcused };
    this.#stream = stream;
    return stream;
  }

  #enterOpened(heartbeatIntervalMs: number): void {
    if (heartbeatIntervalMs > 0 && this.#stream) this.#stream.silenceMsMax = 2 * heartbeatIntervalMs;
    this.#connection.openedMs = this.#clock.now();
    // After a turn of others: still behind, as far as is known. A heartbeat follows if it is so.
    if (this.#state.kind !== "behind") this.#enter({ kind: "live" });
  }

  /** Moves the cursor after a response, and turns it into an event if it is one for the reader. */
  #take(response: TailLogsResponse): TailEvent | ConnectError | undefined {
    const { cursor, entries, event } = response;
    if (entries.length > 0 && cursor === "") {
      return new ConnectError("the server sent entries without a cursor to resume after them", Code.DataLoss);
    }
    if (cursor !== "") this.#cursor = cursor;
    if (entries.length > 0) return { kind: "entries", entries, cursor };
    if (event.case === "gap") {
      const { from, to, count } = event.value;
      return { kind: "gap", from, to, count: Number(count), cursor: this.#cursor };
    }
    if (event.case === "heartbeat") {
      const lag = Number(event.value.lag);
      this.#connection.lag = lag;
      if (lag === 0) this.#context.onCaughtUp?.();
      if (lag === 0) this.#enter({ kind: "live" });
      else if (!this.#connection.isExcused) this.#enter({ kind: "behind", lag });
      this.#connection.isExcused = false;
    }
    return undefined;
  }

  async #pause(error: ConnectError): Promise<void> {
    this.#failures++;
    const delayMs = backoffMs(error, this.#failures, this.#clock.random());
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#endPause = resolve;
    const cancel = this.#clock.startTimer(resolve, delayMs);
    try {
      this.#enter({ kind: "retrying", error, attempt: this.#failures, delayMs });
      await promise;
    } finally {
      cancel();
      this.#endPause = undefined;
    }
  }

  #enter(state: TailState): void {
    if (state.kind === "live" && this.#state.kind === "live") return;
    if (!transitions[this.#state.kind].includes(state.kind)) {
      throw new Error(`A tail can't go from ${this.#state.kind} to ${state.kind}`);
    }
    this.#state = state;
    this.#options.onState?.(state);
  }
}
