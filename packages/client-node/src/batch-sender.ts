/**
 * Sends numbered batches over ShipLogs and does not let go of one before it is
 * answered (ship-window.ts).
 *
 *   send ─▶ batches ─▶ window, bounded ─▶ ShipLogs ─▶ answers ─▶ summary, onRejected
 */
import {
  type Clock,
  Code,
  ConnectError,
  checkOrigin,
  encodeEntries,
  isRetryable,
  type LogEntryInit,
  limits,
  systemClock,
} from "@logsvc/client";
import type { Condition } from "./condition.ts";
import { checkInFlightMax, createProducerId, inFlightMaxDefault, type NodeLogClient } from "./node-client.ts";
import { ShipWindow, type WindowListener, type WindowState } from "./ship-window.ts";

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
  | WindowState
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

class ShipLogsSender implements BatchSender {
  readonly producerId: string;
  readonly #options: BatchSenderOptions;
  readonly #clock: Clock;
  readonly #inFlightMax: number;
  readonly #condition: Condition;
  /** What is not answered yet. */
  readonly #window: ShipWindow<EntryRun>;
  #summary = { sent: 0, accepted: 0, duplicates: 0, rejected: 0, pending: 0 };
  #state: BatchSenderState = { kind: "connecting", attempt: 1 };
  #nextSequence: number;
  /** Since when nothing was answered though something should be. */
  #waitingSinceMs: number | undefined;
  #failure: ConnectError | undefined;
  #sending = false;
  #closing: Promise<SendSummary> | undefined;
  readonly #abort = (): void => {
    this.#fail(new ConnectError("the sender was aborted", Code.Canceled));
  };

  constructor(client: NodeLogClient, options: BatchSenderOptions) {
    const { producerId = createProducerId(), firstSequence = 1, clock = systemClock } = options;
    checkOrigin({ producerId, firstSequence });
    if (firstSequence === 0) throw new RangeError("Expected firstSequence to be from 1, got 0");
    this.producerId = producerId;
    this.#options = options;
    this.#clock = clock;
    this.#window = new ShipWindow(client, this.#listener(), {
      clock,
      answerTimeoutMs: Math.min(answerTimeoutMs, options.retryTimeoutMs ?? answerTimeoutMs),
    });
    this.#condition = this.#window.condition;
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
    await this.#window.end();
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
    const { entries, bytes } = run;
    const firstSequence = this.#nextSequence;
    this.#nextSequence += entries.length;
    this.#waitingSinceMs ??= this.#clock.now();
    this.#window.push(run, { bytes, count: entries.length, producerId: this.producerId, firstSequence });
  }

  async #room(): Promise<void> {
    while (this.#failure === undefined && this.#window.length >= this.#inFlightMax) {
      await this.#condition.changed();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  #listener(): WindowListener<EntryRun> {
    return {
      accepted: (_run, accepted, duplicates) => {
        this.#waitingSinceMs = this.#window.length > 0 ? this.#clock.now() : undefined;
        this.#summary.accepted += accepted;
        this.#summary.pending -= accepted;
        this.#summary.duplicates += duplicates;
      },
      rejected: ({ entries }, index, reason) => {
        const sent = entries[index];
        if (sent !== undefined) this.#reject(sent, reason);
      },
      done: () => undefined,
      entered: (state) => this.#enter(state),
      failed: (error) => {
        const leftMs = this.#retryLeftMs();
        if (isRetryable(error) && leftMs > 0) return leftMs;
        this.#fail(error);
        return undefined;
      },
      crashed: (error) => this.#fail(error),
    };
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

  #fail(error: ConnectError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#options.signal?.removeEventListener("abort", this.#abort);
    this.#window.stop();
    this.#enter({ kind: "closed", error });
  }

  #enter(state: BatchSenderState | WindowState): void {
    if (this.#state.kind === "closed") return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}
