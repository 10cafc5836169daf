/**
 * The file `log.db`: what is in it, byte by byte. Enough to read and to write
 * it without this code.
 *
 * It is a SQLite 3 database in WAL mode, auto_vacuum INCREMENTAL, with
 * `application_id` 0x6c6f6773 ("logs") and `user_version` 2. Integers in blobs
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
 *     received_at         when its newest entries were accepted
 *     raw_bytes           length of its entries as a fresh block has them
 *     level_counts        JSON: entries by severity, rising: {"9":1998,"17":2}
 *     services            JSON: the different services of its entries, in order
 *                         of appearance: ["api","web"]; NULL when more than 32
 *     head_crc            CRC-32 of the columns before it and, where they are
 *                         not NULL, of word_parts and stripes, as text in UTF-8,
 *                         in this order, joined by one space; NULL services as
 *                         nothing
 *     times               column: the timestamps
 *     severities          column: a byte an entry, 0 to 24
 *     entries             a fresh block's column: the entries, each 0x0A, varint
 *                         length, LogEntry (so it is an encoded `repeated
 *                         LogEntry` of field 1). Packed: an empty blob
 *     word_parts          packed: into how many parts its word filter is split
 *     stripes             packed: into how many stripes its texts are, 1 to 32
 *     tally, received, origins, lengths, messages, rest   a packed block's columns
 *
 *   words      the packed blocks' word filters, see word-filter.ts
 *     block, part         the block's first_offset, and which part: 0 …
 *                         word_parts - 1
 *     bits                the part's bits, then the CRC-32 of: block as 8 bytes,
 *                         part as 4 bytes, the bits
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
 * A commit writes fresh blocks: whole entries, compressed while the writers
 * wait. Merging puts one packed block in the place of several adjacent blocks,
 * fresh or packed, in one transaction: the same entries with the same offsets.
 * In a fresh block word_parts and all that follows it are NULL; in a packed one
 * none of it is.
 *
 * A column is
 *
 *   ┌────────┬─────────────────────────┬──────────────┐
 *   │ method │ payload                 │ CRC-32       │
 *   │ 1 byte │                         │ 4 bytes      │
 *   └────────┴─────────────────────────┴──────────────┘
 *
 * method 0: the payload is the column's bytes; 1: a zstd frame of them; 2: their
 * number as 4 bytes, then a zstd frame of them. The CRC-32 (as in zlib) is of
 * first_offset as 8 bytes, then method and payload; so a column in the wrong row
 * is noticed too. Columns stand apart so that counting by time and level never
 * touches the entries, and a search for text only their messages.
 *
 * `times` of a fresh block holds for each entry the difference to the one before
 * (the first: to 0), as 64 bits with wrap-around, in eight planes: the lowest
 * byte of every difference, then the next byte of every difference, … The upper
 * planes are mostly zeroes, which compress to nothing.
 *
 * A packed block has its entries' texts by place, see stripes.ts: sorted by
 * severity, then by the index of their service, where the block has no more than
 * 256 services, then by offset. A striped column is for each stripe, which is
 * some of these places, the length of a column as 4 bytes and that column.
 *
 * A packed block has each entry's parts in these columns:
 *
 *   times       byte 0: an exponent e, of 9, 6, 3 and 0 the greatest for which
 *               10^e divides each timestamp's distance to least_timestamp; byte
 *               1: a number of planes; then so many planes, the lowest byte
 *               first, of a number an entry. d is the difference of its distance
 *               to that of the entry before (the first: 0), divided by 10^e, and
 *               the number 2 × d, or for negative ones -2 × d - 1. Where
 *               distances are greater than 2^52, byte 0 is 255, and the fresh
 *               block's eight planes follow.
 *   tally       how many entries of each severity lie in each unit of time, so
 *               that a histogram need not read times. Byte 0: which unit; 0 to 8
 *               are 1, 10 and 100 ms, 1 and 5 s, 1 and 5 min, 1 h, 24 h; the
 *               least of which the times touch at most 64. Units begin at whole
 *               multiples of their length; the first holds least_timestamp, the
 *               last greatest_timestamp. Byte 1: a number of planes; then so
 *               many planes of the counts: of the least severity in
 *               level_counts those of all units, then of the next one, …
 *               Empty when the times touch more than 64 days, or one is negative.
 *   received    empty when all have the row's received_at. Else runs of entries
 *               accepted at one time: four planes of the runs' lengths, then
 *               their times as a fresh block has those of entries.
 *   origins     the services: how many as 4 bytes, the length of each as 4
 *               bytes, their UTF-8; then the index of each entry's service, in
 *               no, 1, 2 or 4 bytes for up to 1, 2^8, 2^16 or more services.
 *               Services are in order of appearance; "" is one.
 *   lengths     byte 0: planes of the messages' lengths, byte 1: planes of the
 *               rests' lengths, byte 2: number of stripes; how many entries each
 *               stripe has, as 4 bytes; then these planes. Lengths are by place.
 *   messages    striped: the messages by place, in UTF-8, nothing between them
 *   rest        striped: the rests, in the same way. A rest holds what no other
 *               column tells of a LogEntry: its fields from attributes on, encoded as
 *               they were, and before them its level when that is not the
 *               severity's name (TRACE, DEBUG, INFO, WARN, ERROR, FATAL for 1 to
 *               4, 5 to 8, …). So an entry is: level, message, timestamp and
 *               service, each where it is not empty or 0, and the rest. An entry
 *               whose encoding is another one (a field twice, another order, …)
 *               has for a rest a zero byte and its whole encoding; its message
 *               and service are in their columns as well.
 *
 * Example: the block of one entry LogEntry{level:"INFO", message:"a", timestamp:1}
 * with offset 7, received at 5, has
 *
 *   7, 1, 1, 1, 5, 13, '{"9":1}', '[""]', head_crc 1184226073
 *   times       00 0100000000000000 688dd725
 *   severities  00 09 abcb8a78
 *   entries     00 0a0b0a04494e464f1201611801 50821fe4
 *
 * Merged with that of LogEntry{level:"NOTE", message:"bc", timestamp:3,
 * service:"api"}, offset 8, received at 6, it becomes
 *
 *   7, 2, 1, 3, 6, 32, '{"0":1,"9":1}', '["","api"]', head_crc 2756815909
 *   times       00 00 01 00 04 f4eea874
 *   severities  00 0900 261f7e93
 *   entries     (empty)
 *   word_parts  1
 *   stripes     1
 *   tally       00 00 01 0101 3a2bd91d
 *   received    00 0101 000000000000 0501 0000000000000000000000000000 59415523
 *   origins     00 02000000 00000000 03000000 617069 00 01 4e57f265
 *   lengths     00 01 01 01 02000000 0201 0600 e49f1268
 *   messages    08000000 00 626361 04597b30
 *   rest        0b000000 00 0a044e4f5445 e741a5c0
 *   words       7, 0, d18a831e620e31c2 19073267
 *
 * A block is valid if its head_crc is right and, for each column that is read,
 * its CRC-32 is right, its length is as told above, and `entries` is `count`
 * whole entries. Blocks follow each other without holes: each begins where the
 * one before ends, and the last ends before next_offset.
 *
 * A commit is one transaction: the new blocks, the producers' runs and the row
 * of `log`. SQLite's WAL makes it whole or nothing, with an fsync before it is
 * acknowledged; recovery after a crash is SQLite's own, on opening. Opening then
 * checks that the last block ends where next_offset says, and refuses the file
 * otherwise. Retention deletes whole blocks from the oldest on; offsets are
 * never used again, since next_offset stays.
 *
 * Version 1 had no packed blocks: no table `words`, and no columns behind
 * `entries`. Opening adds them, and its blocks are fresh ones.
 */
