/**
 * The main thread's side of the writer: sends it batches, and settles each
 * append with its answer.
 */
import type { Worker } from "node:worker_threads";
import { EngineError } from "../engine-error.ts";
import { batchBuffers, type EntryBatch, hasOwnBuffers } from "../entry-batch.ts";
import { startWorker } from "./start-worker.ts";
import {
  type AppendAnswer,
  type Commit,
  type Fault,
  fromFault,
  type Merge,
  type Trim,
  type WriterReply,
  type WriterRequest,
  type WriterSettings,
} from "./thread-messages.ts";

/**
 * Bytes of batches that may wait for their commit. The server keeps to half of
 * it (`inFlightBytesMax`); the bound is for those who use the engine without it.
 */
const waitingBytesMax = 512 * 1024 * 1024;

/** What a waiting batch takes besides its arrays, measured: without it a flood of lonely entries weighed nothing. */
const batchOverheadBytes = 3 * 1024;

/** What the writer found when it opened the log. */
export interface OpenedLog {
  readonly identity: string;
  readonly oldestOffset: number;
  readonly nextOffset: number;
}

/** Whom the writer tells what happened. */
export interface WriterListener {
  /** Called before the appends of this commit are answered. */
  committed(commit: Commit): void;
  trimmed(trim: Trim): void;
  merged(merge: Merge): void;
  /** A commit, retention or merging failed; the writer goes on. */
  failed(fault: Fault): void;
  /** The writer ended without being told to. */
  crashed(error: EngineError): void;
}

interface Waiting {
  readonly bytes: number;
  readonly resolve: (answer: AppendAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** The writer's thread. */
export class WriterThread {
  readonly #worker: Worker;
  readonly #opened = Promise.withResolvers<OpenedLog>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #listener: WriterListener;
  #waitingBytes = 0;
  #lastTicket = 0;
  #state: "running" | "closing" | "ended" = "running";

  constructor(settings: WriterSettings, listener: WriterListener) {
    this.#listener = listener;
    this.#worker = startWorker("writer", "logsvc writer", settings);
    this.#worker.on("message", (reply: WriterReply) => this.#take(reply));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", (code) => this.#end(new Error(`it ended with code ${code}`)));
  }

  /**
   * What was found on opening.
   *
   * @throws EngineError `foreign`, `newer`, `locked`, `corrupt`, `unavailable`
   */
  opened(): Promise<OpenedLog> {
    return this.#opened.promise;
  }

  /** Sends a batch to be stored. */
  append(batch: EntryBatch): Promise<AppendAnswer> {
    const bytes = weigh(batch);
    if (this.#waitingBytes + bytes > waitingBytesMax) {
      const reason = `${this.#waitingBytes} bytes wait to be written, at most ${waitingBytesMax} may`;
      return Promise.reject(new EngineError("unavailable", reason));
    }
    const ticket = ++this.#lastTicket;
    const answer = Promise.withResolvers<AppendAnswer>();
    this.#waiting.set(ticket, { bytes, resolve: answer.resolve, reject: answer.reject });
    this.#waitingBytes += bytes;
    const owned = ownBuffers(batch);
    this.#send({ kind: "append", ticket, batch: owned.batch }, owned.buffers);
    return answer.promise;
  }

  /** Lets the writer store what was sent, and close the log. */
  close(): Promise<void> {
    if (this.#state === "running") {
      this.#state = "closing";
      this.#send({ kind: "close" }, []);
    }
    return this.#exited.promise;
  }

  #send(request: WriterRequest, transfer: ArrayBufferLike[]): void {
    this.#worker.postMessage(
      request,
      transfer.filter((buffer) => buffer instanceof ArrayBuffer),
    );
  }

  #take(reply: WriterReply): void {
    switch (reply.kind) {
      case "ready":
        this.#opened.resolve(reply);
        break;
      case "refused":
        this.#state = "closing";
        this.#opened.reject(fromFault(reply.fault));
        break;
      case "committed":
        this.#listener.committed(reply.commit);
        for (const answer of reply.answers) this.#settle(answer.ticket)?.resolve(answer);
        for (const buffer of reply.spare) batchBuffers.giveBack(buffer);
        break;
      case "failed":
        for (const ticket of reply.tickets) this.#settle(ticket)?.reject(fromFault(reply.fault));
        this.#hear(reply.producers);
        this.#listener.failed(reply.fault);
        break;
      case "trimmed":
        this.#listener.trimmed(reply.trim);
        break;
      case "merged":
        this.#listener.merged(reply.merge);
        break;
      case "chore_failed":
        this.#listener.failed(reply.fault);
        break;
    }
  }

  /** Tells the writer when those who append have heard of the failure: in this turn they may still send what they had. */
  #hear(producers: readonly string[]): void {
    if (producers.length > 0) setImmediate(() => this.#send({ kind: "failure_heard", producers }, []));
  }

  #settle(ticket: number): Waiting | undefined {
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    this.#waitingBytes -= waiting?.bytes ?? 0;
    return waiting;
  }

  /** The thread is gone: what still waits will never be answered by it. */
  #end(cause: unknown): void {
    if (this.#state === "ended") return;
    const expected = this.#state === "closing";
    this.#state = "ended";
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = new EngineError("unavailable", `the log's writer has failed: ${why}`, { cause });
    this.#opened.reject(error);
    for (const ticket of [...this.#waiting.keys()]) this.#settle(ticket)?.reject(error);
    if (!expected) this.#listener.crashed(error);
    this.#exited.resolve();
  }
}

/** What a batch takes in memory while it waits. */
function weigh(batch: EntryBatch): number {
  const { bytes, ends, timestamps, severities, sequences } = batch;
  const parts = [bytes, ends, timestamps, severities, ...(sequences === undefined ? [] : [sequences])];
  const whole = hasOwnBuffers(batch);
  const weights = parts.map((part) => (whole ? part.buffer.byteLength : part.byteLength));
  return weights.reduce((sum, weight) => sum + weight, batchOverheadBytes);
}

/** Makes sure that each part of a batch has a buffer of its own, so that it can be handed over. */
function ownBuffers(batch: EntryBatch): { batch: EntryBatch; buffers: ArrayBufferLike[] } {
  const { count, producerId, sequences } = batch;
  const owned = hasOwnBuffers(batch)
    ? batch
    : {
        count,
        bytes: ownBytes(batch.bytes),
        ends: own(batch.ends),
        timestamps: own(batch.timestamps),
        severities: ownBytes(batch.severities),
        ...(producerId === undefined ? {} : { producerId }),
        ...(sequences === undefined ? {} : { sequences: own(sequences) }),
      };
  const parts = [owned.bytes, owned.ends, owned.timestamps, owned.severities, owned.sequences];
  return { batch: owned, buffers: parts.flatMap((part) => (part === undefined ? [] : [part.buffer])) };
}

/** A view of part of a buffer is copied: its neighbours, such as those in Node's pool, are not ours to send. */
function own<View extends ArrayBufferView & { slice(): View }>(view: View): View {
  return view.byteLength === view.buffer.byteLength ? view : view.slice();
}

/** The same for bytes, which may be a Buffer: its `slice` copies nothing. */
function ownBytes(view: Uint8Array): Uint8Array {
  return view.byteLength === view.buffer.byteLength ? view : new Uint8Array(view);
}
