/**
 * The file `log.db`: what is in it, byte by byte. Enough to read and to write
 * it without this code.
 *
 * It is a SQLite 3 database in WAL mode, auto_vacuum INCREMENTAL, with
 * `application_id` 0x6c6f6773 ("logs") and `user_version` 1. Integers in blobs
 * are little-endian. Times are Unix nanoseconds.
 *
 *   log        one row about the log
 *     identity          8 of [a-z0-9], chosen at random when the file was made;
 *                       part of every id and cursor
 *     next_offset       the offset that the next entry gets; never decreases
 *     last_received_at  the received_at of the newest block; never decreases
 *     blocks, raw_bytes how many blocks there are, and the sum of their raw_bytes
 *
 *   blocks     consecutive entries: the unit of storage, caching and skipping
 *     first_offset        the first entry's offset, and the row's key
 *     count               entries, at least 1; they have the offsets
 *                         first_offset … first_offset + count - 1
 *     least_timestamp, greatest_timestamp   of its entries
 *     received_at         when its entries were accepted
 *     raw_bytes           length of `entries` before compression
 *     level_counts        JSON: entries by severity, rising: {"9":1998,"17":2}
 *     services            JSON: the different services of its entries, in order
 *                         of appearance: ["api","web"]; NULL when more than 32
 *     head_crc            CRC-32 of the columns before it, as text in UTF-8,
 *                         in this order, joined by one space; NULL as nothing
 *     times               column: the timestamps
 *     severities          column: a byte an entry, 0 to 24
 *     entries             column: the entries, each 0x0A, varint length, LogEntry
 *                         (so it is an encoded `repeated LogEntry` of field 1)
 *
 *   producers  who numbers entries
 *     id, name            the name is the producer id that clients send
 *     used_at             when it last wrote, correct to a sixteenth of the time
 *                         after which it is forgotten
 *     floor               sequences below it that are in no run were deleted
 *                         together with their entries, or count as such
 *
 *   runs       which sequences are stored: `count` entries from sequence
 *              `first_sequence` of `producer` have the offsets from `first_offset`
 *
 * A column (times, severities, entries) is
 *
 *   ┌────────┬─────────────────────────┬──────────────┐
 *   │ method │ payload                 │ CRC-32       │
 *   │ 1 byte │                         │ 4 bytes      │
 *   └────────┴─────────────────────────┴──────────────┘
 *
 * method 0: the payload is the column's bytes; 1: a zstd frame of them. The
 * CRC-32 (as in zlib) is of first_offset as 8 bytes, then method and payload; so
 * a column in the wrong row is noticed too. Columns stand apart so that counting
 * by time and level never touches the entries.
 *
 * `times` holds for each entry the difference to the one before (the first: to
 * 0), as 64 bits with wrap-around, in eight planes: the lowest byte of every
 * difference, then the next byte of every difference, … The upper planes are
 * mostly zeroes, which compress to nothing.
 *
 * Example: the block of one entry LogEntry{level:"INFO", message:"a", timestamp:1}
 * with offset 7, received at 5, has
 *
 *   7, 1, 1, 1, 5, 13, '{"9":1}', '[""]', head_crc 1184226073
 *   times       00 0100000000000000 688dd725
 *   severities  00 09 abcb8a78
 *   entries     00 0a0b0a04494e464f1201611801 50821fe4
 *
 * A block is valid if its head_crc is right and, for each column that is read,
 * its CRC-32 is right, its length is count × 8, count and raw_bytes, and
 * `entries` is `count` whole entries. Blocks follow each other without holes:
 * each begins where the one before ends, and the last ends before next_offset.
 *
 * A commit is one transaction: the new blocks, the producers' runs and the row
 * of `log`. SQLite's WAL makes it whole or nothing, with an fsync before it is
 * acknowledged; recovery after a crash is SQLite's own, on opening. Opening then
 * checks that the last block ends where next_offset says, and refuses the file
 * otherwise. Retention deletes whole blocks from the oldest on; offsets are
 * never used again, since next_offset stays.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { EngineError } from "../engine-error.ts";
import { type BlockImage, blockViews, createBlockImage } from "./block-image.ts";
import { equalBytes, findService } from "./entry-wire.ts";

/** `application_id` of our files: "logs". */
export const applicationId = 0x6c6f6773;

