/**
 * Packs blocks: the entries of several blocks, apart in columns, and a filter
 * over their words. The layout is at the head of block-format.ts.
 *
 *   blocks ─▶ entry by entry: message, service, rest ─▶ columns ─▶ compressed
 *                                └▶ words ─▶ filter
 */
import { encodeColumn } from "./block-column.ts";
import { extremesOf, headCrcOf, levelCountsJson, type StoredBlock, servicesJson } from "./block-format.ts";
import { type BlockImage, blockViews, type ReceivedRuns } from "./block-image.ts";
import { copyBytes, EntrySplitter, entryHeadSize, wholeEntryMark } from "./entry-parts.ts";
import { readVarint, skipField } from "./entry-wire.ts";
import { OriginIndex } from "./origin-index.ts";
import { encodeLengths, encodeOrigins, encodeReceived } from "./packed-layout.ts";
import { encodeTally } from "./tally-column.ts";
import { encodePackedTimes, wordsOf } from "./time-column.ts";
import { sealWords, WordFilterBuilder } from "./word-filter.ts";

/** A packed block as it will be stored. Plain, so that a thread can post it to another. */
export interface PackedBlock {
  readonly block: StoredBlock;
  /** The parts of its word filter, by rising index, as the table `words` has them. */
  readonly words: readonly Uint8Array[];
}

/**
 * Levels of zstd, by measurement: bytes an entry, and nanoseconds to compress
 * it, of a block of 48 000 entries of 16 services (zstd 1.5.7, one core).
 * Decompressing takes the same at all levels, 1 GB/s of messages.
 *
 *   level      1      2      3      4      5      6
 *   messages   13.46  12.50  12.33  12.37  11.94  11.52 B
 *              180    219    266    288    618    776 ns
 *   rest       2.40   2.39   2.43   2.45   2.37   2.22 B
 *   others     3.38   3.40   3.38   3.42   3.41   3.38 B
 */
const encodings = {
  texts: { level: 3, sized: true },
  others: { level: 1, sized: true },
  severities: { level: 1, sized: false },
} as const;

/** Numbers of an entry's fields: those up to span_id are texts, but for the timestamp. */
const attributesField = 5;
const spanIdField = 7;

/** The number of an attribute's value. */
const valueField = 2;

/** What packing uses again from block to block, as large as the largest block so far. */
export class PackScratch {
  /** @internal */
  readonly words: WordFilterBuilder = new WordFilterBuilder();
  /** @internal */
  readonly splitter: EntrySplitter = new EntrySplitter();
  #messages = new Uint8Array();
  #rests = new Uint8Array();

