/**
 * Sends numbered batches over ShipLogs and does not let go of one before it is
 * answered.
 *
 *   send ─▶ window: batches not yet answered, oldest first, bounded in number and bytes
 *             │ ▲
 *    requests │ │ reconnected: all of the window again, with the same sequences
 *             ▼ │
 *          ShipLogs ─▶ answers, in order ─▶ leave the window ─▶ summary, onRejected
 *
 * A batch keeps its sequences however often it is sent, so the server stores it
 * once. An entry that the server rejects for now (`retryable`) goes into a new
 * batch after the others, with sequences of its own: its old one lies below
 * what was stored since, and would be taken for a repeat.
 */
import {
  backoffMs,
  type Clock,
  Code,
  ConnectError,
  checkOrigin,
  encodedRequest,
  encodeEntries,
  isRetryable,
  type LogEntryInit,
  limits,
  systemClock,
  type WriteLogsRequest,
  type WriteLogsResponse,
} from "@logsvc/client";
import { Condition } from "./condition.ts";
import { checkInFlightMax, createProducerId, inFlightMaxDefault, type NodeLogClient } from "./node-client.ts";

/** Options of openBatchSender. */
export interface BatchSenderOptions {
  /**
   * Names this sender's count of sequences, for recognising what was stored
   * before. Default: a random UUID. At most 128 bytes.
   */
  readonly producerId?: string;
  /** The sequence of the first entry, from 1. With a producer id that was used before: the one after its last. Default: 1. */
  readonly firstSequence?: number;
  /** Batches sent and not yet answered, at the most. Default: 16, from 1 to 1 024. */
  readonly inFlightMax?: number;
  /** Called for each entry that the server, or its size, ruled out for good. It will not be sent again. Must not throw. */
  readonly onRejected?: (rejection: RejectedEntry) => void;
  /** Called whenever the state changes, also for each retry. Must not throw. */
  readonly onState?: (state: BatchSenderState) => void;
  /** Aborting gives up at once: what is not acknowledged stays so, and every waiting promise rejects. */
  readonly signal?: AbortSignal;
  /** Give up when nothing was answered for so long though batches wait, in milliseconds. Default: never. */
  readonly retryTimeoutMs?: number;
  /** Where waiting and jitter come from. Default: the runtime. For tests. */
  readonly clock?: Clock;
}

/** An entry that was refused for good. */
export interface RejectedEntry {
  /** The entry as it was given to `send`. */
  readonly entry: LogEntryInit;
  /** How many entries were given to `send` before it. */
  readonly index: number;
  /** Names the field, the limit and the value. */
  readonly reason: string;
}

/** What a sender is doing. */
export type BatchSenderState =
  /** Sending, and not yet answered. `attempt` counts from 1, anew after each answer. */
  | { readonly kind: "connecting"; readonly attempt: number }
  /** Sending, and being answered. */
  | { readonly kind: "open" }
  /** Broken by `error`; the next attempt comes after `delayMs`. `attempt`: how many failed in a row. */
  | {
      readonly kind: "retrying";
      readonly error: ConnectError;
      readonly attempt: number;
      readonly delayMs: number;
    }
  /** Over. `error`: why, when it was not by `close`. */
  | { readonly kind: "closed"; readonly error?: ConnectError };

/** Counts of entries. `sent` is the sum of the others. */
export interface SendSummary {
  /** Given to `send`. */
  readonly sent: number;
  /** On disk, repeats included. */
  readonly accepted: number;
  /** Of the accepted: stored before, so not again. Entries that were resent after a break, as a rule. */
  readonly duplicates: number;
  /** Refused for good, each told to `onRejected`. */
  readonly rejected: number;
  /** Not yet answered. After an error: not known to be stored. */
  readonly pending: number;
}

/** Sends entries in order; open it with `openBatchSender`. */
export interface BatchSender {
  readonly producerId: string;
  readonly state: BatchSenderState;
  readonly summary: SendSummary;

