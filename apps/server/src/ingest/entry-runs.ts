/** How a stream's entries become appends. */
import type { AppendResult } from "@logsvc/engine";
import type { LogEntry } from "@logsvc/proto";
import type { AnswerStream } from "./answer-stream.ts";
import { type EncodedRun, type EntryRules, Intake } from "./intake.ts";

/**
 * A stream's entries are appended together while they arrive together, at most
 * so many bytes at a time: large enough to cost little an entry, small enough
 * to be answered soon.
 */
const runBytesMax = 512 * 1024;

/** One run being committed, and one to be committed next. */
const runsStoringMax = 2;

/** What a frame's header (5 bytes) is short of a batch's entry head, its INFO and its nanoseconds, at the most. */
const growthBytesMax = 16;

/**
 * A stream's entries on their way to the engine, in runs. What arrives in one
 * turn of the event loop is one run; while some are being stored the next one
 * grows, so that a fast stream needs few appends and a slow one waits for
 * nothing.
 */
export class EntryRuns<Answers> {
  readonly #producerId: string;
  readonly #rules: EntryRules;
  readonly #store: (intake: Intake) => Promise<AppendResult>;
  readonly #answersOf: (intake: Intake, result: AppendResult) => Answers;
  #run: Intake | undefined;
  /** What of the growing run's weight is counted in the stream's bytes in flight. */
  #countedBytes = 0;
  #timer: NodeJS.Immediate | undefined;
  #storing = 0;

  constructor(
    producerId: string,
    options: {
      readonly rules: EntryRules;
      readonly store: (intake: Intake) => Promise<AppendResult>;
      readonly answersOf: (intake: Intake, result: AppendResult) => Answers;
    },
  ) {
    this.#producerId = producerId;
    this.#rules = options.rules;
    this.#store = options.store;
    this.#answersOf = options.answersOf;
  }

  /** Takes an entry over, to be stored with all others that arrive in this turn of the event loop. */
  add(entry: LogEntry, stream: AnswerStream<Answers>): void {
    if (this.#run?.isBehind(entry.sequence)) this.flush(stream);
    if (this.#run === undefined) {
      this.#run = new Intake(this.#producerId, this.#rules);
      if (this.#storing < runsStoringMax) this.#flushSoon(stream);
    }
    this.#run.add(entry);
    this.#count(this.#run, stream);
    if (this.#run.byteLength >= runBytesMax) this.flush(stream);
  }

  /**
   * Takes entries over that were gathered already: they wait only while enough
   * is being stored.
   *
   * @throws RequestError `invalid`: one of them is not protobuf. Those before it are taken.
   */
  addRun(run: EncodedRun, stream: AnswerStream<Answers>): void {
    const { bytes, count, ranges } = run;
    const capacityBytes = Math.min(bytes.length + count * growthBytesMax, runBytesMax + runBytesMax / 8);
    for (let index = 0; index < count; index++) {
      const from = ranges[index * 2] ?? 0;
      const to = ranges[index * 2 + 1] ?? 0;
      this.#run ??= new Intake(this.#producerId, this.#rules, capacityBytes);
      if (!this.#run.addEncoded(bytes, from, to)) {
        this.flush(stream);
        this.#run = new Intake(this.#producerId, this.#rules, capacityBytes);
        this.#run.addEncoded(bytes, from, to);
      }
      if (this.#run.byteLength >= runBytesMax) this.flush(stream);
    }
    if (this.#run === undefined) return;
    this.#count(this.#run, stream);
    if (this.#storing < runsStoringMax) this.flush(stream);
  }

  /** Stores the run that is growing, if there is one. */
  flush(stream: AnswerStream<Answers>): void {
    clearImmediate(this.#timer);
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined || run.count === 0) return;
    this.#count(run, stream);
    this.#countedBytes = 0;
    this.#storing += 1;
    const answers = this.#store(run)
      .then((result) => this.#answersOf(run, result))
      .finally(() => {
        this.#storing -= 1;
        if (this.#run !== undefined) this.#flushSoon(stream);
      });
    const { weight } = run;
    stream.queue.push(answers, () => stream.release(weight));
  }

  /**
   * Drops the run that is growing: its stream has ended, and nobody was told
   * that it is stored.
   *
   * @returns The bytes in flight that were dropped.
   */
  close(): number {
    clearImmediate(this.#timer);
    const bytes = this.#countedBytes;
    this.#run = undefined;
    this.#countedBytes = 0;
    return bytes;
  }

  /** Counts what the growing run has grown by. */
  #count(run: Intake, stream: AnswerStream<Answers>): void {
    const { weight } = run;
    stream.add(weight - this.#countedBytes);
    this.#countedBytes = weight;
  }

  /** Everything that the stream has received by now comes before the flush. */
  #flushSoon(stream: AnswerStream<Answers>): void {
    clearImmediate(this.#timer);
    this.#timer = setImmediate(() => this.flush(stream));
  }
}
