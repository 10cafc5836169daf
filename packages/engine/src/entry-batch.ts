/**
 * A batch of entries as bytes: what ingest builds, what the engine stores and
 * what tails send. There are no entry objects between the wire and the disk.
 *
 *   bytes       0x0A, varint length, LogEntry │ 0x0A, varint length, LogEntry │ …
 *   ends                                      ▲ ends[0]                       ▲ ends[1]
 *   timestamps  Unix nanoseconds, one an entry, as in the entry
 *   severities  1 to 24 or 0, one an entry, of the entry's level
 *
 * So `bytes` is the encoding of a message whose field 1 is `repeated LogEntry`
 * (WriteLogsRequest is one), and an entry's own encoding is what follows its
 * length.
 */
import { toBinary } from "@bufbuild/protobuf";
import { type LogEntry, LogEntrySchema, severityOf } from "@logsvc/proto";

/** Entries, normalised and encoded. */
export interface EntryBatch {
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly timestamps: BigInt64Array;
  readonly severities: Uint8Array;
  /** Who numbers the entries. Absent: `sequences` is of no meaning. */
  readonly producerId?: string;
  /** One an entry, 0 for none, rising. Absent: none has one. */
  readonly sequences?: Float64Array;
}

/** Tag of field 1, length-delimited. */
const entryTag = 0x0a;

/** Builds one batch, entry by entry. */
export class EntryBatchBuilder {
  readonly #producerId: string | undefined;
  #bytes: Uint8Array;
  #length = 0;
  #ends: number[] = [];
  #timestamps: bigint[] = [];
  #severities: number[] = [];
  #sequences: number[] = [];
  #hasSequence = false;

  /** @param producerId Who numbers the entries; without one their sequences are not looked at. */
  constructor(producerId?: string, capacityBytes = 4096) {
    this.#producerId = producerId;
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** How many entries were added. */
  get count(): number {
    return this.#ends.length;
  }

  /** How many bytes they take. */
  get byteLength(): number {
    return this.#length;
  }

  /**
   * Adds an entry that is valid and normalised: known level names, timestamp in
   * nanoseconds.
   *
   * @param sequence Its number in its producer's count; 0: none.
   */
  add(entry: LogEntry, sequence = 0): void {
    const encoded = toBinary(LogEntrySchema, entry);
    this.#reserve(encoded.length + 6);
    this.#bytes[this.#length++] = entryTag;
    this.#writeVarint(encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
    this.#ends.push(this.#length);
    this.#timestamps.push(entry.timestamp);
    this.#severities.push(severityOf(entry.level));
    this.#sequences.push(sequence);
    if (sequence !== 0) this.#hasSequence = true;
  }

  /** The batch. The builder must not be used afterwards. */
  build(): EntryBatch {
    return {
      count: this.#ends.length,
      // A copy of just what is used: the batch goes to another thread by transfer.
      bytes: this.#bytes.slice(0, this.#length),
      ends: Uint32Array.from(this.#ends),
      timestamps: BigInt64Array.from(this.#timestamps),
      severities: Uint8Array.from(this.#severities),
      ...(this.#producerId !== undefined && this.#hasSequence
        ? { producerId: this.#producerId, sequences: Float64Array.from(this.#sequences) }
        : {}),
    };
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #writeVarint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }
}

/** The encoding of one entry of a batch or block: the LogEntry without its tag and length. */
export function entryBytesAt(
  batch: { readonly bytes: Uint8Array; readonly ends: Uint32Array },
  index: number,
): Uint8Array {
  const end = batch.ends[index];
  if (end === undefined) throw new RangeError(`entry ${index} of ${batch.ends.length}`);
  let start = index === 0 ? 0 : (batch.ends[index - 1] ?? 0);
  start += 1; // the tag
  while ((batch.bytes[start] ?? 0) > 0x7f) start++;
  return batch.bytes.subarray(start + 1, end);
}
