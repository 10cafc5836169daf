/**
 * A scan worker: runs jobs on a read-only connection. Searches take turns, so
 * that a short one does not wait for the end of a long one.
 */
import { setImmediate } from "node:timers/promises";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { chunkBuffers } from "../scan/entry-chunk.ts";
import { BlockReader } from "./block-reader.ts";
import { logFilePath, openLogFileForReading, storageError } from "./log-file.ts";
import type { ScanJob, ScanJobs, ScannerReply, ScannerRequest, ScannerSettings } from "./scan-jobs.ts";
import { type PausedJob, ScanTurns } from "./scan-turns.ts";
import type { SearchContext } from "./search/search-context.ts";
import { toFault } from "./thread-messages.ts";
import { lowerThreadPriority } from "./thread-priority.ts";

/** A turn, in milliseconds, for a search that comes to the end of a block. */
const turnMs = 50;

/** The same in the middle of a block, which it would have to read again: that takes some 10 ms. */
const turnMsMax = 100;

/** Bytes of found entries that the searches of a thread keep, before they go on one after another: two of the largest pages. */
const keptBytesMax = 128 * 1024 * 1024;

/** A little less than ingest gets where both want the processor. */
const niceness = 5;

/** Thrown out of a job that is no longer wanted. Whoever wanted it has had its answer. */
class Cancelled extends Error {
  override readonly name = "Cancelled";
}

type Result = ScanJobs[keyof ScanJobs]["result"];

/** A job that waits for its next turn. */
interface RunningJob extends PausedJob {
  turns: number;
  /** One turn; what it results in when that was the last one. */
  takeTurn(): IteratorResult<void, Result>;
}

/** A job and what it needs. */
interface JobOrder {
  readonly id: number;
  readonly job: ScanJob;
  /** Becomes 1 when the job is no longer wanted. */
  readonly cancelled: Int32Array;
}

/** Runs jobs for whoever is at the other end of a port. */
class Scanner {
  readonly #port: MessagePort;
  readonly #folder: string;
  readonly #reader: BlockReader;
  readonly #jobs = new ScanTurns<RunningJob>(keptBytesMax);
  #isClosing = false;
  #turnBegan = 0;
  /** Settles when there is nothing left to do. */
  #working: Promise<void> | undefined;

  constructor(port: MessagePort, { folder }: ScannerSettings) {
    this.#port = port;
    this.#folder = folder;
    this.#reader = new BlockReader(openLogFileForReading(folder));
    port.on("message", (request: ScannerRequest) => {
      if (request.kind === "close") void this.#close();
      else void this.#accept({ ...request, cancelled: new Int32Array(request.cancelled) });
    });
  }

  async #accept(order: JobOrder): Promise<void> {
    try {
      const kept = { bytes: 0 };
      const takeTurn = await this.#begin(order, kept);
      if (this.#isClosing) return;
      this.#jobs.add({ id: order.id, turns: 0, kept, cancelled: order.cancelled, takeTurn });
      this.#working ??= this.#work();
    } catch (error) {
      this.#fail(order.id, error);
    }
  }

  /** How a job takes a turn. */
  async #begin({ id, job, cancelled }: JobOrder, kept: { bytes: number }): Promise<RunningJob["takeTurn"]> {
    const reader = this.#reader;
    // These two need neither filters nor protobuf, whose loading takes longer than the jobs.
    if (job.kind === "load") return () => ({ done: true, value: reader.blockAt(job.offset) });
    if (job.kind === "totals") return () => ({ done: true, value: reader.totals() });
    const checkWanted = () => {
      if (Atomics.load(cancelled, 0) === 1) throw new Cancelled("no longer wanted");
    };
    const context: SearchContext = {
      reader,
      checkWanted,
      isTurnOver: () => performance.now() - this.#turnBegan > turnMs,
      isTurnOverdue: () => performance.now() - this.#turnBegan > turnMsMax,
      keep: (bytes) => {
        kept.bytes = bytes;
      },
      step: (step) =>
        this.#reply({ kind: "step", id, step }, step.entries === undefined ? [] : chunkBuffers(step.entries)),
    };
    const { startSearch } = await import("./search/start-search.ts");
    const search = startSearch(job, context);
    return () => {
      checkWanted();
      return reader.snapshot(() => search.next());
    };
  }

  /** Gives turns until no job is left; messages are read between them. */
  async #work(): Promise<void> {
    for (let job = this.#jobs.next(); job !== undefined; job = this.#jobs.next()) {
      this.#turnBegan = performance.now();
      this.#takeTurn(job);
      await setImmediate();
    }
    this.#working = undefined;
  }

  #takeTurn(job: RunningJob): void {
    try {
      const turn = job.takeTurn();
      job.turns++;
      if (turn.done !== true) this.#jobs.add(job);
      else this.#reply({ kind: "done", id: job.id, result: turn.value }, buffersOf(turn.value));
    } catch (error) {
      this.#fail(job.id, error);
    }
  }

  async #close(): Promise<void> {
    // All jobs have been cancelled; none comes any more.
    this.#isClosing = true;
    await this.#working;
    this.#reader.close();
    this.#port.close();
  }

  #fail(id: number, error: unknown): void {
    // What SQLite reports is the storage's fault; any other error is ours.
    const isSqlite = error instanceof Error && "errcode" in error;
    const fault = toFault(isSqlite ? storageError(error, logFilePath(this.#folder)) : error);
    this.#reply({ kind: "failed", id, fault });
  }

  #reply(message: ScannerReply, buffers: readonly ArrayBufferLike[] = []): void {
    this.#port.postMessage(
      message,
      buffers.filter((buffer) => buffer instanceof ArrayBuffer),
    );
  }
}

/** The buffer of a block, to be handed over. */
function buffersOf(result: Result): ArrayBufferLike[] {
  return typeof result === "object" && "buffer" in result ? [result.buffer] : [];
}

if (parentPort !== null) {
  lowerThreadPriority(niceness);
  new Scanner(parentPort, workerData);
}