  /**
   * Sends entries after all before them. Resolves when they are on their way
   * and there is room for more, so awaiting it bounds the memory; don't call
   * it again before. Any number of entries: they are cut into batches.
   *
   * @throws ConnectError when the sender was closed or has given up: by an
   *   error that no retry mends, `retryTimeoutMs` or the signal. TypeError when
   *   an entry can't be encoded; then none of these entries was sent.
   */
  send(entries: readonly LogEntryInit[]): Promise<void>;

  /**
   * Resolves when everything sent so far is answered.
   *
   * @throws ConnectError when the sender has given up; `summary.pending` says
   *   how many entries are not known to be stored.
   */
  flush(): Promise<SendSummary>;

  /** Flushes, then closes the stream. A second call returns the first one's promise. Throws as `flush` does. */
  close(): Promise<SendSummary>;

  [Symbol.asyncDispose](): Promise<void>;
}

/** Bytes of a batch, at the most, unless a single entry is larger: a few of them in flight are what the server takes of a stream. */
const sentBytesMax = 1024 * 1024;

/** Entries of a batch, at the most: what a rejected batch's answer may list. */
const sentEntriesMax = 10_000;

/** Without an answer for so long the connection is given up and everything is sent again. A disk may stall for seconds. */
const answerTimeoutMs = 60_000;

/** How long the server may take to end the stream after everything was answered. */
const endTimeoutMs = 5_000;

/** Opens a sender. It connects with the first `send`. The client stays open when it closes. */
export function openBatchSender(client: NodeLogClient, options: BatchSenderOptions = {}): BatchSender {
  return new ShipLogsSender(client, options);
}

interface SentEntry {
  readonly entry: LogEntryInit;
  readonly index: number;
}

/** Entries side by side, encoded. */
interface EntryRun {
  readonly entries: readonly SentEntry[];
  readonly bytes: Uint8Array;
}

interface SentBatch extends EntryRun {
  readonly firstSequence: number;
}

