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
import { type LogEntry, LogEntrySchema, SpareBuffers, severityOf } from "@logsvc/proto";

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

/** What an entry's tag and length take, at the most. */
const entryHeadBytesMax = 6;

/** Bytes of an entry, at a guess: how many entries the capacity in bytes is for. */
const entryBytesGuess = 64;

/** From so many bytes on a batch's buffer is worth using again. */
const spareBytesMin = 32 * 1024;

/** The buffers of large batches: whoever has stored one gives its buffer back. Enough for what is stored at one time. */
export const batchBuffers: SpareBuffers = new SpareBuffers(640 * 1024, 8);

const builtHere = new WeakSet<EntryBatch>();

/**
 * Whether nobody else has a part of the batch's buffers, which may be larger
 * than what the batch uses of them: such a batch can be handed over without
 * being copied.
 */
export function hasOwnBuffers(batch: EntryBatch): boolean {
  return builtHere.has(batch);
}

/**
 * Builds one batch, entry by entry: from objects (`add`), or from bytes that
 * the caller writes into the batch itself (`reserve`, then `commit`).
 */
export class EntryBatchBuilder {
  readonly #producerId: string | undefined;
  #count = 0;
  #length = 0;
  #bytes: Uint8Array<ArrayBuffer>;
  #ends: Uint32Array<ArrayBuffer>;
  /** Two words an entry, the low one first: what a BigInt64Array holds, without a bigint for each. */
  #timestamps: Uint32Array<ArrayBuffer>;
  #severities: Uint8Array<ArrayBuffer>;
  /** From the first entry on that has one. */
  #sequences: Float64Array<ArrayBuffer> | undefined;

  /**
   * @param producerId Who numbers the entries; without one their sequences are not looked at.
   * @param capacityBytes Room to begin with; it grows as needed.
   */
  constructor(producerId?: string, capacityBytes = 1024) {
    const entries = Math.ceil(capacityBytes / entryBytesGuess);
    this.#producerId = producerId;
    this.#bytes = allocate(capacityBytes);
    this.#ends = new Uint32Array(entries);
    this.#timestamps = new Uint32Array(entries * 2);
    this.#severities = new Uint8Array(entries);
  }

  /** How many entries were added. */
  get count(): number {
    return this.#count;
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
    const bytes = this.reserve(encoded.length + entryHeadBytesMax);
    let at = this.#length;
    bytes[at++] = entryTag;
    for (let rest = encoded.length; ; rest >>>= 7) {
      bytes[at++] = rest > 0x7f ? (rest & 0x7f) | 0x80 : rest;
      if (rest <= 0x7f) break;
    }
    bytes.set(encoded, at);
    this.commit(at + encoded.length, {
      timestampLow: Number(BigInt.asUintN(32, entry.timestamp)),
      timestampHigh: Number(BigInt.asUintN(32, entry.timestamp >> 32n)),
      severity: severityOf(entry.level),
      sequence,
    });
  }

  /**
   * Makes room for so many more bytes and returns the batch's own, of which
   * those from `byteLength` on are the caller's to write. They are part of the
   * batch only after `commit`.
   */
  reserve(bytes: number): Uint8Array<ArrayBuffer> {
    const needed = this.#length + bytes;
    if (needed > this.#bytes.length) {
      const grown = allocate(Math.max(this.#bytes.length * 2, needed));
      grown.set(this.#bytes.subarray(0, this.#length));
      batchBuffers.giveBack(this.#bytes.buffer);
      this.#bytes = grown;
    }
    return this.#bytes;
  }

  /**
   * Adds the entry that was written from `byteLength` on: its tag, its length
   * and its encoding, valid and normalised.
   *
   * @param end Where it ends in the batch's bytes.
   */
  commit(end: number, marks: EntryMarks): void {
    const index = this.#count;
    if (index === this.#ends.length) this.#growMarks();
    this.#ends[index] = end;
    this.#timestamps[index * 2] = marks.timestampLow;
    this.#timestamps[index * 2 + 1] = marks.timestampHigh;
    this.#severities[index] = marks.severity;
    if (marks.sequence !== 0 && this.#producerId !== undefined) {
      this.#sequences ??= new Float64Array(this.#ends.length);
      this.#sequences[index] = marks.sequence;
    }
    this.#length = end;
    this.#count = index + 1;
  }

  /** The batch. The builder must not be used afterwards. */
  build(): EntryBatch {
    const timestamps = fit(this.#timestamps, this.#count * 2);
    const batch: EntryBatch = {
      count: this.#count,
      bytes: this.#fitBytes(),
      ends: fit(this.#ends, this.#count),
      timestamps: new BigInt64Array(timestamps.buffer, 0, this.#count),
      severities: fit(this.#severities, this.#count),
      ...(this.#producerId !== undefined && this.#sequences !== undefined
        ? { producerId: this.#producerId, sequences: fit(this.#sequences, this.#count) }
        : {}),
    };
    builtHere.add(batch);
    return batch;
  }

  /** A buffer that comes back is handed over whole when a quarter of it is used. */
  #fitBytes(): Uint8Array {
    const bytes = this.#bytes;
    if (!batchBuffers.isOurs(bytes.buffer)) return fit(bytes, this.#length);
    if (this.#length * 4 >= bytes.length) return bytes.subarray(0, this.#length);
    const copy = bytes.slice(0, this.#length);
    batchBuffers.giveBack(bytes.buffer);
    return copy;
  }

  #growMarks(): void {
    const entries = Math.max(16, this.#ends.length * 2);
    const ends = new Uint32Array(entries);
    ends.set(this.#ends);
    this.#ends = ends;
    const timestamps = new Uint32Array(entries * 2);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
    const severities = new Uint8Array(entries);
    severities.set(this.#severities);
    this.#severities = severities;
    if (this.#sequences === undefined) return;
    const sequences = new Float64Array(entries);
    sequences.set(this.#sequences);
    this.#sequences = sequences;
  }
}

/** What a batch holds of an entry besides its bytes. */
export interface EntryMarks {
  /** The lower 32 bits of its timestamp in nanoseconds, signed or not. */
  readonly timestampLow: number;
  /** The upper ones. */
  readonly timestampHigh: number;
  readonly severity: number;
  /** Its number in its producer's count; 0: none. */
  readonly sequence: number;
}

function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  return bytes < spareBytesMin ? new Uint8Array(bytes) : batchBuffers.take(bytes);
}

/** The used part of an array: as it is where it is most of it, else a copy, so that a lonely entry is small. */
function fit<View extends { readonly length: number; subarray(from: number, to: number): View }>(
  array: View & { slice(from: number, to: number): View },
  length: number,
): View {
  return length * 2 >= array.length ? array.subarray(0, length) : array.slice(0, length);
}
