/**
 * Entries on their way into the log: valid ones go into the engine's batch,
 * the others are remembered with their reasons, and once the batch is stored
 * each entry's answer is known.
 */
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { type AppendResult, type EntryBatch, EntryBatchBuilder } from "@logsvc/engine";
import { type LogEntry, LogEntrySchema } from "@logsvc/proto";
import { RequestError } from "../request-error.ts";
import { ArrivalClock } from "./arrival-clock.ts";
import { EncodedEntry } from "./encoded-entry.ts";
import { normalizeEntry } from "./validate-entry.ts";

/** Encoded entries of a stream that have arrived together. */
export interface EncodedRun {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** Two an entry: where its own encoding begins in `bytes`, and where it ends. */
  readonly ranges: Uint32Array;
}

/** The answer to one entry: LogResponse. */
export interface EntryAnswer {
  readonly accepted: boolean;
  readonly id: string;
  readonly reason: string;
  readonly retryable: boolean;
  readonly duplicate: boolean;
  readonly sequence: bigint;
}

/** The answers to consecutive entries, with no object for each that was accepted. */
export interface RunAnswers {
  /** How many entries they answer. */
  readonly count: number;
  /** Of the accepted ones, which it counts from 0 without those between them. */
  readonly result: AppendResult;
  /** The others, by rising index. */
  readonly rejections: readonly EntryRefusal[];
  /** One an entry, as sent, 0 for none; a rejected one's may be rounded. Undefined: none has one. */
  readonly sequences: Float64Array | undefined;
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

/** The same, with the entry's sequence, as sent. */
export interface EntryRefusal extends EntryRejection {
  readonly sequence: bigint;
}

/**
 * What an entry weighs in flight beside its bytes, about: its answer and its
 * bookkeeping. Without it a flood of tiny or invalid entries weighed nothing.
 */
export const entryOverheadBytes = 128;

/** How entries are read and normalised: one for all intakes, one entry at a time. */
export class EntryRules {
  readonly #clock = new ArrivalClock();
  /** For entries as bytes. */
  readonly encoded: EncodedEntry = new EncodedEntry(this.#clock);

  /** For entries as objects, see normalizeEntry. */
  normalize(entry: LogEntry): string | undefined {
    return normalizeEntry(entry, () => this.#clock.tick().toBigInt());
  }
}

/** Takes entries one by one, for one append. */
export class Intake {
  readonly #builder: EntryBatchBuilder;
  readonly #rules: EntryRules;
  readonly #hasProducer: boolean;
  readonly #rejections: EntryRefusal[] = [];
  #count = 0;
  /** From the first entry on that has one. */
  #sequences: Float64Array | undefined;
  #lastSequence = 0;

  /**
   * @param producerId Who numbers the entries; empty: nobody.
   * @param capacityBytes How much is expected, if that is known.
   */
  constructor(producerId: string, rules: EntryRules, capacityBytes?: number) {
    this.#hasProducer = producerId !== "";
    this.#builder = new EntryBatchBuilder(this.#hasProducer ? producerId : undefined, capacityBytes);
    this.#rules = rules;
  }

  /** How many entries were taken, valid or not. */
  get count(): number {
    return this.#count;
  }

  /** How many of them are valid. */
  get validCount(): number {
    return this.#builder.count;
  }

  /** How many are not. */
  get rejectedCount(): number {
    return this.#rejections.length;
  }

  /** Bytes of the valid ones, encoded. */
  get byteLength(): number {
    return this.#builder.byteLength;
  }

  /** What they weigh in flight: valid or not, answered they must be. */
  get weight(): number {
    return this.byteLength + this.#count * entryOverheadBytes;
  }

  /**
   * Whether an entry's sequence lies behind one already taken. An append's
   * sequences must rise, so such an entry belongs into another one.
   */
  isBehind(sequence: number | bigint): boolean {
    return this.#hasProducer && Number(sequence) !== 0 && sequence <= this.#lastSequence;
  }

  /** Takes an entry over: normalises and encodes it, or remembers why not. */
  add(entry: LogEntry): void {
    const { sequence } = entry;
    const reason = this.isBehind(sequence)
      ? `sequence: must rise within a batch, got ${sequence} after ${this.#lastSequence}`
      : this.#rules.normalize(entry);
    if (reason === undefined) {
      this.#builder.add(entry, Number(sequence));
      this.#lastSequence = Number(sequence) || this.#lastSequence;
    } else {
      this.#rejections.push({ index: this.#count, reason, retryable: false, sequence });
    }
    this.#note(Number(sequence));
  }

  /**
   * Takes the encoded entry at `bytes[from…to)`, as `add` does, unless its
   * sequence lies behind.
   *
   * @param sequence Counts in place of the entry's own; 0: its own counts.
   * @returns False: it lies behind, and was not taken.
   * @throws RequestError `invalid`: it is not protobuf, and was not taken.
   */
  addEncoded(bytes: Uint8Array, from: number, to: number, sequence = 0): boolean {
    const { encoded } = this.#rules;
    if (!encoded.read(bytes, from, to)) return this.#addUnusual(bytes.subarray(from, to), sequence);
    const counted = sequence === 0 ? encoded.sequence : sequence;
    if (counted !== 0) {
      if (this.isBehind(counted)) return false;
      this.#lastSequence = counted;
    }
    encoded.writeTo(this.#builder, counted);
    this.#note(counted);
    return true;
  }

  /** The valid entries, for the engine. To be called once. */
  build(): EntryBatch {
    return this.#builder.build();
  }

  /** Each entry's answer, in order. */
  entryAnswers(result: AppendResult): EntryAnswer[] {
    const answers: EntryAnswer[] = [];
    let rejected = 0;
    for (let index = 0; index < this.#count; index++) {
      const rejection = this.#rejections[rejected];
      if (rejection?.index === index) {
        rejected += 1;
        const { reason, retryable, sequence } = rejection;
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
        sequence: BigInt(this.#sequences?.[index] ?? 0),
      });
    }
    return answers;
  }

  /** The same, as a whole. */
  runAnswers(result: AppendResult): RunAnswers {
    return {
      count: this.#count,
      result,
      rejections: this.#rejections,
      sequences: this.#sequences?.subarray(0, this.#count),
    };
  }

  /** The answer to all of them as one batch. */
  batchAnswer(result: AppendResult): BatchAnswer {
    return {
      accepted: this.#builder.count,
      duplicates: result.duplicates,
      firstId: result.firstId,
      lastId: result.lastId,
      rejections: this.#rejections.map(({ index, reason, retryable }) => ({ index, reason, retryable })),
    };
  }

  #addUnusual(bytes: Uint8Array, sequence: number): boolean {
    const entry = decodeEntry(bytes);
    if (sequence !== 0) entry.sequence = BigInt(sequence);
    if (this.isBehind(entry.sequence)) return false;
    this.add(entry);
    return true;
  }

  /** Counts an entry that was taken, valid or not. */
  #note(sequence: number): void {
    const index = this.#count++;
    if (sequence === 0) return;
    if (this.#sequences === undefined || index >= this.#sequences.length) {
      const grown = new Float64Array(Math.max(64, this.#count * 2));
      if (this.#sequences !== undefined) grown.set(this.#sequences);
      this.#sequences = grown;
    }
    this.#sequences[index] = sequence;
  }
}

/**
 * Decodes one entry.
 *
 * @throws RequestError `invalid`: it is not protobuf.
 */
export function decodeEntry(bytes: Uint8Array): LogEntry {
  return decodeMessage(LogEntrySchema, bytes);
}

/**
 * Decodes a message as Connect would, and says in its words what is none.
 *
 * @throws RequestError `invalid`
 */
export function decodeMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new RequestError("invalid", `parse binary: ${message}`);
  }
}