/** The tables of a new file, version 1. */
export const schema = `
CREATE TABLE log (
  key INTEGER PRIMARY KEY CHECK (key = 1),
  identity TEXT NOT NULL,
  next_offset INTEGER NOT NULL,
  last_received_at INTEGER NOT NULL,
  blocks INTEGER NOT NULL,
  raw_bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE blocks (
  first_offset INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  least_timestamp INTEGER NOT NULL,
  greatest_timestamp INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  raw_bytes INTEGER NOT NULL,
  level_counts TEXT NOT NULL,
  services TEXT,
  head_crc INTEGER NOT NULL,
  times BLOB NOT NULL,
  severities BLOB NOT NULL,
  entries BLOB NOT NULL
) STRICT;
CREATE INDEX blocks_by_greatest ON blocks (greatest_timestamp, first_offset, least_timestamp, raw_bytes);
CREATE INDEX blocks_by_least ON blocks (least_timestamp, first_offset, greatest_timestamp, raw_bytes);
CREATE TABLE producers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  used_at INTEGER NOT NULL,
  floor INTEGER NOT NULL
) STRICT;
CREATE INDEX producers_by_use ON producers (used_at);
CREATE TABLE runs (
  producer INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  count INTEGER NOT NULL,
  first_offset INTEGER NOT NULL,
  PRIMARY KEY (producer, first_sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_offset ON runs (first_offset);
`;

/** What is known of a block without its columns. */
export interface BlockHead {
  readonly firstOffset: number;
  readonly count: number;
  readonly leastTimestamp: bigint;
  readonly greatestTimestamp: bigint;
  readonly receivedAt: bigint;
  readonly rawBytes: number;
  /** JSON, see above. */
  readonly levelCounts: string;
  /** JSON, see above. */
  readonly services: string | null;
}

/** A block as it is stored. */
export interface StoredBlock extends BlockHead {
  readonly headCrc: number;
  readonly times: Uint8Array;
  readonly severities: Uint8Array;
  readonly entries: Uint8Array;
}

/** Names of the columns that hold entries. */
type ColumnName = "times" | "severities" | "entries";

/** More different services than this are not worth listing. */
const servicesMax = 32;

/** Below this zstd gains a few bytes and costs 50 µs a call, which is most of a lonely entry's commit. */
const compressBytesMin = 256;

const methodPlain = 0;
const methodZstd = 1;

/** A block as it will be stored. */
export function encodeBlock(image: BlockImage): StoredBlock {
  const { timestamps, severities, bytes } = blockViews(image);
  const head = {
    firstOffset: image.firstOffset,
    count: image.count,
    ...extremesOf(timestamps),
    receivedAt: image.receivedAt,
    rawBytes: bytes.length,
    levelCounts: JSON.stringify(countLevels(severities)),
    services: servicesOf(image),
  };
  return {
    ...head,
    headCrc: headCrcOf(head),
    times: encodeColumn(encodeTimes(timestamps), image.firstOffset),
    severities: encodeColumn(severities, image.firstOffset),
    entries: encodeColumn(bytes, image.firstOffset),
  };
}

/**
 * The block of a stored row.
 *
 * @throws EngineError `corrupt` when it is not valid.
 */
export function decodeBlock(stored: StoredBlock): BlockImage {
  checkHead(stored);
  const image = createBlockImage(stored);
  const { timestamps, ends, severities, bytes } = blockViews(image);
  timestamps.set(decodeTimes(stored, stored.times));
  severities.set(decodeSeverities(stored, stored.severities));
  bytes.set(decodeColumn(stored, "entries", stored.entries, stored.rawBytes));
  findEnds(stored, bytes, ends);
  return image;
}

/** @throws EngineError `corrupt` when the head is not as it was written. */
export function checkHead(head: BlockHead & { readonly headCrc: number }): void {
  const crc = headCrcOf(head);
  if (crc !== head.headCrc) throw corrupt(head, `its head's checksum is ${crc}, stored is ${head.headCrc}`);
}

