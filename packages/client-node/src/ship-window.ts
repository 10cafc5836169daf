/**
 * The one way in which batches are sent until they are answered: over ShipLogs,
 * several in flight, and all of those again after whatever breaks it.
 *
 *   push ─▶ window: batches not yet answered, oldest first
 *             │ ▲
 *    requests │ │ reconnected: all of the window again, with the same sequences
 *             ▼ │
 *          ShipLogs ─▶ answers, in order ─▶ leave the window ─▶ listener
 *
 * A batch keeps its producer and its sequences however often it is sent, so the
 * server stores it once. Entries that the server refuses for now (`retryable`)
 * stay at the front as batches of their own, with the sequences they have, and
 * go out again after a pause. A batch that is refused as a whole, by an error
 * that no retry mends, is sent once more alone, and then given to the listener:
 * one batch must not stop all that are behind it.
 */
import {
  backoffMs,
  type Clock,
  Code,
  ConnectError,
  encodedRequest,
  isRetryable,
  itemEnds,
  type Rejection,
  type WriteLogsRequest,
  type WriteLogsResponse,
} from "@logsvc/client";
import { Condition } from "./condition.ts";
import type { NodeLogClient } from "./node-client.ts";

/** Encoded entries with consecutive sequences. */
export interface WindowBatch<Source> {
  /** Field `entries` of WriteLogsRequest. */
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly producerId: string;
  readonly firstSequence: number;
  /** What was pushed for these entries: this batch is all of it, or what is left of it from `from` on. */
  readonly source: Source;
  readonly from: number;
}

/** What a connection is doing: the larger part of BatchSenderState and ShipperState. */
export type WindowState =
  /** Sending, and not yet answered. `attempt` counts from 1, anew after each answer. */
  | { readonly kind: "connecting"; readonly attempt: number }
  /** Sending, and being answered; or there is nothing to send. */
  | { readonly kind: "open" }
  /** Broken by `error`; the next attempt comes after `delayMs`. `attempt`: how many failed in a row. */
  | {
      readonly kind: "retrying";
      readonly error: ConnectError;
      readonly attempt: number;
      readonly delayMs: number;
    };

/** Whom a window tells. What it throws ends the window, and is told to `crashed`. */
export interface WindowListener<Source> {
  /** Some entries are on the server's disk. */
  accepted(source: Source, accepted: number, duplicates: number): void;
  /** The entry at `index` of the source is refused for good. */
  rejected(source: Source, index: number, reason: string): void;
  /** Every entry of the source is accepted or rejected. */
  done(source: Source): void;
  entered(state: WindowState): void;
  /** A connection failed. Returns how long the next one may be put off, in milliseconds; undefined: there is to be none. */
  failed(error: ConnectError): number | undefined;
  crashed(error: ConnectError): void;
}

/** Options of a ShipWindow. */
export interface WindowOptions {
  readonly clock: Clock;
  /** Without an answer for so long the connection is given up, in milliseconds. Default: 60 000; a disk may stall for seconds. */
  readonly answerTimeoutMs?: number;
  /**
   * The stream is ended after so long without a batch, in milliseconds, so that
   * it keeps no process alive. The next batch opens another one. Default: never.
   */
  readonly idleMs?: number;
}

const answerTimeoutMsDefault = 60_000;

/** How long the server may take to end the stream after everything was answered. */
const endTimeoutMs = 5_000;

/** Errors that speak of what was sent, and not of who sent it or of the server. */
const batchFaults: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.ResourceExhausted,
  Code.OutOfRange,
]);

/** One stream, and how much of the window it was sent. */
interface Connection {
  readonly rpc: AbortController;
  readonly watch: AnswerWatch;
  sent: number;
  over: boolean;
}

/** Sends what is pushed into it. Who pushes bounds it. */
export class ShipWindow<Source> {
  readonly #client: NodeLogClient;
  readonly #listener: WindowListener<Source>;
  readonly #clock: Clock;
  readonly #answerTimeoutMs: number;
  readonly #idleMs: number | undefined;
  /** Notified with every change. */
  readonly condition = new Condition();
  readonly #batches: WindowBatch<Source>[] = [];
  #state: WindowState = { kind: "connecting", attempt: 1 };
  #failures = 0;
  /** True: the first batch is suspected of having been refused as a whole, and is sent alone. */
  #isolating = false;
  #stopped = false;
  #ending = false;
  #running: Promise<void> | undefined;
  #connection: Connection | undefined;
  #endPause: (() => void) | undefined;

