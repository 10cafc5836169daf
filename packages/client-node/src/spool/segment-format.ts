/**
 * The spool on disk. From this a second implementation can be written.
 *
 * A spool is a folder with a folder for each process that uses it, its place:
 *
 *   <folder>/<n>/lock              whoever has this SQLite database in an exclusive
 *                                  transaction owns the place; n counts from 0
 *   <folder>/<n>/<number>.spool    segments: 10 digits, rising in the order of writing
 *   <folder>/<n>/position          what is acknowledged
 *   <folder>/<n>/damaged/          bytes that did not read as they were written
 *
 * Who opens a spool takes the first place that is free, moves the segments of
 * all other free places behind its own, and sends the oldest first. Places
 * whose names are not numbers were written by a process on its way out, and are
 * emptied in the same way.
 *
 * Numbers are little-endian; crc is CRC-32 as zlib has it.
 *
 *   segment   header │ record │ record │ … │ end?
 *
 *   header    magic: "logspool"      8 bytes
 *             version: 1             u16
 *             bytes of the header    u16, with its crc
 *             first sequence         u64, of its first record
 *             producer id            u8 length, UTF-8
 *             crc                    u32, of all of the header before it
 *
 *   record    marker: "LREC"         4 bytes
 *             bytes of the entries   u32
 *             count of the entries   u32, at least 1
 *             first sequence         u64; the others follow one by one
 *             crc of the entries     u32
 *             crc                    u32, of the 24 bytes before it
 *             entries                field 1 of WriteLogsRequest, `repeated LogEntry entries`
 *
 *   end       a record with the marker "LEND", no entries, the count of all
 *             entries in the segment, and the sequence after the last one
 *
 * All records of a segment are of the header's producer, and their sequences
 * rise; what is missing in between was acknowledged before it was written.
 *
 * Valid is a record whose two crcs are right. A record that ends behind the
 * file's end was being written when the process ended: opening cuts it off. What
 * is not valid otherwise is set aside in `damaged/`, and reading goes on at the
 * next valid record, which is looked for byte by byte. Whatever is cut off or
 * set aside is reported.
 *
 * A segment is written to until it is full; then its end is written and another
 * one is begun. It is deleted when all of it is acknowledged. Nothing in it is
 * ever changed.
 *
 * `position` is `{"segment":<number>,"offset":<bytes>}`, replaced by rename:
 * earlier segments, and in this one what lies before the offset, are
 * acknowledged. It may be late, or missing: entries are then sent again, under
 * the sequences that they have, and the server knows that it has them.
 *
 * For example a segment with one record of one entry, 12 bytes long encoded, of
 * the producer "p":
 *
 *   0   6c 6f 67 73 70 6f 6f 6c  01 00  1a 00  01 00 00 00 00 00 00 00  01 70  crc4
 *   26  4c 52 45 43  0c 00 00 00  01 00 00 00  01 00 00 00 00 00 00 00  crc4  crc4
 *   54  0a 0a 12 08 …
 */
import { crc32 } from "node:zlib";
import { limits } from "@logsvc/client";

/** Entries, and whose they are. */
export interface SpoolBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly producerId: string;
  readonly firstSequence: number;
}

/** What a segment's header says. */
export interface SegmentHeader {
  readonly producerId: string;
  readonly firstSequence: number;
  /** Where the first record begins. */
  readonly bytes: number;
}

/** What a record's header says. */
export interface RecordHeader {
  readonly isEnd: boolean;
  readonly bytes: number;
  readonly count: number;
  readonly firstSequence: number;
  readonly crc: number;
}

/** Of every record. */
export const recordHeaderBytes = 28;

/** A header is not longer than this. */
export const segmentHeaderBytesMax = 25 + limits.producerIdBytesMax;

const magic = Buffer.from("logspool");
const version = 1;
const recordMarker = Buffer.from("LREC");
const endMarker = Buffer.from("LEND");

