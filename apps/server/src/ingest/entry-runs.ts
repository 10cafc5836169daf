/** How a stream's entries become appends. */
import type { AppendResult } from "@logsvc/engine";
import type { LogEntry } from "@logsvc/proto";
import type { AnswerStream } from "./answer-stream.ts";
import { type EntryAnswer, entryOverheadBytes, Intake } from "./intake.ts";

/**
 * A stream's entries are appended together while they arrive together, at most
 * so many bytes at a time: large enough to cost little an entry, small enough
 * to be answered soon.
 */
const runBytesMax = 512 * 1024;

/** One run being committed, and one to be committed next. */
const runsStoringMax = 2;

/**
 * A stream's entries on their way to the engine, in runs. What arrives in one
 * turn of the event loop is one run; while some are being stored the next one
 * grows, so that a fast stream needs few appends and a slow one waits for
 * nothing.
 */
export class EntryRuns {
  readonly #producerId: string;
  readonly #arrivalTime: () => bigint;
  readonly #store: (intake: Intake) => Promise<AppendResult>;
  #run: Intake | undefined;
  #timer: NodeJS.Immediate | undefined;
  #storing = 0;

  constructor(
    producerId: string,
    options: {
      readonly arrivalTime: () => bigint;
      readonly store: (intake: Intake) => Promise<AppendResult>;
    },
  ) {
    this.#producerId = producerId;
    this.#arrivalTime = options.arrivalTime;
    this.#store = options.store;
  }

  /** Takes an entry over. */
  add(entry: LogEntry, stream: AnswerStream<EntryAnswer[]>): void {
    if (this.#run?.isBehind(entry)) this.flush(stream);
    if (this.#run === undefined) {
      this.#run = new Intake(this.#producerId, this.#arrivalTime);
      if (this.#storing < runsStoringMax) this.#flushSoon(stream);
    }
    const before = this.#run.byteLength;
    this.#run.add(entry);
    stream.add(this.#run.byteLength - before + entryOverheadBytes);
    if (this.#run.byteLength >= runBytesMax) this.flush(stream);
  }

  /** Stores the run that is growing, if there is one. */
  flush(stream: AnswerStream<EntryAnswer[]>): void {
    clearImmediate(this.#timer);
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    this.#storing += 1;
    const answers = this.#store(run)
      .then((result) => run.entryAnswers(result))
      .finally(() => {
        this.#storing -= 1;
        if (this.#run !== undefined) this.#flushSoon(stream);
      });
    stream.queue.push(answers, () => stream.release(run.weight));
  }

  /**
   * Drops the run that is growing: its stream has ended, and nobody was told
   * that it is stored.
   *
   * @returns The bytes in flight that were dropped.
   */
  close(): number {
    clearImmediate(this.#timer);
    const bytes = this.#run === undefined ? 0 : this.#run.weight;
    this.#run = undefined;
    return bytes;
  }

  /** Everything that the stream has received by now comes before the flush. */
  #flushSoon(stream: AnswerStream<EntryAnswer[]>): void {
    clearImmediate(this.#timer);
    this.#timer = setImmediate(() => this.flush(stream));
  }
}