class ShipLogsSender implements BatchSender {
  readonly producerId: string;
  readonly #client: NodeLogClient;
  readonly #options: BatchSenderOptions;
  readonly #clock: Clock;
  readonly #inFlightMax: number;
  readonly #condition = new Condition();
  /** What is not answered yet, oldest first. */
  readonly #window: SentBatch[] = [];
  #summary = { sent: 0, accepted: 0, duplicates: 0, rejected: 0, pending: 0 };
  #state: BatchSenderState = { kind: "connecting", attempt: 1 };
  #nextSequence: number;
  #failures = 0;
  /** Since when nothing was answered though something should be. */
  #waitingSinceMs: number | undefined;
  #failure: ConnectError | undefined;
  #sending = false;
  #ending = false;
  #running: Promise<void> | undefined;
  #closing: Promise<SendSummary> | undefined;
  #rpc: AbortController | undefined;
  #endPause: (() => void) | undefined;
  readonly #abort = (): void => {
    this.#fail(new ConnectError("the sender was aborted", Code.Canceled));
  };

  constructor(client: NodeLogClient, options: BatchSenderOptions) {
    const { producerId = createProducerId(), firstSequence = 1, clock = systemClock } = options;
    checkOrigin({ producerId, firstSequence });
    if (firstSequence === 0) throw new RangeError("Expected firstSequence to be from 1, got 0");
    this.producerId = producerId;
    this.#client = client;
    this.#options = options;
    this.#clock = clock;
    this.#inFlightMax = checkInFlightMax(options.inFlightMax ?? inFlightMaxDefault);
    this.#nextSequence = firstSequence;
    options.signal?.addEventListener("abort", this.#abort);
    if (options.signal?.aborted) this.#abort();
  }

  get state(): BatchSenderState {
    return this.#state;
  }

  get summary(): SendSummary {
    return { ...this.#summary };
  }

  async send(entries: readonly LogEntryInit[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closing !== undefined) throw new ConnectError("the sender was closed", Code.FailedPrecondition);
    if (this.#sending) throw new Error("send was called before its last call had resolved");
    this.#sending = true;
    try {
      for (const run of this.#cut(entries)) {
        await this.#room();
        this.#push(run);
      }
      await this.#room();
    } finally {
      this.#sending = false;
      this.#condition.notify();
    }
  }

  async flush(): Promise<SendSummary> {
    while (this.#failure === undefined && (this.#sending || this.#window.length > 0)) {
      await this.#condition.changed();
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.summary;
  }

  close(): Promise<SendSummary> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<SendSummary> {
    await this.flush();
    this.#ending = true;
    this.#condition.notify();
    this.#endPause?.();
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state.kind !== "closed") this.#enter({ kind: "closed" });
    this.#options.signal?.removeEventListener("abort", this.#abort);
    return this.summary;
  }

  /** Encodes the entries and cuts them into batches. What is over the limit is rejected here. */
  #cut(entries: readonly LogEntryInit[]): EntryRun[] {
    const { bytes, ends, lengths } = encodeEntries(entries);
    const first = this.#summary.sent;
    this.#summary.sent += entries.length;
    this.#summary.pending += entries.length;
    const runs: EntryRun[] = [];
    let run: SentEntry[] = [];
    let begin = 0;
    let end = 0;
    const cut = (): void => {
      if (run.length > 0) runs.push({ entries: run, bytes: bytes.subarray(begin, end) });
      run = [];
      begin = end;
    };
    for (const [index, entry] of entries.entries()) {
      const sent = { entry, index: first + index };
      const entryEnd = ends[index] ?? end;
      const length = lengths[index] ?? 0;
      if (length > limits.entryBytesMax || entryEnd - begin > sentBytesMax || run.length >= sentEntriesMax) {
        cut();
      }
      end = entryEnd;
      if (length > limits.entryBytesMax) {
        begin = end;
        this.#reject(sent, `entry: ${length} bytes, the limit is ${limits.entryBytesMax}`);
      } else {
        run.push(sent);
      }
    }
    cut();
    return runs;
  }

  #push(run: EntryRun): void {
    this.#window.push({ ...run, firstSequence: this.#nextSequence });
    this.#nextSequence += run.entries.length;
    this.#waitingSinceMs ??= this.#clock.now();
    this.#condition.notify();
    this.#running ??= this.#run();
  }

  async #room(): Promise<void> {
    while (this.#failure === undefined && this.#window.length >= this.#inFlightMax) {
      await this.#condition.changed();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Connects until the end. What goes wrong is kept for those who wait. */
  async #run(): Promise<void> {
    try {
      this.#options.onState?.(this.#state);
      while (this.#failure === undefined && !this.#ending) {
        const error = await this.#ship();
        if (this.#failure !== undefined || this.#ending) break;
        const leftMs = this.#retryLeftMs();
        if (!isRetryable(error) || leftMs <= 0) this.#fail(error);
        else await this.#pause(error, leftMs);
      }
    } catch (reason) {
      // Only a callback can have thrown: the sender can't go on without knowing what was told.
      this.#fail(ConnectError.from(reason, Code.Internal));
    }
  }

  /** One stream. Returns what ended it. */
  async #ship(): Promise<ConnectError> {
    const rpc = new AbortController();
    const connection = { sent: 0, over: false };
    const watch = new AnswerWatch(this.#clock, rpc, this.#options.retryTimeoutMs);
    this.#rpc = rpc;
    try {
      const answers = this.#client.rpc.shipLogs(this.#requests(connection, watch), { signal: rpc.signal });
      for await (const answer of answers) {
        const batch = this.#window[0];
        if (batch === undefined || connection.sent === 0) {
          return new ConnectError("an answer came without a batch", Code.Internal);
        }
        connection.sent--;
        watch.answered(connection.sent);
        const refused = this.#answered(batch, answer);
        if (refused !== undefined) return refused;
      }
      return new ConnectError("the server ended the stream", Code.Unavailable);
    } catch (reason) {
      if (!(reason instanceof ConnectError)) throw reason;
      return reason;
    } finally {
      connection.over = true;
      watch.stop();
      rpc.abort();
      this.#condition.notify();
    }
  }

  async *#requests(
    connection: { sent: number; over: boolean },
    watch: AnswerWatch,
  ): AsyncGenerator<WriteLogsRequest, void, undefined> {
    while (!connection.over) {
      const batch = this.#window[connection.sent];
      if (batch !== undefined) {
        connection.sent++;
        watch.sent();
        yield encodedRequest(batch.bytes, this.producerId, batch.firstSequence);
      } else if (this.#ending) {
        watch.ending();
        return;
      } else {
        await this.#condition.changed();
      }
    }
  }

  /** Counts an answered batch. Returns an error when it has to be dealt with by a new connection. */
  #answered(batch: SentBatch, answer: WriteLogsResponse): ConnectError | undefined {
    const { accepted, duplicates, rejections } = answer;
    if (accepted + rejections.length !== batch.entries.length) {
      const message = `the server answered for ${accepted + rejections.length} of ${batch.entries.length} entries`;
      return new ConnectError(message, Code.DataLoss);
    }
    this.#window.shift();
    this.#waitingSinceMs = this.#window.length > 0 ? this.#clock.now() : undefined;
    this.#summary.accepted += accepted;
    this.#summary.pending -= accepted;
    this.#summary.duplicates += duplicates;
    const again: SentEntry[] = [];
    let reason = "";
    for (const rejection of rejections) {
      const sent = batch.entries[rejection.index];
      if (sent === undefined) {
        return new ConnectError(
          `the server rejected an entry ${rejection.index} that was not sent`,
          Code.DataLoss,
        );
      }
      if (rejection.retryable) {
        again.push(sent);
        reason = rejection.reason;
      } else {
        this.#reject(sent, rejection.reason);
      }
    }
    if (again.length > 0) {
      this.#push({ entries: again, bytes: encodeEntries(again.map(({ entry }) => entry)).bytes });
      return new ConnectError(
        `the server can't take ${again.length} entries now: ${reason}`,
        Code.Unavailable,
      );
    }
    this.#failures = 0;
    if (this.#state.kind === "connecting") this.#enter({ kind: "open" });
    this.#condition.notify();
    return undefined;
  }

  #reject({ entry, index }: SentEntry, reason: string): void {
    this.#summary.rejected++;
    this.#summary.pending--;
    this.#options.onRejected?.({ entry, index, reason });
  }

  /** How long it may go on trying, in milliseconds. */
  #retryLeftMs(): number {
    const { retryTimeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const waitedMs = this.#waitingSinceMs === undefined ? 0 : this.#clock.now() - this.#waitingSinceMs;
    return retryTimeoutMs - waitedMs;
  }

  async #pause(error: ConnectError, leftMs: number): Promise<void> {
    this.#failures++;
    const delayMs = Math.min(leftMs, backoffMs(error, this.#failures, this.#clock.random()));
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
    if (this.#failure === undefined && !this.#ending) {
      this.#enter({ kind: "connecting", attempt: this.#failures + 1 });
    }
  }

  #fail(error: ConnectError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#rpc?.abort();
    this.#endPause?.();
    this.#condition.notify();
    this.#enter({ kind: "closed", error });
  }

  #enter(state: BatchSenderState): void {
    if (this.#state.kind === "closed") return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

/** Aborts a stream that leaves batches without an answer, or that does not end. */
class AnswerWatch {
  readonly #clock: Clock;
  readonly #rpc: AbortController;
  readonly #timeoutMs: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, rpc: AbortController, retryTimeoutMs = answerTimeoutMs) {
    this.#clock = clock;
    this.#rpc = rpc;
    this.#timeoutMs = Math.min(answerTimeoutMs, retryTimeoutMs);
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