  constructor(client: NodeLogClient, listener: WindowListener<Source>, options: WindowOptions) {
    this.#client = client;
    this.#listener = listener;
    this.#clock = options.clock;
    this.#answerTimeoutMs = options.answerTimeoutMs ?? answerTimeoutMsDefault;
    this.#idleMs = options.idleMs;
  }

  /** Batches that are not answered. */
  get length(): number {
    return this.#batches.length;
  }

  get state(): WindowState {
    return this.#state;
  }

  /** Sends a batch after all before it. */
  push(source: Source, batch: Omit<WindowBatch<Source>, "source" | "from">): void {
    this.#batches.push({ ...batch, source, from: 0 });
    this.condition.notify();
    this.#running ??= this.#run();
  }

  /** Half-closes, and resolves when the stream has ended. Everything must be answered. */
  async end(): Promise<void> {
    this.#ending = true;
    this.condition.notify();
    this.#endPause?.();
    await this.#running;
  }

  /** Ends the stream at once; what is not answered stays so. */
  stop(): void {
    this.#stopped = true;
    this.#connection?.rpc.abort();
    this.#endPause?.();
    this.condition.notify();
  }

  async #run(): Promise<void> {
    try {
      await this.#connect();
    } catch (reason) {
      // Only the listener can have thrown: there is no going on without knowing what it was told.
      this.#stopped = true;
      this.#listener.crashed(ConnectError.from(reason, Code.Internal));
    }
  }

  /** Connects again and again, while there is something to send. */
  async #connect(): Promise<void> {
    this.#listener.entered(this.#state);
    while (!this.#isOver()) {
      if (this.#batches.length === 0 && this.#idleMs !== undefined) {
        await this.condition.changed();
        continue;
      }
      const error = await this.#ship();
      if (this.#isOver() || error === undefined) continue;
      this.#isolate(error);
      const delayMsMax = this.#listener.failed(error);
      if (delayMsMax === undefined) this.#stopped = true;
      else await this.#pause(error, delayMsMax);
    }
  }

  #isOver(): boolean {
    return this.#stopped || this.#ending;
  }

  /** One stream. Returns what broke it; undefined: it was ended by us. */
  async #ship(): Promise<ConnectError | undefined> {
    const rpc = new AbortController();
    const watch = new AnswerWatch(this.#clock, rpc, this.#answerTimeoutMs);
    const connection: Connection = { rpc, watch, sent: 0, over: false };
    this.#connection = connection;
    try {
      const requests = this.#requests(connection);
      for await (const answer of this.#client.rpc.shipLogs(requests, { signal: rpc.signal })) {
        const batch = this.#batches[0];
        if (batch === undefined || connection.sent === 0) {
          return new ConnectError("an answer came without a batch", Code.Internal);
        }
        connection.sent--;
        watch.answered(connection.sent);
        const broken = this.#answered(batch, answer);
        if (broken !== undefined) return broken;
      }
      return connection.over ? undefined : new ConnectError("the server ended the stream", Code.Unavailable);
    } catch (reason) {
      if (!(reason instanceof ConnectError)) throw reason;
      return reason;
    } finally {
      connection.over = true;
      watch.stop();
      rpc.abort();
      this.condition.notify();
    }
  }

  async *#requests(connection: Connection): AsyncGenerator<WriteLogsRequest, void, undefined> {
    const { watch } = connection;
    while (!connection.over) {
      const batch = this.#batches[connection.sent];
      const mayGo = !this.#isolating || connection.sent === 0;
      if (batch !== undefined && mayGo) {
        connection.sent++;
        watch.sent();
        yield encodedRequest(batch.bytes, batch.producerId, batch.firstSequence);
      } else if (this.#ending) {
        connection.over = true;
      } else if (batch === undefined && connection.sent === 0 && this.#idleMs !== undefined) {
        connection.over = await this.#isIdle(this.#idleMs);
      } else {
        await this.condition.changed();
      }
    }
    watch.ending();
  }

  /** Whether nothing comes for as long as the stream may be idle. */
  async #isIdle(idleMs: number): Promise<boolean> {
    const idle = Promise.withResolvers<true>();
    const cancel = this.#clock.startTimer(() => idle.resolve(true), idleMs);
    const changed = this.condition.changed().then((): false => false);
    const isIdle = await Promise.race([idle.promise, changed]);
    cancel();
    return isIdle && this.#batches.length === 0;
  }

  /** Takes an answered batch out. Returns an error when it has to be dealt with by a new connection. */
  #answered(batch: WindowBatch<Source>, answer: WriteLogsResponse): ConnectError | undefined {
    const { accepted, duplicates, rejections } = answer;
    if (accepted + rejections.length !== batch.count) {
      const message = `the server answered for ${accepted + rejections.length} of ${batch.count} entries`;
      return new ConnectError(message, Code.DataLoss);
    }
    const unknown = rejections.find(({ index }) => index >= batch.count);
    if (unknown !== undefined) {
      const message = `the server rejected an entry ${unknown.index} that was not sent`;
      return new ConnectError(message, Code.DataLoss);
    }
    const again = rejections.filter(({ retryable }) => retryable);
    this.#batches.splice(0, 1, ...cutOut(batch, again));
    this.#listener.accepted(batch.source, accepted, duplicates);
    for (const { index, reason, retryable } of rejections) {
      if (!retryable) this.#listener.rejected(batch.source, batch.from + index, reason);
    }
    return this.#settled(batch, again);
  }

  #settled(batch: WindowBatch<Source>, again: readonly Rejection[]): ConnectError | undefined {
    if (this.#batches[0]?.source !== batch.source) this.#listener.done(batch.source);
    this.#isolating = false;
    this.condition.notify();
    if (again.length > 0) {
      const message = `the server can't take ${again.length} entries now: ${again[0]?.reason ?? ""}`;
      return new ConnectError(message, Code.Unavailable);
    }
    this.#failures = 0;
    if (this.#state.kind !== "open") this.#enter({ kind: "open" });
    return undefined;
  }

  /** What precedes a batch that is refused as a whole was answered, so that batch is the first. */
  #isolate(error: ConnectError): void {
    const batch = this.#batches[0];
    if (batch === undefined || !batchFaults.has(error.code) || isRetryable(error)) return;
    if (!this.#isolating) {
      this.#isolating = true;
      return;
    }
    this.#batches.shift();
    for (let index = 0; index < batch.count; index++) {
      this.#listener.rejected(batch.source, batch.from + index, error.rawMessage);
    }
    void this.#settled(batch, []);
  }

  async #pause(error: ConnectError, delayMsMax: number): Promise<void> {
    this.#failures++;
    const delayMs = Math.min(delayMsMax, backoffMs(error, this.#failures, this.#clock.random()));
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
    if (!this.#isOver()) this.#enter({ kind: "connecting", attempt: this.#failures + 1 });
  }

  #enter(state: WindowState): void {
    this.#state = state;
    this.#listener.entered(state);
  }
}

