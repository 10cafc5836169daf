/**
 * Entries on their way out, as frames side by side. One buffer is filled while
 * the other is sent; they change places when that is done.
 *
 *   add ─▶ filling          sending ─▶ take: a run of frames
 */
import {
  Code,
  ConnectError,
  EntryEncoder,
  encodeFrame,
  frameHeaderBytes,
  type LogEntryInit,
  limits,
  messageLengthAt,
} from "@logsvc/client";

/** Frames to send with one write. */
export interface OutgoingRun {
  /** Good until the next `take`. */
  readonly frames: Uint8Array;
  /** How many frames these are. */
  readonly count: number;
}

/** A run's bytes, unless a single frame has more: so many entries that a run's own cost is nothing to each. */
const runBytesMax = 256 * 1024;

/** A queue of frames. */
export class OutgoingFrames {
  #filling = new EntryEncoder();
  #sending = new EntryEncoder();
  /** How much of `#sending` was taken. */
  #taken = 0;

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Bytes that were added and not taken. */
  get bytes(): number {
    return this.#filling.length + this.#sending.length - this.#taken;
  }

  /**
   * Adds an entry after those before.
   *
   * @throws RangeError when a timestamp or a sequence is not one; TypeError when
   *   another field has a value that can't be encoded; ConnectError
   *   ResourceExhausted when the entry is longer than any message may be.
   */
  add(entry: LogEntryInit): void {
    const start = this.#filling.length;
    const length = encodeFrame(this.#filling, entry);
    if (length <= limits.batchBytesMax) return;
    this.#filling.truncate(start);
    const message = `an entry has ${length} bytes, the limit is ${limits.batchBytesMax}`;
    throw new ConnectError(message, Code.ResourceExhausted);
  }

  /** Adds entries, all or none. Throws as `add`. */
  addAll(entries: readonly LogEntryInit[]): void {
    const start = this.#filling.length;
    try {
      for (const entry of entries) this.add(entry);
    } catch (reason) {
      this.#filling.truncate(start);
      throw reason;
    }
  }

  /** The next frames, `countMax` of them at the most; call it only when there are some. */
  take(countMax: number): OutgoingRun {
    if (this.#taken === this.#sending.length) this.#swap();
    const bytes = this.#sending.view();
    const start = this.#taken;
    let end = start;
    let count = 0;
    while (end < bytes.length && count < countMax) {
      const next = end + frameHeaderBytes + messageLengthAt(bytes, end);
      if (count > 0 && next - start > runBytesMax) break;
      end = next;
      count++;
    }
    this.#taken = end;
    return { frames: bytes.subarray(start, end), count };
  }

  #swap(): void {
    const sent = this.#sending;
    sent.clear();
    this.#sending = this.#filling;
    this.#filling = sent;
    this.#taken = 0;
  }
}
