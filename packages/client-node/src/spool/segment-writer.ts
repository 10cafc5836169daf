/** The segment of a spool that is being written. See segment-format.ts. */
import { type FileHandle, open, unlink } from "node:fs/promises";
import type { Segment } from "./segment.ts";
import {
  encodeEnd,
  encodeRecordHeader,
  encodeSegmentHeader,
  recordHeaderBytes,
  type SpoolBatch,
} from "./segment-format.ts";
import { segmentPath } from "./spool-places.ts";

/** Writes batches of one producer to a new segment. */
export class SegmentWriter {
  readonly segment: Segment;
  readonly #file: FileHandle;
  #nextSequence = 0;
  #isDirty = true;

  private constructor(segment: Segment, file: FileHandle) {
    this.segment = segment;
    this.#file = file;
  }

  /** Begins a segment, which must not be there. */
  static async begin(
    place: string,
    number: number,
    { producerId, firstSequence }: SpoolBatch,
  ): Promise<SegmentWriter> {
    const path = segmentPath(place, number);
    const bytes = encodeSegmentHeader(producerId, firstSequence);
    const file = await open(path, "wx", 0o600);
    try {
      await writeAll(file, [bytes], 0);
    } catch (error) {
      await file.close();
      await unlink(path);
      throw error;
    }
    const header = { producerId, firstSequence, bytes: bytes.length };
    const counts = { bytes: bytes.length, entries: 0, readEntries: 0, settledEntries: 0 };
    return new SegmentWriter({ number, path, header, ...counts }, file);
  }

  /** Appends batches; returns where each ends. What fails has changed nothing. */
  async append(batches: readonly SpoolBatch[], sync: boolean): Promise<number[]> {
    const { segment } = this;
    const parts = batches.flatMap((batch) => [encodeRecordHeader(batch), batch.bytes]);
    try {
      await writeAll(this.#file, parts, segment.bytes);
      this.#isDirty = true;
      if (sync) await this.sync();
    } catch (error) {
      // The next append would overwrite it, but there may be none.
      await this.#file.truncate(segment.bytes).catch(() => undefined);
      throw error;
    }
    const ends: number[] = [];
    for (const batch of batches) {
      segment.bytes += recordHeaderBytes + batch.bytes.length;
      segment.entries += batch.count;
      this.#nextSequence = batch.firstSequence + batch.count;
      ends.push(segment.bytes);
    }
    return ends;
  }

  /** Moves what was written from the system's memory to the disk. */
  async sync(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#isDirty = true;
      throw error;
    }
  }

  /** Writes the segment's end, and closes it. */
  async finish(sync: boolean): Promise<void> {
    try {
      const end = encodeEnd(this.segment.entries, this.#nextSequence);
      await writeAll(this.#file, [end], this.segment.bytes);
      this.segment.bytes += end.length;
      if (sync) await this.sync();
    } finally {
      await this.#file.close();
    }
  }

  /** Closes it as it is. */
  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** A write may be cut short, on a disk that becomes full. */
async function writeAll(file: FileHandle, parts: readonly Uint8Array[], at: number): Promise<void> {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const { bytesWritten } = await file.writev([...parts], at);
  if (bytesWritten < bytes) {
    throw new Error(
      `only ${bytesWritten} of ${bytes} bytes could be written: the disk is full, or a quota is`,
    );
  }
}