/** The entries that were refused for now: a batch for each run of them. */
function cutOut<Source>(batch: WindowBatch<Source>, again: readonly Rejection[]): WindowBatch<Source>[] {
  if (again.length === 0) return [];
  const ends = [...itemEnds(batch.bytes)];
  const pieces: WindowBatch<Source>[] = [];
  const indexes = again.map(({ index }) => index).sort((one, other) => one - other);
  for (let at = 0; at < indexes.length; ) {
    const first = indexes[at] ?? 0;
    let count = 1;
    while (indexes[at + count] === first + count) count++;
    at += count;
    pieces.push({
      ...batch,
      bytes: batch.bytes.subarray(ends[first - 1] ?? 0, ends[first + count - 1]),
      count,
      firstSequence: batch.firstSequence + first,
      from: batch.from + first,
    });
  }
  return pieces;
}

/** Aborts a stream that leaves batches without an answer, or that does not end. */
class AnswerWatch {
  readonly #clock: Clock;
  readonly #rpc: AbortController;
  readonly #timeoutMs: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, rpc: AbortController, timeoutMs: number) {
    this.#clock = clock;
    this.#rpc = rpc;
    this.#timeoutMs = timeoutMs;
  }

  sent(): void {
    if (this.#cancel === undefined) this.#start(this.#timeoutMs, "no answer came");
  }

  answered(unanswered: number): void {
    this.stop();
    if (unanswered > 0) this.sent();
  }

  ending(): void {
    this.stop();
    this.#start(endTimeoutMs, "the server did not end the stream");
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #start(timeoutMs: number, what: string): void {
    this.#cancel = this.#clock.startTimer(() => {
      this.#rpc.abort(new ConnectError(`${what} within ${timeoutMs} ms`, Code.Unavailable));
    }, timeoutMs);
  }
}
