/**
 * Threads that read the log: on each some jobs take turns, further ones wait in
 * the order they came. Threads are started when there is work for them.
 */
import type { Worker } from "node:worker_threads";
import { EngineError } from "../engine-error.ts";
import type {
  ScanJob,
  ScanJobs,
  ScannerReply,
  ScannerRequest,
  ScannerSettings,
  ScanStep,
} from "./scan-jobs.ts";
import { startWorker } from "./start-worker.ts";
import { fromFault } from "./thread-messages.ts";

/**
 * Jobs that take turns on a thread. Each holds what it has found, which
 * scan-turns.ts bounds for all together, and half a megabyte to work with, but
 * no block.
 */
const turnsMax = 32;

/** How a pool works. */
export interface ScanPoolOptions {
  /** For messages and the threads' names. */
  readonly name: string;
  readonly threads: number;
  /** Jobs that wait at the most; beyond it a job is refused as `unavailable`. */
  readonly waitingMax: number;
}

/** Options of one job. */
export interface ScanOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of each part of the answer. */
  readonly onStep?: (step: ScanStep) => void;
}

interface Task {
  readonly job: ScanJob;
  readonly cancelled: SharedArrayBuffer;
  readonly onStep: (step: ScanStep) => void;
  readonly resolve: (result: ScanJobs[keyof ScanJobs]["result"]) => void;
  readonly reject: (error: unknown) => void;
}

/** A pool of scan workers. */
export class ScanPool {
  readonly #settings: ScannerSettings;
  readonly #options: ScanPoolOptions;
  readonly #waiting = new Set<Task>();
  readonly #threads = new Set<ScanThread>();
  #closed: EngineError | undefined;

  constructor(settings: ScannerSettings, options: ScanPoolOptions) {
    this.#settings = settings;
    this.#options = options;
  }

  /**
   * Runs a job. When the signal aborts, the job stops soon, and the promise is
   * rejected at once with the signal's reason.
   */
  run<K extends keyof ScanJobs>(
    kind: K,
    request: ScanJobs[K]["request"],
    { signal, onStep = ignoreStep }: ScanOptions = {},
  ): Promise<ScanJobs[K]["result"]> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#waiting.size >= this.#options.waitingMax) {
      const reason = `${this.#waiting.size} ${this.#options.name} wait, at most ${this.#options.waitingMax} may`;
      return Promise.reject(new EngineError("unavailable", reason));
    }
    const answer = Promise.withResolvers<ScanJobs[K]["result"]>();
    const task: Task = {
      // The two belong together by this function's signature, which the compiler can't see through.
      job: { kind, ...request } as ScanJob,
      cancelled: new SharedArrayBuffer(4),
      onStep,
      resolve: answer.resolve,
      reject: answer.reject,
    };
    const abort = () => this.#abort(task, signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#waiting.add(task);
    this.#dispatch();
    return answer.promise.finally(() => signal?.removeEventListener("abort", abort));
  }

  /** Refuses what waits and what comes with this error, stops what runs, and ends the threads. */
  async close(error: EngineError): Promise<void> {
    this.#closed ??= error;
    for (const task of this.#waiting) task.reject(this.#closed);
    this.#waiting.clear();
    await Promise.all([...this.#threads].map((thread) => thread.close(error)));
  }

  #abort(task: Task, reason: unknown): void {
    this.#waiting.delete(task);
    Atomics.store(new Int32Array(task.cancelled), 0, 1);
    task.reject(reason);
  }

  #dispatch(): void {
    for (const task of this.#waiting) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      this.#waiting.delete(task);
      thread.run(task);
    }
  }

  /** The one with the fewest jobs; a new one where each has some already, as long as there may be more. */
  #freeThread(): ScanThread | undefined {
    let free: ScanThread | undefined;
    for (const thread of this.#threads) {
      if (thread.jobs < (free?.jobs ?? turnsMax)) free = thread;
    }
    if (free?.jobs === 0 || this.#threads.size >= this.#options.threads) return free;
    const thread: ScanThread = new ScanThread(this.#settings, this.#options.name, {
      free: () => this.#dispatch(),
      ended: () => {
        this.#threads.delete(thread);
        if (this.#closed === undefined) this.#dispatch();
      },
    });
    this.#threads.add(thread);
    return thread;
  }
}

/** One thread, and the jobs that it runs. */
class ScanThread {
  readonly #worker: Worker;
  readonly #exited = Promise.withResolvers<void>();
  readonly #tasks = new Map<number, Task>();
  #lastId = 0;
  #failed = false;

  constructor(settings: ScannerSettings, name: string, on: { free: () => void; ended: () => void }) {
    this.#worker = startWorker("scanner", `logsvc ${name}`, settings);
    this.#worker.on("message", (reply: ScannerReply) => {
      this.#take(reply);
      if (reply.kind !== "step") on.free();
    });
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => {
      this.#fail(new Error(`it ended with code ${code}`));
      on.ended();
      this.#exited.resolve();
    });
  }

  /** How many it has; one that has failed takes none. */
  get jobs(): number {
    return this.#failed ? Number.POSITIVE_INFINITY : this.#tasks.size;
  }

  run(task: Task): void {
    const id = ++this.#lastId;
    this.#tasks.set(id, task);
    this.#send({ kind: "run", id, job: task.job, cancelled: task.cancelled });
  }

  close(error: EngineError): Promise<void> {
    for (const task of this.#tasks.values()) {
      Atomics.store(new Int32Array(task.cancelled), 0, 1);
      task.reject(error);
    }
    this.#send({ kind: "close" });
    return this.#exited.promise;
  }

  #send(request: ScannerRequest): void {
    this.#worker.postMessage(request);
  }

  #take(reply: ScannerReply): void {
    const task = this.#tasks.get(reply.id);
    if (task === undefined) return;
    if (reply.kind === "step") {
      task.onStep(reply.step);
      return;
    }
    this.#tasks.delete(reply.id);
    if (reply.kind === "done") task.resolve(reply.result);
    else task.reject(fromFault(reply.fault));
  }

  #fail(cause: unknown): void {
    this.#failed = true;
    const why = cause instanceof Error ? cause.message : String(cause);
    const error = new EngineError("unavailable", `a thread that reads the log has failed: ${why}`, { cause });
    for (const task of this.#tasks.values()) task.reject(error);
    this.#tasks.clear();
  }
}

/** For jobs that answer in one piece. */
function ignoreStep(): void {
  // Nobody asked for steps.
}