import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { corrupt, decodeColumn, encodeColumn } from "./block-column.ts";
import { type BlockImage, blockViews } from "./block-image.ts";
import { equalBytes, findService } from "./entry-wire.ts";
import { decodeFreshTimes, encodeFreshTimes, wordsOf } from "./time-column.ts";

/** `application_id` of our files: "logs". */
export const applicationId = 0x6c6f6773;

/** The tables of version 1. */
const schemaOfVersion1 = `
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

/** What version 2 adds: packed blocks. Those of version 1 go on as fresh ones. */
const additionsOfVersion2 = `
ALTER TABLE blocks ADD COLUMN word_parts INTEGER;
ALTER TABLE blocks ADD COLUMN stripes INTEGER;
ALTER TABLE blocks ADD COLUMN tally BLOB;
ALTER TABLE blocks ADD COLUMN received BLOB;
ALTER TABLE blocks ADD COLUMN origins BLOB;
ALTER TABLE blocks ADD COLUMN lengths BLOB;
ALTER TABLE blocks ADD COLUMN messages BLOB;
ALTER TABLE blocks ADD COLUMN rest BLOB;
CREATE TABLE words (
  block INTEGER NOT NULL,
  part INTEGER NOT NULL,
  bits BLOB NOT NULL,
  PRIMARY KEY (block, part)
) STRICT, WITHOUT ROWID;
`;

/** The tables of a new file, version 2. */
export const schema: string = schemaOfVersion1 + additionsOfVersion2;

/** Makes version 2 of version 1: no row changes. */
export function addPackedBlocks(database: DatabaseSync): void {
  database.exec(additionsOfVersion2);
}

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
  /** How many parts its word filter has; null: it has none, and is a fresh block. */
  readonly wordParts: number | null;
  /** In how many stripes its texts are; null in a fresh block. */
  readonly stripes: number | null;
}

/** A head as it is stored. */
export interface StoredHead extends BlockHead {
  readonly headCrc: number;
}

/** A block as it is stored. */
export interface StoredBlock extends StoredHead {
  readonly times: Uint8Array;
  readonly severities: Uint8Array;
  /** Empty in a packed block. */
  readonly entries: Uint8Array;
  /** Null in a fresh block. */
  readonly packed: StoredPackedColumns | null;
}

/** The columns that only a packed block has. */
export interface StoredPackedColumns {
  readonly tally: Uint8Array;
  readonly received: Uint8Array;
  readonly origins: Uint8Array;
  readonly lengths: Uint8Array;
  readonly messages: Uint8Array;
  readonly rest: Uint8Array;
}

/** Stores a block, fresh or packed; its values are `blockValues`. */
export const insertBlockSql = `INSERT INTO blocks (first_offset, count, least_timestamp, greatest_timestamp,
  received_at, raw_bytes, level_counts, services, head_crc, times, severities, entries,
  word_parts, stripes, tally, received, origins, lengths, messages, rest)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** Stores a part of a block's word filter: the block's first offset, the part's index, its bits. */
