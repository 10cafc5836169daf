/**
 * Looks into encoded entries without decoding them. The encoding is protobuf's,
 * see https://protobuf.dev/programming-guides/encoding/
 */
import type { EntryBatch } from "../entry-batch.ts";
import { columnBytesMax } from "./block-column.ts";

const wireVarint = 0;
const wireFixed64 = 1;
const wireLengthDelimited = 2;
const wireFixed32 = 5;

/** Tag of an entry in a batch: field 1, length-delimited. */
const entryTag = 0x0a;

/** `service` of LogEntry. */
const serviceField = 4;

/** Why a batch can't be stored so that it can be read again; undefined when it can. Entries are not looked into. */
export function batchFault(batch: EntryBatch): string | undefined {
  const { count, bytes, ends, timestamps, severities, sequences } = batch;
  const lengths = [ends.length, timestamps.length, severities.length, sequences?.length ?? count];
  if (lengths.some((length) => length !== count)) {
    return `ends, timestamps, severities and sequences have ${lengths.join(", ")} items, ${count} expected`;
  }
  const wrong = sequences?.findIndex((sequence) => !(Number.isSafeInteger(sequence) && sequence >= 0)) ?? -1;
  if (wrong >= 0) {
    return `the sequence of entry ${wrong} is ${sequences?.[wrong]}, a whole number from 0 to ${Number.MAX_SAFE_INTEGER} expected`;
  }
  let start = 0;
  for (let index = 0; index < count; index++) {
    const end = ends[index] ?? 0;
    const cursor = { at: start + 1 };
    const length = readVarint(bytes, cursor, end);
    // A length that ends in a zero byte is not in its shortest form, in which blocks have it.
    const isLength = length > 0 && bytes[cursor.at - 1] !== 0;
    if (bytes[start] !== entryTag || !isLength || cursor.at + length !== end) {
      return `entry ${index} is not the bytes ${start} to ${end}`;
    }
    if (end - start > columnBytesMax) {
      return `entry ${index} takes ${end - start} bytes, at most ${columnBytesMax} expected`;
    }
    start = end;
  }
  return start === bytes.length ? undefined : `the entries end at byte ${start} of ${bytes.length}`;
}

/** Where a field's content is in a batch's bytes. */
export interface ByteRange {
  from: number;
  to: number;
}

/**
 * Finds the service (UTF-8) of the entry at `start` … `end` of a batch's bytes,
 * its tag and length included. Empty when it has none, or is not a LogEntry.
 * The range is the caller's to use again: a block has thousands of entries.
 */
export function findService(bytes: Uint8Array, start: number, end: number, service: ByteRange): void {
  const cursor = { at: start + 1 };
  readVarint(bytes, cursor, end);
  findField(bytes, { from: cursor.at, to: end }, serviceField, service);
}

/** Finds the content of a length-delimited field of the message at a place. Empty, at its end, when it has none. */
export function findField(bytes: Uint8Array, message: ByteRange, field: number, content: ByteRange): void {
  const end = message.to;
  const cursor = { at: message.from };
  content.from = end;
  content.to = end;
  while (cursor.at < end) {
    const tag = readVarint(bytes, cursor, end);
    const contentStart = skipField(bytes, cursor, tag & 7, end);
    if (tag >>> 3 !== field || cursor.at > end) continue;
    // The last one counts, as in every protobuf decoder.
    content.from = contentStart;
    content.to = cursor.at;
  }
}

/** Whether a part of some bytes is equal to other bytes. */
export function equalBytes(bytes: Uint8Array, { from, to }: ByteRange, other: Uint8Array): boolean {
  if (to - from !== other.length) return false;
  for (let index = 0; index < other.length; index++) {
    if (bytes[from + index] !== other[index]) return false;
  }
  return true;
}

/** Moves past a field's value, behind `end` when it is not one, and returns where its content begins. */
export function skipField(bytes: Uint8Array, cursor: { at: number }, wireType: number, end: number): number {
  if (wireType === wireLengthDelimited) {
    const length = readVarint(bytes, cursor, end);
    const contentStart = cursor.at;
    cursor.at += length;
    return contentStart;
  }
  const contentStart = cursor.at;
  if (wireType === wireVarint) readVarint(bytes, cursor, end);
  else if (wireType === wireFixed64) cursor.at += 8;
  else if (wireType === wireFixed32) cursor.at += 4;
  else cursor.at = end + 1;
  return contentStart;
}

/** Reads a varint; of one with more than 53 bits only its length is of use. */
export function readVarint(bytes: Uint8Array, cursor: { at: number }, end: number): number {
  let value = 0;
  let scale = 1;
  let byte = 0x80;
  while (byte > 0x7f && cursor.at < end) {
    byte = bytes[cursor.at++] ?? 0;
    value += (byte & 0x7f) * scale;
    scale *= 128;
  }
  return value;
}