/** Where the producer id lies in a segment's header. */
const producerAt = 21;

/** A segment's header. */
export function encodeSegmentHeader(producerId: string, firstSequence: number): Buffer {
  const id = Buffer.from(producerId);
  const header = Buffer.alloc(producerAt + id.length + 4);
  magic.copy(header);
  header.writeUInt16LE(version, 8);
  header.writeUInt16LE(header.length, 10);
  header.writeBigUInt64LE(BigInt(firstSequence), 12);
  header.writeUInt8(id.length, 20);
  id.copy(header, producerAt);
  header.writeUInt32LE(crc32(header.subarray(0, -4)), header.length - 4);
  return header;
}

/** Reads a segment's header from its first bytes; undefined: that is none. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < producerAt || !bytes.subarray(0, 8).equals(magic)) return undefined;
  const length = bytes.readUInt16LE(10);
  const idLength = bytes.readUInt8(20);
  if (bytes.readUInt16LE(8) !== version || length !== producerAt + idLength + 4) return undefined;
  if (length > bytes.length || crc32(bytes.subarray(0, length - 4)) !== bytes.readUInt32LE(length - 4)) {
    return undefined;
  }
  return {
    producerId: bytes.toString("utf8", producerAt, producerAt + idLength),
    firstSequence: Number(bytes.readBigUInt64LE(12)),
    bytes: length,
  };
}

/** Whether these are the first bytes of a segment in a format that comes after this one. */
export function isOfLaterVersion(bytes: Buffer): boolean {
  return bytes.length >= 10 && bytes.subarray(0, 8).equals(magic) && bytes.readUInt16LE(8) > version;
}

/** The header of a batch's record. */
export function encodeRecordHeader({ bytes, count, firstSequence }: SpoolBatch): Buffer {
  return encodeHeader(recordMarker, { bytes: bytes.length, count, firstSequence, crc: crc32(bytes) });
}

/** The end of a segment. */
export function encodeEnd(count: number, nextSequence: number): Buffer {
  return encodeHeader(endMarker, { bytes: 0, count, firstSequence: nextSequence, crc: 0 });
}

function encodeHeader(marker: Buffer, record: Omit<RecordHeader, "isEnd">): Buffer {
  const header = Buffer.alloc(recordHeaderBytes);
  marker.copy(header);
  header.writeUInt32LE(record.bytes, 4);
  header.writeUInt32LE(record.count, 8);
  header.writeBigUInt64LE(BigInt(record.firstSequence), 12);
  header.writeUInt32LE(record.crc, 20);
  header.writeUInt32LE(crc32(header.subarray(0, 24)), 24);
  return header;
}

/** Reads the record's header at `at`; undefined: there is none. */
export function decodeRecordHeader(bytes: Buffer, at: number): RecordHeader | undefined {
  const header = bytes.subarray(at, at + recordHeaderBytes);
  if (header.length < recordHeaderBytes) return undefined;
  const marker = header.subarray(0, 4);
  const isEnd = marker.equals(endMarker);
  if (!isEnd && !marker.equals(recordMarker)) return undefined;
  if (crc32(header.subarray(0, 24)) !== header.readUInt32LE(24)) return undefined;
  return {
    isEnd,
    bytes: header.readUInt32LE(4),
    count: header.readUInt32LE(8),
    firstSequence: Number(header.readBigUInt64LE(12)),
    crc: header.readUInt32LE(20),
  };
}

/** Whether a record's entries are those that were written. */
export function isIntact({ crc }: RecordHeader, entries: Uint8Array): boolean {
  return crc32(entries) === crc;
}

/** Where the next marker of a record or an end begins, from `from` on; the length when there is none. */
export function nextMarker(bytes: Buffer, from: number): number {
  const places = [recordMarker, endMarker].map((marker) => bytes.indexOf(marker, from));
  return Math.min(...places.map((place) => (place === -1 ? bytes.length : place)));
}
