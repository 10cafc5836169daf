/**
 * Entries on their way into the log: valid ones go into the engine's batch,
 * the others are remembered with their reasons, and once the batch is stored
 * each entry's answer is known.
 */
import { type AppendResult, type EntryBatch, EntryBatchBuilder } from "@logsvc/engine";
import type { LogEntry } from "@logsvc/proto";
import { normalizeEntry } from "./validate-entry.ts";

/** The answer to one entry: LogResponse. */
export interface EntryAnswer {
  readonly accepted: boolean;
  readonly id: string;
  readonly reason: string;
  readonly retryable: boolean;
  readonly duplicate: boolean;
  readonly sequence: bigint;
}

/** The answer to one batch: WriteLogsResponse. */
export interface BatchAnswer {
  readonly accepted: number;
  readonly duplicates: number;
  readonly firstId: string;
  readonly lastId: string;
  readonly rejections: EntryRejection[];
}

/** Why one entry of a batch was not accepted: Rejection. */
export interface EntryRejection {
  readonly index: number;
  readonly reason: string;
  readonly retryable: boolean;
}

/**
 * What an entry weighs in flight beside its bytes, about: its answer and its
 * bookkeeping. Without it a flood of tiny or invalid entries weighed nothing.
 */
export const entryOverheadBytes = 128;

/** Takes entries one by one, for one append. */
export class Intake {
  readonly #builder: EntryBatchBuilder;
  readonly #arrivalTime: () => bigint;
  readonly #hasProducer: boolean;
  readonly #sequences: bigint[] = [];
  readonly #rejections: EntryRejection[] = [];
  #lastSequence = 0n;

  /** @param producerId Who numbers the entries; empty: nobody. */
  constructor(producerId: string, arrivalTime: () => bigint) {
    this.#hasProducer = producerId !== "";
    this.#builder = new EntryBatchBuilder(this.#hasProducer ? producerId : undefined);
    this.#arrivalTime = arrivalTime;
  }

  /** How many entries were taken, valid or not. */
  get count(): number {
    return this.#sequences.length;
  }

  /** How many of them are valid. */
  get validCount(): number {
    return this.#builder.count;
  }

  /** How many of them are not. */
  get rejectedCount(): number {
    return this.#rejections.length;
  }

  /** Bytes of the valid ones, encoded. */
  get byteLength(): number {
    return this.#builder.byteLength;
  }

  /** What they weigh in flight: valid or not, answered they must be. */
  get weight(): number {
    return this.byteLength + this.count * entryOverheadBytes;
  }

  /**
   * Whether an entry's sequence lies behind one already taken. An append's
   * sequences must rise, so such an entry belongs into another one.
   */
  isBehind(entry: LogEntry): boolean {
    return this.#hasProducer && entry.sequence !== 0n && entry.sequence <= this.#lastSequence;
  }

  /** Takes an entry over: normalises and encodes it, or remembers why not. */
  add(entry: LogEntry): void {
    const index = this.#sequences.length;
    this.#sequences.push(entry.sequence);
    const reason = this.isBehind(entry)
      ? `sequence: must rise within a batch, got ${entry.sequence} after ${this.#lastSequence}`
      : normalizeEntry(entry, this.#arrivalTime);
    if (reason !== undefined) {
      this.#rejections.push({ index, reason, retryable: false });
      return;
    }
    if (entry.sequence !== 0n) this.#lastSequence = entry.sequence;
    this.#builder.add(entry, Number(entry.sequence));
  }

  /** The valid entries, for the engine. To be called once. */
  build(): EntryBatch {
    return this.#builder.build();
  }

  /** Each entry's answer, in order. */
  entryAnswers(result: AppendResult): EntryAnswer[] {
    const answers: EntryAnswer[] = [];
    let rejected = 0;
    for (const [index, sequence] of this.#sequences.entries()) {
      const rejection = this.#rejections[rejected];
      if (rejection?.index === index) {
        rejected += 1;
        const { reason, retryable } = rejection;
        answers.push({ accepted: false, id: "", reason, retryable, duplicate: false, sequence });
        continue;
      }
      const stored = index - rejected;
      answers.push({
        accepted: true,
        id: result.idAt(stored),
        reason: "",
        retryable: false,
        duplicate: result.isDuplicate(stored),
        sequence,
      });
    }
    return answers;
  }

  /** The answer to all of them as one batch. */
  batchAnswer(result: AppendResult): BatchAnswer {
    return {
      accepted: this.#builder.count,
      duplicates: result.duplicates,
      firstId: result.firstId,
      lastId: result.lastId,
      rejections: this.#rejections,
    };
  }
}
