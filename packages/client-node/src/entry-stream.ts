/**
 * StreamLogs as a writer: each entry's answer as a promise.
 *
 *   write ─▶ OutgoingFrames ─▶ runs, as fast as the connection takes them ─▶ server
 *     │
 *     └ waiting: who gets the next answers, oldest first ◀─ runs of answers ◀─ server
 *
 * Answers come in the order of the entries, so of an entry that was written
 * nothing is kept but its bytes until they are sent, and who waits for its
 * answer until that comes.
 */
import {
  Code,
  ConnectError,
  cancellable,
  checkOrigin,
  decodeAnswers,
  type LogEntryInit,
  type LogResponse,
  limits,
} from "@logsvc/client";
import { Condition } from "./condition.ts";
import { OutgoingFrames } from "./outgoing-frames.ts";
import type { StreamRuns } from "./run-transport.ts";

/** Options of `stream`. */
export interface EntryStreamOptions {
  /** Names the entries' count of sequences. At most 128 bytes. */
  readonly producerId?: string;
  /** Entries sent and not yet answered, at the most. Default: 30 000, from 1. */
  readonly inFlightMax?: number;
  /** Aborting cancels the stream at once. */
  readonly signal?: AbortSignal;
}

/** An open StreamLogs. */
export interface EntryStream {
  /**
   * Sends an entry and resolves with its answer, accepted or not. What is
   * written in one turn of the event loop goes out together, right after it.
   *
   * @throws ConnectError ResourceExhausted when `inFlightMax` entries wait for
   *   their answers, or the entry has more than 16 MiB; FailedPrecondition
   *   after `end`; else what broke the stream: then the entry may or may not be
   *   stored. RangeError when the timestamp or the sequence is not one;
   *   TypeError when another field can't be encoded.
   */
  write(entry: LogEntryInit): Promise<LogResponse>;

  /**
   * Sends entries in their order, after all before them, and resolves with
   * their answers, in the same order: the fast way for many, with one promise
   * for all. There may be more than `inFlightMax`: the rest waits here, encoded,
   * until the first are answered. So await `ready` before each call, and what
   * waits is never more than one call's; several calls then overlap when each
   * has less than `inFlightMax`.
   *
   * @throws As `write`, but without regard to how many wait: then none of the
   *   entries was sent, unless it is what broke the stream. RangeError when
   *   there are more than 100 000.
   */
  writeAll(entries: readonly LogEntryInit[]): Promise<LogResponse[]>;

  /**
   * Resolves when there is room for another entry: less than `inFlightMax` wait
   * for their answers, and less than 4 MiB to be sent. Await it before `write`.
   * Throws what broke the stream.
   */
  ready(): Promise<void>;

  /** Half-closes, and resolves when every entry is answered and the server has ended the stream. Throws what broke it. */
  end(): Promise<void>;
}

/** Entries in flight, when the caller does not say: some megabytes of short ones, what a server answers in a twentieth of a second. */
const inFlightMaxDefault = 30_000;

/** Bytes of entries not sent yet, past which there is no room: what a server takes of a stream before it answers. */
const unsentBytesMax = limits.streamInFlightBytesMax;

/** Opens StreamLogs. The request is sent at once, not only with the first entry. */
export function openEntryStream(streamRuns: StreamRuns, options: EntryStreamOptions = {}): EntryStream {
  return new RunEntryStream(streamRuns, options);
}

/** Who waits for one answer: the resolver of its promise. A rejected promise tells a failure. */
type AnswerTaker = (answer: LogResponse | Promise<never>) => void;

/** Who waits for some answers. */
interface AnswersTaker {
  readonly answers: LogResponse[];
  readonly count: number;
  readonly resolve: (answers: LogResponse[] | Promise<never>) => void;
}

/** Of those who were answered so many are let be, before the list is cut. */
const answeredMax = 4_096;

const settled = Promise.resolve();

class RunEntryStream implements EntryStream {
  readonly #inFlightMax: number;
  readonly #condition = new Condition();
  readonly #outgoing = new OutgoingFrames();
  /** Who waits for answers, from `#answered` on. */
  #takers: (AnswerTaker | AnswersTaker)[] = [];
  #answered = 0;
  readonly #done: Promise<void>;
  /** Entries written and not answered. */
  #pending = 0;
  /** Of these: handed to the connection. */
  #sent = 0;
  #ending = false;
  #failure: ConnectError | undefined;

