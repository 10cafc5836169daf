/**
 * A spool: a queue of batches on disk. What it looks like there:
 * segment-format.ts.
 *
 *   append ─▶ segment │ segment │ segment ─▶ read ─▶ in memory ─▶ acknowledge ─▶ deleted
 *
 * Nothing here blocks but opening the lock, once, and `saveSync`. One append and
 * one read may be under way at a time; who calls sees to that.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { type FileHandle, open, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  loadSegments,
  positionPath,
  readPosition,
  type SpoolPosition,
  setAside,
  type TellDamage,
} from "./load-segments.ts";
import { readAt, readItems, type Segment, type SegmentItem } from "./segment.ts";
import { encodeEnd, encodeRecordHeader, encodeSegmentHeader, type SpoolBatch } from "./segment-format.ts";
import { SegmentWriter } from "./segment-writer.ts";
import type { SpoolOptions } from "./spool-options.ts";
import { adoptSegments, leftPrefix, type SpoolPlaceLock, segmentPath, takePlace } from "./spool-places.ts";

/** Where a batch lies in a spool. */
export interface SpoolPlace {
  readonly segment: Segment;
  readonly end: number;
  readonly count: number;
}

/** A batch that was read. */
export interface SpooledBatch extends SpoolBatch {
  readonly place: SpoolPlace;
}

/** Whom a spool tells. */
export interface SpoolListener {
  readonly damaged: TellDamage;
  /** What was written may not survive a power loss. */
  failed(error: Error): void;
}

/** A spool's segments are so many, so that what is acknowledged is soon deleted, and they are few. */
const segmentsMin = 8;

/** A larger segment gains nothing. */
const segmentBytesMax = 16 * 1024 * 1024;

/** How often the disk is waited for with `fsync: "interval"`, in milliseconds. */
const syncMs = 1_000;

/** A segment that could not be read so often in a row is given up; between two attempts there is a pause. */
const readFailuresMax = 4;

/** How often what is acknowledged is noted, in milliseconds. */
const positionMs = 250;

/**
 * Opens a spool, with what earlier runs left in it.
 *
 * @throws Error when the folder can't be used, or so many processes use it that there is no place.
 */