/**
 * The timestamps of a block from its column `times`.
 *
 * @throws EngineError `corrupt`
 */
export function decodeTimes(head: BlockHead, column: Uint8Array): BigInt64Array {
  const planes = decodeColumn(head, "times", column, head.count * 8);
  const { count } = head;
  const timestamps = new BigInt64Array(count);
  const words = new Uint32Array(timestamps.buffer);
  const byteAt = (plane: number, index: number) => planes[plane * count + index] ?? 0;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index++) {
    const sum = low + (wordOf(byteAt, 0, index) >>> 0);
    low = sum >>> 0;
    high = (high + wordOf(byteAt, 4, index) + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    words[index * 2] = low;
    words[index * 2 + 1] = high;
  }
  return timestamps;
}

/**
 * The severities of a block from its column.
 *
 * @throws EngineError `corrupt`
 */
export function decodeSeverities(head: BlockHead, column: Uint8Array): Uint8Array {
  return decodeColumn(head, "severities", column, head.count);
}

/** Entries by severity, from a head's `levelCounts`. */
export function levelCountsOf(head: BlockHead): Map<number, number> {
  const counts: unknown = JSON.parse(head.levelCounts);
  if (typeof counts !== "object" || counts === null)
    throw corrupt(head, "its level counts are not an object");
  return new Map(Object.entries(counts).map(([severity, count]) => [Number(severity), Number(count)]));
}

/** Names a block for an error's message. */
export function corrupt(head: { firstOffset: number; count: number }, what: string): EngineError {
  const last = head.firstOffset + head.count - 1;
  return new EngineError(
    "corrupt",
    `block ${head.firstOffset} (entries ${head.firstOffset} to ${last}): ${what}`,
  );
}

function extremesOf(timestamps: BigInt64Array) {
  const words = wordsOf(timestamps);
  let least = 0;
  let greatest = 0;
  for (let index = 2; index < words.length; index += 2) {
    if (isEarlier(words, index, least)) least = index;
    else if (isEarlier(words, greatest, index)) greatest = index;
  }
  return {
    leastTimestamp: timestamps[least / 2] ?? 0n,
    greatestTimestamp: timestamps[greatest / 2] ?? 0n,
  };
}

/** The lower and the upper half of each time: several times as fast as arithmetic on bigint. Times are not negative. */
function wordsOf(timestamps: BigInt64Array): Uint32Array {
  return new Uint32Array(timestamps.buffer, timestamps.byteOffset, timestamps.length * 2);
}

function isEarlier(words: Uint32Array, one: number, other: number): boolean {
  const oneHigh = words[one + 1] ?? 0;
  const otherHigh = words[other + 1] ?? 0;
  return oneHigh === otherHigh ? (words[one] ?? 0) < (words[other] ?? 0) : oneHigh < otherHigh;
}

/** By severity, rising: objects keep integer keys in that order. */
function countLevels(severities: Uint8Array): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const severity of severities) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
}

function servicesOf(image: BlockImage): string | null {
  const { bytes, ends } = blockViews(image);
  // As bytes: making text of each entry's service would take as long as compressing the block.
  const services: Uint8Array[] = [];
  const range = { from: 0, to: 0 };
  let start = 0;
  let last: Uint8Array | undefined;
  for (const end of ends) {
    findService(bytes, start, end, range);
    start = end;
    // Most entries have the service of the one before.
    if (last !== undefined && equalBytes(bytes, range, last)) continue;
    last = services.find((service) => equalBytes(bytes, range, service));
    if (last !== undefined) continue;
    if (services.length === servicesMax) return null;
    last = bytes.subarray(range.from, range.to);
    services.push(last);
  }
  return JSON.stringify(services.map((service) => Buffer.from(service).toString()));
}

function headCrcOf(head: BlockHead): number {
  const { firstOffset, count, leastTimestamp, greatestTimestamp, receivedAt, rawBytes } = head;
  const numbers = [firstOffset, count, leastTimestamp, greatestTimestamp, receivedAt, rawBytes];
  return crc32(`${numbers.join(" ")} ${head.levelCounts} ${head.services ?? ""}`);
}