  constructor(
    streamRuns: StreamRuns,
    { producerId = "", inFlightMax = inFlightMaxDefault, signal }: EntryStreamOptions,
  ) {
    if (!Number.isInteger(inFlightMax) || inFlightMax < 1) {
      throw new RangeError(`Expected inFlightMax to be an integer from 1, got ${inFlightMax}`);
    }
    checkOrigin({ producerId });
    this.#inFlightMax = inFlightMax;
    const headers: Record<string, string> = producerId === "" ? {} : { "logsvc-producer-id": producerId };
    const open = (rpcSignal: AbortSignal) => streamRuns(this.#runs(), headers, rpcSignal);
    this.#done = this.#read(cancellable(open, signal));
  }

  write(entry: LogEntryInit): Promise<LogResponse> {
    try {
      this.#checkOpen();
      if (this.#pending >= this.#inFlightMax) throw fullError(this.#pending, this.#inFlightMax);
      this.#outgoing.add(entry);
    } catch (reason) {
      return rejected(reason);
    }
    const { promise, resolve } = Promise.withResolvers<LogResponse>();
    this.#takers.push(resolve);
    this.#pending++;
    this.#condition.notify();
    return promise;
  }

  writeAll(entries: readonly LogEntryInit[]): Promise<LogResponse[]> {
    const { length } = entries;
    try {
      this.#checkOpen();
      if (length > limits.batchEntriesMax) throw tooManyError(length);
      this.#outgoing.addAll(entries);
    } catch (reason) {
      return rejected(reason);
    }
    const { promise, resolve } = Promise.withResolvers<LogResponse[]>();
    if (length === 0) resolve([]);
    else this.#takers.push({ answers: [], count: length, resolve });
    this.#pending += length;
    this.#condition.notify();
    return promise;
  }

  ready(): Promise<void> {
    // What is so most of the time must not cost a new promise.
    return this.#failure === undefined && this.#hasRoom() ? settled : this.#room();
  }

  async end(): Promise<void> {
    this.#ending = true;
    this.#condition.notify();
    await this.#done;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #checkOpen(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ending) throw new ConnectError("the stream has been ended", Code.FailedPrecondition);
  }

  #hasRoom(): boolean {
    return this.#pending < this.#inFlightMax && this.#outgoing.bytes < unsentBytesMax;
  }

  async #room(): Promise<void> {
    while (this.#failure === undefined && !this.#hasRoom()) {
      await this.#condition.changed();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async *#runs(): AsyncGenerator<Uint8Array, void, undefined> {
    while (this.#failure === undefined) {
      const room = this.#inFlightMax - this.#sent;
      if (room > 0 && !this.#outgoing.isEmpty) {
        const { frames, count } = this.#outgoing.take(room);
        this.#sent += count;
        yield frames;
        this.#condition.notify();
      } else if (this.#ending && this.#outgoing.isEmpty) {
        return;
      } else {
        await this.#condition.changed();
        // A loop of writes wakes us at its first one: let it come to its end.
        await endOfTurn();
      }
    }
  }

  /** Hands the answers out. Resolves in any case: a failure is told to those who wait. */
  async #read(answers: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const frames of answers) {
        decodeAnswers(frames, this.#take);
        this.#condition.notify();
      }
      if (this.#pending > 0 || !this.#ending) {
        throw new ConnectError("the server ended the stream", Code.Unavailable);
      }
    } catch (reason) {
      this.#fail(ConnectError.from(reason));
    }
  }

  readonly #take = (answer: LogResponse): void => {
    const taker = this.#takers[this.#answered];
    if (this.#sent === 0 || taker === undefined) {
      throw new ConnectError("an answer came without an entry", Code.Internal);
    }
    this.#sent--;
    this.#pending--;
    if (typeof taker === "function") {
      taker(answer);
    } else {
      taker.answers.push(answer);
      if (taker.answers.length < taker.count) return;
      taker.resolve(taker.answers);
    }
    this.#answered++;
    if (this.#answered === this.#takers.length || this.#answered === answeredMax) {
      this.#takers.splice(0, this.#answered);
      this.#answered = 0;
    }
  };

  #fail(failure: ConnectError): void {
    this.#failure = failure;
    this.#pending = 0;
    for (const taker of this.#takers.splice(0).slice(this.#answered)) {
      if (typeof taker === "function") taker(Promise.reject(failure));
      else taker.resolve(Promise.reject(failure));
    }
    this.#condition.notify();
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function rejected(reason: unknown): Promise<never> {
  return Promise.reject(reason instanceof Error ? reason : new Error(String(reason), { cause: reason }));
}

function fullError(pending: number, inFlightMax: number): ConnectError {
  const message = `${pending} entries wait for their answers, the limit is ${inFlightMax}`;
  return new ConnectError(message, Code.ResourceExhausted);
}

function tooManyError(count: number): RangeError {
  return new RangeError(`Expected at most ${limits.batchEntriesMax} entries at once, got ${count}`);
}