export const insertWordsSql = "INSERT INTO words (block, part, bits) VALUES (?, ?, ?)";

/** What a block takes, as an expression on its row: SQLite knows the length of a blob without reading it. */
export const storedBytesSql = `length(times) + length(severities) + length(entries)
  + coalesce(length(tally) + length(received) + length(origins) + length(lengths) + length(messages)
    + length(rest), 0)
  + (SELECT coalesce(sum(length(bits)), 0) FROM words WHERE block = first_offset)`;

/** What `insertBlockSql` takes. */
export function blockValues(block: StoredBlock): (bigint | number | string | Uint8Array | null)[] {
  const { packed } = block;
  return [
    block.firstOffset,
    block.count,
    block.leastTimestamp,
    block.greatestTimestamp,
    block.receivedAt,
    block.rawBytes,
    block.levelCounts,
    block.services,
    block.headCrc,
    block.times,
    block.severities,
    block.entries,
    block.wordParts,
    block.stripes,
    packed?.tally ?? null,
    packed?.received ?? null,
    packed?.origins ?? null,
    packed?.lengths ?? null,
    packed?.messages ?? null,
    packed?.rest ?? null,
  ];
}

/** More different services than this are not worth listing. */
const servicesMax = 32;

/** A fresh block is compressed while its writers wait. */
const freshEncoding = { level: 1, sized: false };

/** A fresh block as it will be stored. */
export function encodeBlock(image: BlockImage): StoredBlock {
  const { firstOffset, count, receivedAt } = image;
  const { timestamps, severities, bytes } = blockViews(image);
  const head = {
    firstOffset,
    count,
    ...extremesOf(timestamps),
    receivedAt,
    rawBytes: bytes.length,
    levelCounts: levelCountsJson(severities),
    services: servicesJson(findServices(image)),
    wordParts: null,
    stripes: null,
  };
  return {
    ...head,
    headCrc: headCrcOf(head),
    times: encodeColumn(encodeFreshTimes(timestamps), firstOffset, freshEncoding),
    severities: encodeColumn(severities, firstOffset, freshEncoding),
    entries: encodeColumn(bytes, firstOffset, freshEncoding),
    packed: null,
  };
}

