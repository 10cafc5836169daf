/**
 * StreamLogs as a writer: each entry's answer as a promise. Answers come in the
 * order of the entries, so the oldest waiting promise is the next one answered.
 */
import {
  Code,
  ConnectError,
  checkOrigin,
  type LogEntry,
  type LogEntryInit,
  type LogResponse,
  type LogRpc,
  toLogEntry,
} from "@logsvc/client";
import { Condition } from "./condition.ts";

/** Options of `stream`. */
export interface EntryStreamOptions {
  /** Names the entries' count of sequences. At most 128 bytes. */
  readonly producerId?: string;
  /** Entries written and not yet answered, at the most. Default: 10 000, from 1. */
  readonly inFlightMax?: number;
  /** Aborting cancels the stream at once. */
  readonly signal?: AbortSignal;
}

/** An open StreamLogs. */
export interface EntryStream {
  /**
   * Sends an entry and resolves with its answer, accepted or not.
   *
   * @throws ConnectError ResourceExhausted when `inFlightMax` entries wait for
   *   their answers; FailedPrecondition after `end`; else what broke the
   *   stream: then the entry may or may not be stored. RangeError when the
   *   timestamp or the sequence is not one.
   */
  write(entry: LogEntryInit): Promise<LogResponse>;

  /** Resolves when there is room for another entry: await it before `write`. Throws what broke the stream. */
  ready(): Promise<void>;

  /** Half-closes, and resolves when every entry is answered and the server has ended the stream. Throws what broke it. */
  end(): Promise<void>;
}

/** Entries in flight, when the caller does not say: about a megabyte of short ones. */
const inFlightMaxDefault = 10_000;

interface PendingEntry {
  readonly entry: LogEntry;
  readonly answer: PromiseWithResolvers<LogResponse>;
}

/** Opens StreamLogs. The request is sent with the first entry. */
export function openEntryStream(rpc: LogRpc, options: EntryStreamOptions = {}): EntryStream {
  return new RpcEntryStream(rpc, options);
}

class RpcEntryStream implements EntryStream {
  readonly #inFlightMax: number;
  readonly #condition = new Condition();
  readonly #pending: PendingEntry[] = [];
  readonly #done: Promise<void>;
  /** How many of the pending were handed to the RPC. */
  #sent = 0;
  #ending = false;
  #failure: ConnectError | undefined;

  constructor(
    rpc: LogRpc,
    { producerId = "", inFlightMax = inFlightMaxDefault, signal }: EntryStreamOptions,
  ) {
    if (!Number.isInteger(inFlightMax) || inFlightMax < 1) {
      throw new RangeError(`Expected inFlightMax to be an integer from 1, got ${inFlightMax}`);
    }
    checkOrigin({ producerId });
    this.#inFlightMax = inFlightMax;
    const headers = producerId === "" ? {} : { "logsvc-producer-id": producerId };
    this.#done = this.#read(rpc.streamLogs(this.#requests(), { headers, ...(signal && { signal }) }));
  }

  async write(entry: LogEntryInit): Promise<LogResponse> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ending) throw new ConnectError("the stream has been ended", Code.FailedPrecondition);
    if (this.#pending.length >= this.#inFlightMax) {
      const message = `${this.#inFlightMax} entries wait for their answers, the limit is ${this.#inFlightMax}`;
      throw new ConnectError(message, Code.ResourceExhausted);
    }
    const answer = Promise.withResolvers<LogResponse>();
    this.#pending.push({ entry: toLogEntry(entry), answer });
    this.#condition.notify();
    return answer.promise;
  }

  async ready(): Promise<void> {
    while (this.#failure === undefined && this.#pending.length >= this.#inFlightMax) {
      await this.#condition.changed();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async end(): Promise<void> {
    this.#ending = true;
    this.#condition.notify();
    await this.#done;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async *#requests() {
    while (this.#failure === undefined) {
      const next = this.#pending[this.#sent];
      if (next !== undefined) {
        this.#sent++;
        yield next.entry;
      } else if (this.#ending) {
        return;
      } else {
        await this.#condition.changed();
      }
    }
  }

  /** Hands the answers out. Resolves in any case: a failure is told to those who wait. */
  async #read(answers: AsyncIterable<LogResponse>): Promise<void> {
    try {
      for await (const answer of answers) {
        const answered = this.#pending.shift();
        this.#sent--;
        if (answered === undefined) throw new ConnectError("an answer came without an entry", Code.Internal);
        answered.answer.resolve(answer);
        this.#condition.notify();
      }
      if (this.#pending.length > 0 || !this.#ending) {
        throw new ConnectError("the server ended the stream", Code.Unavailable);
      }
    } catch (reason) {
      const failure = ConnectError.from(reason);
      this.#failure = failure;
      for (const { answer } of this.#pending.splice(0)) answer.reject(failure);
      this.#condition.notify();
    }
  }
}
