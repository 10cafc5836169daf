/**
 * Entries become bytes the moment they are written, side by side in one buffer,
 * and the buffer a batch when it is full. No object is kept of any.
 */
import { type EntryDefaults, EntryEncoder, encodeItem, type LogEntryInit, limits } from "@logsvc/client";

/** When a batch is full, and what its entries have by default. */
export interface EntryBatcherOptions {
  readonly entriesMax: number;
  readonly bytesMax: number;
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>> | undefined;
}

/** Encoded entries, side by side. */
export interface EncodedBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
}

const nanosecondsPerMillisecond = 1_000_000n;

/** Fills batches. */
export class EntryBatcher {
  readonly #encoder = new EntryEncoder();
  readonly #options: EntryBatcherOptions;
  readonly #defaults: EntryDefaults & { timestamp: bigint };
  #nowMs = Number.NaN;
  #count = 0;

  constructor(options: EntryBatcherOptions) {
    const { service, attributes } = options;
    this.#options = options;
    // A copy: what the caller does with its object later is not meant for us.
    this.#defaults = { timestamp: 0n, service, attributes: attributes && { ...attributes } };
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#encoder.length;
  }

  get isFull(): boolean {
    return this.#count >= this.#options.entriesMax || this.#encoder.length >= this.#options.bytesMax;
  }

  /**
   * Adds an entry.
   *
   * @param nowMs Unix milliseconds.
   * @returns Why it can't be sent; undefined: it was added.
   */
  add(entry: LogEntryInit, nowMs: number): string | undefined {
    if (nowMs !== this.#nowMs) {
      // Once a millisecond: bigints are slow.
      this.#nowMs = nowMs;
      this.#defaults.timestamp = BigInt(Math.trunc(nowMs)) * nanosecondsPerMillisecond;
    }
    const before = this.#encoder.length;
    try {
      const length = encodeItem(this.#encoder, entry, this.#defaults);
      if (length > limits.entryBytesMax) {
        this.#encoder.truncate(before);
        return `entry: ${length} bytes, the limit is ${limits.entryBytesMax}`;
      }
    } catch (reason) {
      return reason instanceof Error ? reason.message : String(reason);
    }
    this.#count++;
    return undefined;
  }

  /** What was added since the last call. */
  take(): EncodedBatch {
    const batch = { bytes: this.#encoder.view().slice(), count: this.#count };
    this.#encoder.clear();
    this.#count = 0;
    return batch;
  }
}