export async function openSpool(
  options: Required<SpoolOptions>,
  listener: SpoolListener,
): Promise<OpenedSpool> {
  const lock = await takePlace(options.folder);
  if (lock === undefined)
    throw new SpoolSharedError(`all places in ${options.folder} are taken by other processes`);
  try {
    await adoptSegments(options.folder, lock);
    const segments = await loadSegments(lock.path, listener.damaged);
    return new OpenedSpool(options, { lock, segments, listener, position: await readPosition(lock.path) });
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** There are more processes than a spool has places. */
export class SpoolSharedError extends Error {
  override readonly name = "SpoolSharedError";
}

/**
 * Saves batches beside all places, for a process that ends before its spool is
 * open. Whoever opens the spool next finds them.
 */
export function saveAsideSync(
  { folder, fsync }: Required<SpoolOptions>,
  batches: readonly SpoolBatch[],
): void {
  if (batches.length === 0) return;
  const place = join(folder, `${leftPrefix}${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  writeSegmentSync(segmentPath(place, 1), batches, fsync !== "never");
}

/** What opening has found. */
interface Found {
  readonly lock: SpoolPlaceLock;
  readonly segments: Segment[];
  readonly position: SpoolPosition;
  readonly listener: SpoolListener;
}

/** Where a spool is being read. */
interface Reading {
  readonly segment: Segment;
  at: number;
  file: FileHandle | undefined;
}

/** An open spool. */
export class OpenedSpool {
  readonly #options: Required<SpoolOptions>;
  readonly #lock: SpoolPlaceLock;
  readonly #listener: SpoolListener;
  /** The oldest first. */
  readonly #segments: Segment[];
  #writer: SegmentWriter | undefined;
  #lastNumber: number;
  #bytes: number;
  #unread = 0;
  #isAppending = false;
  #isReading = false;
  /** How often reading failed in a row. */
  #readFailures = 0;
  /** What is read next. */
  #reading: Reading | undefined;
  #position: SpoolPosition;
  #isPositionNoted = true;
  readonly #timers: NodeJS.Timeout[];
  readonly #work = new Set<Promise<void>>();

  constructor(options: Required<SpoolOptions>, { lock, segments, position, listener }: Found) {
    this.#options = options;
    this.#lock = lock;
    this.#segments = segments;
    this.#listener = listener;
    this.#position = position;
    this.#lastNumber = Math.max(position.segment, segments.at(-1)?.number ?? 0);
    this.#bytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#passOver(position);
    this.#unread = segments.reduce((sum, { entries, readEntries }) => sum + entries - readEntries, 0);
    this.#timers = [setInterval(() => this.#notePosition(), positionMs).unref()];
    if (options.fsync === "interval") this.#timers.push(setInterval(() => this.#sync(), syncMs).unref());
    this.#tidy();
  }

  /** Entries that were not read, or skipped. */
  get unread(): number {
    return this.#unread;
  }

  /** What is not acknowledged, and the bytes that the spool takes on disk. */
  get stored(): { readonly entries: number; readonly bytes: number } {
    const entries = this.#segments.reduce(
      (sum, segment) => sum + segment.entries - segment.settledEntries,
      0,
    );
    return { entries, bytes: this.#bytes };
  }

  /**
   * Appends batches of one producer. Returns where they lie; undefined: the
   * spool is full. Throws when they can't be written; then none was.
   */
  async append(batches: readonly SpoolBatch[]): Promise<SpoolPlace[] | undefined> {
    const [first] = batches;
    if (first === undefined) return [];
    const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
    if (this.#bytes + bytes > this.#options.bytesMax) return undefined;
    this.#isAppending = true;
    try {
      const writer = await this.#writerFor(first);
      const before = writer.segment.bytes;
      const ends = await writer.append(batches, this.#options.fsync === "always");
      this.#bytes += writer.segment.bytes - before;
      this.#unread += batches.reduce((sum, { count }) => sum + count, 0);
      const { segment } = writer;
      return batches.map(({ count }, index) => ({ segment, end: ends[index] ?? 0, count }));
    } finally {
      this.#isAppending = false;
    }
  }

  /** What is to be read next lies in memory as well. */
  skip({ segment, end, count }: SpoolPlace): void {
    this.#readOn(segment, end);
    segment.readEntries += count;
    this.#unread -= count;
  }

  /**
   * Reads the next batches, about a megabyte of them. None: there is nothing to
   * be read. Throws when that fails; a segment that can't be read again and
   * again is given up, so that it does not stop those behind it.
   */
  async read(): Promise<SpooledBatch[]> {
    this.#isReading = true;
    try {
      for (let reading = this.#nextReading(); reading !== undefined; reading = this.#nextReading()) {
        const batches = await this.#readSome(reading);
        this.#readFailures = 0;
        if (batches.length > 0) return batches;
      }
      // So it is already, if every count is right; and if one is not, nobody is to look for ever.
      if (!this.#isAppending) this.#unread = 0;
      return [];
    } catch (error) {
      const segment = this.#reading?.segment;
      if (++this.#readFailures < readFailuresMax || segment === undefined) throw error;
      this.#giveUp(segment, error);
      return [];
    } finally {
      this.#isReading = false;
    }
  }

  /** The batch is on the server's disk, as are all before it. */
  acknowledge({ segment, end, count }: SpoolPlace): void {
    segment.settledEntries += count;
    this.#position = { segment: segment.number, offset: end, entries: segment.settledEntries };
    this.#isPositionNoted = false;
    this.#tidy();
  }

  /** Deletes the oldest segment of which nothing was read; returns how many entries it had, 0: there is none. */
  dropOldest(): number {
    const next = this.#nextReading();
    const index = this.#segments.findIndex(
      (segment) =>
        segment !== this.#writer?.segment &&
        (segment.number > (next?.segment.number ?? 0) ||
          (segment === next?.segment && next.file === undefined && !this.#isReading)),
    );
    const [segment] = index === -1 ? [] : this.#segments.splice(index, 1);
    if (segment === undefined) return 0;
    if (this.#reading?.segment === segment) this.#reading = undefined;
    const dropped = segment.entries - segment.readEntries;
    this.#unread -= dropped;
    this.#delete(segment);
    return dropped;
  }

  /** Ends the spool with what is in it, and lets go of its place. Does not throw: what is on disk is there. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#notePosition();
    const writer = this.#writer;
    this.#writer = undefined;
    this.#run(async () => {
      await writer?.finish(this.#options.fsync !== "never");
      await this.#reading?.file?.close();
    });
    while (this.#work.size > 0) await Promise.all(this.#work);
    this.#lock.close();
  }

  /**
   * Saves batches without a turn of the event loop, and lets go of the place. An
   * append under way may or may not come to its end: its batches may lie twice in
   * the spool, under the same sequences.
   */
  saveSync(batches: readonly SpoolBatch[]): void {
    for (const timer of this.#timers) clearInterval(timer);
    try {
      const path = positionPath(this.#lock.path);
      writeFileSync(`${path}.new`, JSON.stringify(this.#position), { mode: 0o600 });
      renameSync(`${path}.new`, path);
      // Two further: the append under way may be about to begin a segment.
      const number = this.#lastNumber + 2;
      if (batches.length > 0) {
        writeSegmentSync(segmentPath(this.#lock.path, number), batches, this.#options.fsync !== "never");
      }
    } finally {
      this.#lock.close();
    }
  }

  /** What is acknowledged, or damaged so that nothing of it is known, is not read again. */
  #passOver({ segment: number, offset, entries }: SpoolPosition): void {
    for (const segment of this.#segments) {
      if (segment.number > number) return;
      const isAll = segment.number < number || offset >= segment.bytes;
      segment.settledEntries = isAll ? segment.entries : Math.min(entries, segment.entries);
      segment.readEntries = segment.settledEntries;
      this.#reading = {
        segment,
        at: isAll ? segment.bytes : Math.max(offset, segment.header.bytes),
        file: undefined,
      };
    }
  }

  async #writerFor(first: SpoolBatch): Promise<SegmentWriter> {
    const full = Math.min(segmentBytesMax, this.#options.bytesMax / segmentsMin);
    const { segment } = this.#writer ?? {};
    if (this.#writer !== undefined && segment !== undefined) {
      if (segment.bytes < full && segment.header.producerId === first.producerId) return this.#writer;
      const before = segment.bytes;
      await this.#writer.finish(this.#options.fsync !== "never");
      this.#writer = undefined;
      this.#bytes += segment.bytes - before;
    }
    this.#lastNumber++;
    const writer = await SegmentWriter.begin(this.#lock.path, this.#lastNumber, first);
    this.#writer = writer;
    this.#segments.push(writer.segment);
    this.#bytes += writer.segment.bytes;
    if (this.#options.fsync !== "never") await syncFolder(this.#lock.path);
    return writer;
  }

  async #readSome(reading: Reading): Promise<SpooledBatch[]> {
    const { segment } = reading;
    reading.file ??= await open(segment.path, "r");
    const batches: SpooledBatch[] = [];
    for (const item of await readItems(reading.file, reading.at, segment.bytes)) {
      const batch = await this.#take(segment, reading.at, item);
      if (batch !== undefined) batches.push(batch);
      reading.at = item.kind === "nothing" ? segment.bytes : item.end;
    }
    if (reading.at >= segment.bytes && segment !== this.#writer?.segment) this.#finishReading(segment);
    return batches;
  }

  /** What can't be read is lost to this run; the file stays, for a person or the next run. */
  #giveUp(segment: Segment, error: unknown): void {
    const lost = segment.entries - segment.readEntries;
    this.#readFailures = 0;
    this.#readOn(segment, segment.bytes);
    this.#lose(segment, lost);
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    this.#bytes -= segment.bytes;
    if (segment === this.#writer?.segment) this.#writer = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    this.#listener.damaged(lost, `${segment.path} can't be read: ${reason}; it is left alone`);
  }

  /** Where there is something to be read; undefined: nowhere. */
  #nextReading(): Reading | undefined {
    const reading = this.#reading;
    if (reading !== undefined && reading.at < reading.segment.bytes) return reading;
    const next = this.#segments.find(
      ({ number, bytes, header }) => number > (reading?.segment.number ?? 0) && bytes > header.bytes,
    );
    if (next === undefined) return undefined;
    this.#readOn(next, next.header.bytes);
    return this.#reading;
  }

  #readOn(segment: Segment, at: number): void {
    const { file } = this.#reading ?? {};
    if (this.#reading?.segment === segment) {
      this.#reading.at = at;
      return;
    }
    if (file !== undefined) this.#run(() => file.close());
    this.#reading = { segment, at, file: undefined };
  }

  /** The batch that an item is; undefined: it is none. */
  async #take(segment: Segment, at: number, item: SegmentItem): Promise<SpooledBatch | undefined> {
    switch (item.kind) {
      case "record": {
        const { entries: bytes, count, firstSequence, end } = item;
        segment.readEntries += count;
        this.#unread -= count;
        const { producerId } = segment.header;
        return { bytes, count, firstSequence, producerId, place: { segment, end, count } };
      }
      case "end":
        return undefined;
      case "damage":
      case "nothing": {
        const end = item.kind === "damage" ? item.end : segment.bytes;
        const lost = item.kind === "damage" ? (item.count ?? 0) : 0;
        this.#lose(segment, lost);
        await using file = await open(segment.path, "r");
        this.#listener.damaged(lost, await setAside(segment, await readAt(file, at, end - at), at));
        return undefined;
      }
    }
  }

  /** What was in it, and was not found, is lost. */
  #finishReading(segment: Segment): void {
    const lost = segment.entries - segment.readEntries;
    if (lost > 0) {
      this.#lose(segment, lost);
      this.#listener.damaged(lost, `${lost} entries of ${segment.path} were not found in it`);
    }
    this.#tidy();
  }

  #lose(segment: Segment, count: number): void {
    segment.readEntries += count;
    segment.settledEntries += count;
    this.#unread -= count;
  }

  /** Deletes the segments of which everything is settled. */
  #tidy(): void {
    for (let first = this.#segments[0]; first !== undefined; first = this.#segments[0]) {
      const isRead = this.#reading !== undefined && this.#isBehindReading(first, this.#reading);
      if (!isRead || first.settledEntries < first.entries) return;
      if (first === this.#writer?.segment) {
        if (this.#isAppending) return;
        const writer = this.#writer;
        this.#writer = undefined;
        this.#run(() => writer.close());
      }
      this.#segments.shift();
      this.#delete(first);
    }
  }

  #isBehindReading(segment: Segment, reading: { readonly segment: Segment; readonly at: number }): boolean {
    return segment === reading.segment
      ? reading.at >= segment.bytes
      : segment.number < reading.segment.number;
  }

  #delete(segment: Segment): void {
    this.#bytes -= segment.bytes;
    this.#run(() => unlink(segment.path));
  }

  #sync(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.#run(async () => {
      try {
        await writer.sync();
      } catch (reason) {
        // Closed meanwhile, since all of it is acknowledged: nothing is at stake.
        if (writer !== this.#writer) return;
        this.#listener.failed(
          reason instanceof Error ? reason : new Error(String(reason), { cause: reason }),
        );
      }
    });
  }

  #notePosition(): void {
    if (this.#isPositionNoted) return;
    this.#isPositionNoted = true;
    const text = JSON.stringify(this.#position);
    this.#run(async () => {
      const path = positionPath(this.#lock.path);
      await writeFile(`${path}.new`, text, { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
  }

  /** Does something in the background that nothing depends on: where it fails, more is sent again, or a file is left. */
  #run(work: () => Promise<unknown> | undefined): void {
    const done = Promise.resolve(work()).then(
      () => undefined,
      () => undefined,
    );
    this.#work.add(done);
    void done.then(() => this.#work.delete(done));
  }
}

/** A new file's name is on disk only with its folder. */
async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, "r");
    await folder.sync();
  } catch {
    // Windows can't, and needs not.
  }
}

function writeSegmentSync(path: string, batches: readonly SpoolBatch[], sync: boolean): void {
  const [first] = batches;
  if (first === undefined) return;
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, encodeSegmentHeader(first.producerId, first.firstSequence));
    let entries = 0;
    let next = 0;
    for (const batch of batches) {
      writeSync(file, encodeRecordHeader(batch));
      writeSync(file, batch.bytes);
      entries += batch.count;
      next = batch.firstSequence + batch.count;
    }
    writeSync(file, encodeEnd(entries, next));
    if (sync) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
