/**
 * One segment of a spool, as a file that is read. See segment-format.ts.
 */
import type { FileHandle } from "node:fs/promises";
import {
  decodeRecordHeader,
  decodeSegmentHeader,
  isIntact,
  nextMarker,
  recordHeaderBytes,
  type SegmentHeader,
  segmentHeaderBytesMax,
} from "./segment-format.ts";

/** A segment, and how much of it counts. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly header: SegmentHeader;
  /** Bytes of whole records, with the header and the end: what may be read. */
  bytes: number;
  /** Entries in it. */
  entries: number;
  /** Of these: read, or skipped since they are in memory as well. */
  readEntries: number;
  /** Of these: acknowledged. */
  settledEntries: number;
}

/** What lies at some place of a segment. */
export type SegmentItem =
  | {
      readonly kind: "record";
      readonly entries: Buffer;
      readonly count: number;
      readonly firstSequence: number;
      readonly end: number;
    }
  /** Not valid up to `end`. `count`: how many entries are lost, where that is known. */
  | { readonly kind: "damage"; readonly end: number; readonly count: number | undefined }
  | { readonly kind: "end"; readonly end: number; readonly count: number }
  /** Nothing whole from here on. */
  | { readonly kind: "nothing" };

/** So much is read at once. */
const chunkBytes = 1024 * 1024;

/** A record is not longer: a batch of the greatest size, and its last entry. */
const recordBytesMax = 16 * 1024 * 1024;

/** Reads a segment's header; undefined: it has none. */
export async function readSegmentHeader(file: FileHandle): Promise<SegmentHeader | undefined> {
  return decodeSegmentHeader(await readAt(file, 0, segmentHeaderBytesMax));
}

/**
 * The items of a segment from an offset on, up to `size`, as many as one chunk
 * holds, one at least. The last one is not "nothing" unless it is the only one.
 */
export async function readItems(file: FileHandle, from: number, size: number): Promise<SegmentItem[]> {
  let bytes = await readAt(file, from, Math.min(chunkBytes, size - from));
  let items = itemsIn(bytes, from, size);
  if (items.length === 0 && bytes.length < size - from) {
    bytes = await readAt(file, from, Math.min(recordBytesMax + chunkBytes, size - from));
    items = itemsIn(bytes, from, size);
  }
  return items.length === 0 ? [{ kind: "nothing" }] : items;
}

/** Bytes of a file; fewer at its end. */
export async function readAt(file: FileHandle, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, from + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}

function itemsIn(bytes: Buffer, from: number, size: number): SegmentItem[] {
  const items: SegmentItem[] = [];
  const isWhole = from + bytes.length >= size;
  for (let at = 0; at < bytes.length; ) {
    const item = itemAt(bytes, at, isWhole);
    if (item.kind === "nothing") break;
    items.push({ ...item, end: from + item.end });
    at = item.end;
  }
  return items;
}

function itemAt(bytes: Buffer, at: number, isWhole: boolean): SegmentItem {
  const header = decodeRecordHeader(bytes, at);
  if (header === undefined || header.bytes > recordBytesMax) return damageAt(bytes, at, isWhole);
  const start = at + recordHeaderBytes;
  const end = start + header.bytes;
  if (end > bytes.length) return isWhole ? damageAt(bytes, at, isWhole) : { kind: "nothing" };
  const { count, firstSequence } = header;
  if (header.isEnd) return { kind: "end", end, count };
  const entries = bytes.subarray(start, end);
  if (!isIntact(header, entries)) return { kind: "damage", end, count };
  return { kind: "record", entries, count, firstSequence, end };
}

/** Damage goes on to the next valid record. Without one it may be a record that was not written to its end. */
function damageAt(bytes: Buffer, at: number, isWhole: boolean): SegmentItem {
  for (let next = nextMarker(bytes, at + 1); next < bytes.length; next = nextMarker(bytes, next + 1)) {
    const header = decodeRecordHeader(bytes, next);
    const entries = bytes.subarray(next + recordHeaderBytes, next + recordHeaderBytes + (header?.bytes ?? 0));
    if (header !== undefined && entries.length === header.bytes && isIntact(header, entries)) {
      return { kind: "damage", end: next, count: undefined };
    }
  }
  if (isWhole || bytes.length - at < recordBytesMax) return { kind: "nothing" };
  return { kind: "damage", end: bytes.length - recordHeaderBytes, count: undefined };
}