function encodeColumn(raw: Uint8Array, firstOffset: number): Uint8Array {
  const compressed = raw.length < compressBytesMin ? raw : compress(raw);
  const payload = compressed.length < raw.length ? compressed : raw;
  const column = Buffer.allocUnsafe(payload.length + 5);
  column[0] = payload === raw ? methodPlain : methodZstd;
  column.set(payload, 1);
  column.writeUInt32LE(columnCrc(firstOffset, column), payload.length + 1);
  return column;
}

function decodeColumn(head: BlockHead, name: ColumnName, column: Uint8Array, rawBytes: number): Uint8Array {
  const stored = Buffer.from(column.buffer, column.byteOffset, column.byteLength);
  if (stored.length < 5)
    throw corrupt(head, `its column ${name} has ${stored.length} bytes, at least 5 expected`);
  const expected = stored.readUInt32LE(stored.length - 4);
  const crc = columnCrc(head.firstOffset, stored);
  if (crc !== expected)
    throw corrupt(head, `the checksum of its column ${name} is ${crc}, stored is ${expected}`);
  const raw = decompress(head, name, stored, rawBytes);
  if (raw.length === rawBytes) return raw;
  throw corrupt(head, `its column ${name} has ${raw.length} bytes, ${rawBytes} expected`);
}

function columnCrc(firstOffset: number, column: Uint8Array): number {
  const key = Buffer.allocUnsafe(8);
  key.writeBigInt64LE(BigInt(firstOffset));
  return crc32(column.subarray(0, column.length - 4), crc32(key));
}

function compress(raw: Uint8Array): Uint8Array {
  // Twice as fast as with the default chunkSize of 16 KiB, which makes it grow its output step by step.
  return zstdCompressSync(raw, {
    chunkSize: raw.length,
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
}

function decompress(head: BlockHead, name: ColumnName, stored: Uint8Array, rawBytes: number): Uint8Array {
  const payload = stored.subarray(1, stored.length - 4);
  if (stored[0] === methodPlain) return payload;
  if (stored[0] !== methodZstd) throw corrupt(head, `its column ${name} has the unknown method ${stored[0]}`);
  try {
    return zstdDecompressSync(payload, { chunkSize: Math.max(64, rawBytes), maxOutputLength: rawBytes });
  } catch (error) {
    throw corrupt(head, `its column ${name} does not decompress: ${String(error)}`);
  }
}

function encodeTimes(timestamps: BigInt64Array): Uint8Array {
  const count = timestamps.length;
  const words = wordsOf(timestamps);
  const planes = new Uint8Array(count * 8);
  let lastLow = 0;
  let lastHigh = 0;
  for (let index = 0; index < count; index++) {
    const low = words[index * 2] ?? 0;
    const high = words[index * 2 + 1] ?? 0;
    putWord(planes, 0, index, low - lastLow);
    putWord(planes, 4, index, high - lastHigh - (low < lastLow ? 1 : 0));
    lastLow = low;
    lastHigh = high;
  }
  return planes;
}

function putWord(planes: Uint8Array, plane: number, index: number, word: number): void {
  const count = planes.length / 8;
  for (let byte = 0; byte < 4; byte++) planes[(plane + byte) * count + index] = word >>> (8 * byte);
}

function wordOf(byteAt: (plane: number, index: number) => number, plane: number, index: number): number {
  return (
    byteAt(plane, index) |
    (byteAt(plane + 1, index) << 8) |
    (byteAt(plane + 2, index) << 16) |
    (byteAt(plane + 3, index) << 24)
  );
}

function findEnds(head: BlockHead, bytes: Uint8Array, ends: Uint32Array): void {
  let at = 0;
  for (let index = 0; index < ends.length; index++) {
    if (bytes[at] !== 0x0a) throw corrupt(head, `entry ${index} does not begin at byte ${at}`);
    let length = 0;
    let shift = 0;
    let byte = 0;
    do {
      byte = bytes[++at] ?? 0;
      length |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte > 0x7f && shift < 28);
    at += 1 + length;
    ends[index] = at;
  }
  if (at !== bytes.length) throw corrupt(head, `its entries end at byte ${at} of ${bytes.length}`);
}