/**
 * The entries of a fresh block.
 *
 * @throws EngineError `corrupt`
 */
export function decodeEntries(head: BlockHead, column: Uint8Array): { bytes: Buffer; ends: Uint32Array } {
  const bytes = decodeColumn(head, "entries", column, head.rawBytes);
  const ends = new Uint32Array(head.count);
  findEnds(head, bytes, ends);
  return { bytes, ends };
}

/**
 * The timestamps of a fresh block.
 *
 * @throws EngineError `corrupt`
 */
export function decodeTimes(head: BlockHead, column: Uint8Array): BigInt64Array {
  return decodeFreshTimes(decodeColumn(head, "times", column, head.count * 8), head.count);
}

/**
 * The severities of a block, fresh or packed.
 *
 * @throws EngineError `corrupt`
 */
export function decodeSeverities(head: BlockHead, column: Uint8Array): Uint8Array {
  return decodeColumn(head, "severities", column, head.count);
}

/** @throws EngineError `corrupt` when the head is not as it was written. */
export function checkHead(head: StoredHead): void {
  const crc = headCrcOf(head);
  if (crc !== head.headCrc) throw corrupt(head, `its head's checksum is ${crc}, stored is ${head.headCrc}`);
}

/** Entries by severity, from a head's `levelCounts`. */
export function levelCountsOf(head: BlockHead): Map<number, number> {
  const counts: unknown = JSON.parse(head.levelCounts);
  if (typeof counts !== "object" || counts === null)
    throw corrupt(head, "its level counts are not an object");
  return new Map(Object.entries(counts).map(([severity, count]) => [Number(severity), Number(count)]));
}

/** How many stripes a packed block has. */
export function stripeCountOf(head: Pick<BlockHead, "firstOffset" | "count" | "stripes">): number {
  if (head.stripes === null) throw corrupt(head, "it is packed and has no number of stripes");
  return head.stripes;
}

/** The different services of its entries, from a head's `services`; null: they are too many. */
export function servicesOf(head: BlockHead): string[] | null {
  if (head.services === null) return null;
  const services: unknown = JSON.parse(head.services);
  if (Array.isArray(services) && services.every((service) => typeof service === "string")) return services;
  throw corrupt(head, "its services are not a list of texts");
}

/** The least and the greatest of some timestamps. */
export function extremesOf(timestamps: BigInt64Array): {
  leastTimestamp: bigint;
  greatestTimestamp: bigint;
} {
  // In halves: several times as fast as comparing bigints. Times are not negative.
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

function isEarlier(words: Uint32Array, one: number, other: number): boolean {
  const oneHigh = words[one + 1] ?? 0;
  const otherHigh = words[other + 1] ?? 0;
  return oneHigh === otherHigh ? (words[one] ?? 0) < (words[other] ?? 0) : oneHigh < otherHigh;
}

/** A head's `levelCounts`. */
export function levelCountsJson(severities: Uint8Array): string {
  const perSeverity = new Uint32Array(256);
  for (const severity of severities) perSeverity[severity] = (perSeverity[severity] ?? 0) + 1;
  // Rising: objects keep integer keys in that order.
  const counts: Record<number, number> = {};
  for (const [severity, count] of perSeverity.entries()) if (count > 0) counts[severity] = count;
  return JSON.stringify(counts);
}

/** A head's `services`, from the different ones in order of appearance. */
export function servicesJson(services: readonly Uint8Array[]): string | null {
  if (services.length > servicesMax) return null;
  return JSON.stringify(services.map((service) => Buffer.from(service).toString()));
}

/** The different services of a block, until they are too many. */
function findServices(image: BlockImage): Uint8Array[] {
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
    last = bytes.subarray(range.from, range.to);
    services.push(last);
    if (services.length > servicesMax) break;
  }
  return services;
}

/** The checksum of a head. */
export function headCrcOf(head: BlockHead): number {
  const { firstOffset, count, leastTimestamp, greatestTimestamp, receivedAt, rawBytes } = head;
  const numbers = [firstOffset, count, leastTimestamp, greatestTimestamp, receivedAt, rawBytes];
  const words = head.wordParts === null ? "" : ` ${head.wordParts} ${head.stripes}`;
  return crc32(`${numbers.join(" ")} ${head.levelCounts} ${head.services ?? ""}${words}`);
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