  /** Room for so many bytes of messages. @internal */
  messages(bytes: number): Uint8Array {
    if (this.#messages.length < bytes) this.#messages = new Uint8Array(bytes);
    return this.#messages;
  }

  /** Room for so many bytes of rests. @internal */
  rests(bytes: number): Uint8Array {
    if (this.#rests.length < bytes) this.#rests = new Uint8Array(bytes);
    return this.#rests;
  }
}

/**
 * One packed block of the entries of these, which follow each other without
 * holes, fresh or packed themselves.
 *
 * @param scratch What former calls have used, to be used again. Absent: new.
 */
export function packBlocks(
  images: readonly BlockImage[],
  scratch: PackScratch = new PackScratch(),
): PackedBlock {
  const columns = new ColumnBuilder(images, scratch);
  for (const image of images) columns.add(image);
  return columns.build();
}

/** The buffers of a packed block, to be handed over when it is posted. */
export function packedBuffers({ block, words }: PackedBlock): ArrayBuffer[] {
  const columns = [
    block.times,
    block.severities,
    block.entries,
    ...Object.values(block.packed ?? {}),
    ...words,
  ];
  return [...new Set(columns.map(({ buffer }) => buffer))].filter((buffer) => buffer instanceof ArrayBuffer);
}

/** The columns of one packed block, entry by entry. */
class ColumnBuilder {
  readonly #firstOffset: number;
  readonly #count: number;
  readonly #scratch: PackScratch;
  readonly #timestamps: BigInt64Array;
  readonly #severities: Uint8Array;
  readonly #messageLengths: Uint32Array;
  readonly #restLengths: Uint32Array;
  readonly #origins: OriginIndex;
  readonly #received: { ends: number[]; times: bigint[] } = { ends: [], times: [] };
  readonly #messages: Uint8Array;
  #messageBytes = 0;
  readonly #rests: Uint8Array;
  #restBytes = 0;
  #rawBytes = 0;
  #added = 0;

  constructor(images: readonly BlockImage[], scratch: PackScratch) {
    const [count, rawBytes] = [sumOf(images, "count"), sumOf(images, "rawBytes")];
    this.#firstOffset = images[0]?.firstOffset ?? 0;
    this.#count = count;
    this.#scratch = scratch;
    this.#timestamps = new BigInt64Array(count);
    this.#severities = new Uint8Array(count);
    this.#messageLengths = new Uint32Array(count);
    this.#restLengths = new Uint32Array(count);
    this.#origins = new OriginIndex(count);
    // Neither is longer than the entries: the mark of one that is kept whole takes less than its tag and length.
    this.#messages = scratch.messages(rawBytes);
    this.#rests = scratch.rests(rawBytes);
  }

  add(image: BlockImage): void {
    const { timestamps, ends, severities, bytes } = blockViews(image);
    this.#timestamps.set(timestamps, this.#added);
    this.#severities.set(severities, this.#added);
    this.#addReceived(image);
    const { splitter } = this.#scratch;
    const words = wordsOf(timestamps);
    const marks = { low: 0, high: 0, severity: 0 };
    splitter.bytes = bytes;
    let start = 0;
    for (let index = 0; index < ends.length; index++) {
      const end = ends[index] ?? 0;
      marks.low = words[index * 2] ?? 0;
      marks.high = words[index * 2 + 1] ?? 0;
      marks.severity = severities[index] ?? 0;
      splitter.split(start, end, marks);
      this.#addParts(bytes);
      this.#rawBytes += entryHeadSize(end - splitter.entryFrom) + end - splitter.entryFrom;
      start = end;
    }
  }

  build(): PackedBlock {
    const firstOffset = this.#firstOffset;
    const extremes = extremesOf(this.#timestamps);
    const received: ReceivedRuns = {
      ends: Uint32Array.from(this.#received.ends),
      times: BigInt64Array.from(this.#received.times),
    };
    const parts = this.#scratch.words.build();
    const head = {
      firstOffset,
      count: this.#count,
      ...extremes,
      receivedAt: received.times.at(-1) ?? 0n,
      rawBytes: this.#rawBytes,
      levelCounts: levelCountsJson(this.#severities),
      services: servicesJson(this.#origins.names),
      wordParts: parts.length,
    };
    const encode = (raw: Uint8Array) => encodeColumn(raw, firstOffset, encodings.others);
    const { leastTimestamp: least, greatestTimestamp: greatest } = extremes;
    const times = encodePackedTimes(this.#timestamps, { least, greatest });
    const messages = this.#messages.subarray(0, this.#messageBytes);
    const rests = this.#rests.subarray(0, this.#restBytes);
    const block = {
      ...head,
      headCrc: headCrcOf(head),
      times: encode(times),
      severities: encodeColumn(this.#severities, firstOffset, encodings.severities),
      entries: new Uint8Array(),
      packed: {
        tally: encode(encodeTally(head, this.#timestamps, this.#severities)),
        received: encode(encodeReceived(received)),
        origins: encode(encodeOrigins(this.#origins)),
        lengths: encode(encodeLengths(this.#messageLengths, this.#restLengths)),
        messages: encodeColumn(messages, firstOffset, encodings.texts),
        rest: encodeColumn(rests, firstOffset, encodings.texts),
      },
    };
    return { block, words: parts.map((part, index) => sealWords(part, { block: firstOffset, part: index })) };
  }

  #addParts(bytes: Uint8Array): void {
    const { splitter, words } = this.#scratch;
    const { messageFrom, messageTo, service, levelFrom, levelTo, restFrom, restTo } = splitter;
    const index = this.#added++;
    this.#messageLengths[index] = messageTo - messageFrom;
    this.#messageBytes = copyBytes(bytes, messageFrom, messageTo, this.#messages, this.#messageBytes);
    words.add(bytes, messageFrom, messageTo);
    if (this.#origins.add(index, bytes, service)) words.add(bytes, service.from, service.to);
    const start = this.#restBytes;
    if (splitter.isWhole) this.#rests[this.#restBytes++] = wholeEntryMark;
    this.#restBytes = copyBytes(bytes, levelFrom, levelTo, this.#rests, this.#restBytes);
    this.#restBytes = copyBytes(bytes, restFrom, restTo, this.#rests, this.#restBytes);
    this.#restLengths[index] = this.#restBytes - start;
    addFieldWords(words, bytes, levelFrom, levelTo);
    addFieldWords(words, bytes, restFrom, restTo);
  }

  #addReceived({ count, receivedAt, received }: BlockImage): void {
    const { ends, times } = this.#received;
    const runs = received ?? { ends: Uint32Array.of(count), times: BigInt64Array.of(receivedAt) };
    const before = this.#added;
    for (const [run, end] of runs.ends.entries()) {
      const time = runs.times[run] ?? 0n;
      // A run that goes on from block to block is one.
      if (times.at(-1) === time) ends.pop();
      else times.push(time);
      ends.push(before + end);
    }
  }
}

/** Adds the words of the fields at `bytes[from…to)`; those of a number do no harm. */
function addFieldWords(words: WordFilterBuilder, bytes: Uint8Array, from: number, to: number): void {
  const cursor = { at: from };
  while (cursor.at < to) {
    const tag = readVarint(bytes, cursor, to);
    const start = skipField(bytes, cursor, tag & 7, to);
    const field = tag >>> 3;
    const end = Math.min(cursor.at, to);
    if (field === attributesField) addAttributeWords(words, bytes, start, end);
    else if (field <= spanIdField && start < end) words.add(bytes, start, end);
  }
}

function addAttributeWords(words: WordFilterBuilder, bytes: Uint8Array, from: number, to: number): void {
  const cursor = { at: from };
  while (cursor.at < to) {
    const tag = readVarint(bytes, cursor, to);
    const start = skipField(bytes, cursor, tag & 7, to);
    if (tag >>> 3 === valueField) words.add(bytes, start, Math.min(cursor.at, to));
  }
}

function sumOf(images: readonly BlockImage[], key: "count" | "rawBytes"): number {
  return images.reduce((sum, image) => sum + image[key], 0);
}
