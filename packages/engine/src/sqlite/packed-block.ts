/**
 * Packs blocks: the entries of several blocks, apart in columns, and a filter
 * over their words. The layout is at the head of block-format.ts.
 *
 *   blocks ─▶ entry by entry: message, service, rest, … ─▶ columns ─▶ compressed
 *                                 │
 *                                 └▶ texts by place ─▶ stripe by stripe ─▶ compressed
 *                                                          └▶ words ─▶ filter
 */
import { startIn } from "../entry-bytes.ts";
import { encodeColumn, joinStripes, letGo } from "./block-column.ts";
import { extremesOf, headCrcOf, levelCountsJson, type StoredBlock, servicesJson } from "./block-format.ts";
import { type BlockImage, blockViews, type ReceivedRuns } from "./block-image.ts";
import { copyBytes, EntrySplitter, entryHeadSize, wholeEntryMark } from "./entry-parts.ts";
import { readVarint, skipField } from "./entry-wire.ts";
import { OriginIndex } from "./origin-index.ts";
import { encodeLengths, encodeOrigins, encodeReceived } from "./packed-layout.ts";
import { cutStripes, orderByLikeness } from "./stripes.ts";
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
 * its message, of blocks of 30 000 entries of 16 services in stripes of 512 KiB
 * (zstd 1.5.7, one core). Among like texts higher levels find no more; without
 * stripes level 3 comes to 12.5 bytes in 290 ns, and takes a fifth longer to
 * decompress.
 *
 *   level      1      2      3
 *   messages   10.65  10.72  10.90 B
 *              166    200    244 ns
 *   rest       2.93   2.89   2.96 B
 */
const encodings = {
  texts: { level: 1, sized: true },
  others: { level: 1, sized: true },
  severities: { level: 1, sized: false },
} as const;

/** Bytes of a stripe's texts, unless told: of less each stripe takes longer than its bytes do. */
const stripeBytesUsual = 512 * 1024;

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
  /** The messages, by index. @internal */
  readonly messages: Room = new Room();
  /** The rests, by index. @internal */
  readonly rests: Room = new Room();
  /** Texts of one stripe, by place. @internal */
  readonly stripe: Room = new Room();
}

/** Bytes to write to. */
class Room {
  #bytes = new Uint8Array();

  /** So many of them, at the least. */
  of(length: number): Uint8Array {
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    return this.#bytes;
  }
}

/** The texts of entries by index, one after another. */
class Texts {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  /** Of the texts so far. */
  length = 0;

  constructor(bytes: Uint8Array, count: number) {
    this.bytes = bytes;
    this.ends = new Uint32Array(count);
  }

  lengthAt(index: number): number {
    return (this.ends[index] ?? 0) - startIn(this.ends, index);
  }
}

/**
 * One packed block of the entries of these, which follow each other without
 * holes, fresh or packed themselves.
 *
 * @param options.scratch What former calls have used, to be used again. Absent: new.
 * @param options.stripeBytes Of a stripe's texts, more or less. Default: 512 KiB.
 */
export function packBlocks(
  images: readonly BlockImage[],
  options: { readonly scratch?: PackScratch; readonly stripeBytes?: number } = {},
): PackedBlock {
  const { scratch = new PackScratch(), stripeBytes = stripeBytesUsual } = options;
  const columns = new ColumnBuilder(images, scratch, stripeBytes);
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
  readonly #stripeBytes: number;
  readonly #timestamps: BigInt64Array;
  readonly #severities: Uint8Array;
  readonly #origins: OriginIndex;
  readonly #received: { ends: number[]; times: bigint[] } = { ends: [], times: [] };
  readonly #messages: Texts;
  readonly #rests: Texts;
  #rawBytes = 0;
  #added = 0;

  constructor(images: readonly BlockImage[], scratch: PackScratch, stripeBytes: number) {
    const [count, rawBytes] = [sumOf(images, "count"), sumOf(images, "rawBytes")];
    this.#firstOffset = images[0]?.firstOffset ?? 0;
    this.#count = count;
    this.#scratch = scratch;
    this.#stripeBytes = stripeBytes;
    // Where packing fails half-way, its words must not pass for this block's.
    scratch.words.clear();
    this.#timestamps = new BigInt64Array(count);
    this.#severities = new Uint8Array(count);
    this.#origins = new OriginIndex(count);
    // Neither is longer than the entries: the mark of one that is kept whole takes less than its tag and length.
    this.#messages = new Texts(scratch.messages.of(rawBytes), count);
    this.#rests = new Texts(scratch.rests.of(rawBytes), count);
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
    const { stripes, ...texts } = this.#encodeTexts();
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
      stripes,
    };
    const encode = (raw: Uint8Array) => encodeColumn(raw, firstOffset, encodings.others);
    const { leastTimestamp: least, greatestTimestamp: greatest } = extremes;
    const times = encodePackedTimes(this.#timestamps, { least, greatest });
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
        ...texts,
      },
    };
    return { block, words: parts.map((part, index) => sealWords(part, { block: firstOffset, part: index })) };
  }

  /** The texts by place, cut into stripes, and their words. */
  #encodeTexts() {
    const order = orderByLikeness({ severities: this.#severities, origins: this.#origins }).indexes;
    const messages = order.map((index) => this.#messages.lengthAt(index));
    const rests = order.map((index) => this.#rests.lengthAt(index));
    const stripeEnds = cutStripes(
      messages.map((length, place) => length + (rests[place] ?? 0)),
      this.#stripeBytes,
    );
    const columns: { messages: Uint8Array[]; rests: Uint8Array[] } = { messages: [], rests: [] };
    for (const [stripe, end] of stripeEnds.entries()) {
      const indexes = order.subarray(startIn(stripeEnds, stripe), end);
      columns.messages.push(this.#encodeStripe(this.#messages, indexes, addTextWords));
      columns.rests.push(this.#encodeStripe(this.#rests, indexes, addFieldWords));
      this.#addServiceWords(indexes);
      this.#scratch.words.endStripe();
    }
    const lengths = encodeLengths({ messages, rests, stripeEnds });
    const joined = {
      stripes: stripeEnds.length,
      lengths: encodeColumn(lengths, this.#firstOffset, encodings.others),
      messages: joinStripes(columns.messages),
      rest: joinStripes(columns.rests),
    };
    for (const column of [...columns.messages, ...columns.rests]) letGo(column);
    return joined;
  }

  #encodeStripe(texts: Texts, indexes: Uint32Array, addWords: AddWords): Uint8Array {
    const { bytes, ends } = texts;
    const { words } = this.#scratch;
    let length = 0;
    for (let at = 0; at < indexes.length; at++) length += texts.lengthAt(indexes[at] ?? 0);
    const stripe = this.#scratch.stripe.of(length);
    let start = 0;
    for (let at = 0; at < indexes.length; at++) {
      const index = indexes[at] ?? 0;
      const end = copyBytes(bytes, startIn(ends, index), ends[index] ?? 0, stripe, start);
      // From where it was just put: the processor has it at hand.
      addWords(words, stripe, start, end);
      start = end;
    }
    return encodeColumn(stripe.subarray(0, start), this.#firstOffset, encodings.texts);
  }

  #addServiceWords(indexes: Uint32Array): void {
    const { names, indexes: services } = this.#origins;
    const seen = new Uint8Array(names.length);
    for (let at = 0; at < indexes.length; at++) seen[services[indexes[at] ?? 0] ?? 0] = 1;
    for (const [service, name] of names.entries())
      if (seen[service] === 1) this.#scratch.words.add(name, 0, name.length);
  }

  #addParts(bytes: Uint8Array): void {
    const { splitter } = this.#scratch;
    const { messageFrom, messageTo, service, levelFrom, levelTo, restFrom, restTo } = splitter;
    const messages = this.#messages;
    const rests = this.#rests;
    const index = this.#added++;
    messages.length = copyBytes(bytes, messageFrom, messageTo, messages.bytes, messages.length);
    messages.ends[index] = messages.length;
    this.#origins.add(index, bytes, service);
    if (splitter.isWhole) rests.bytes[rests.length++] = wholeEntryMark;
    rests.length = copyBytes(bytes, levelFrom, levelTo, rests.bytes, rests.length);
    rests.length = copyBytes(bytes, restFrom, restTo, rests.bytes, rests.length);
    rests.ends[index] = rests.length;
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

/** Adds the words of a text, or of the fields of a rest, at `bytes[from…to)`. */
type AddWords = (words: WordFilterBuilder, bytes: Uint8Array, from: number, to: number) => void;

const addTextWords: AddWords = (words, bytes, from, to) => words.add(bytes, from, to);

/** Adds the words of the rest at `bytes[from…to)`; those of a number do no harm. */
function addFieldWords(words: WordFilterBuilder, bytes: Uint8Array, from: number, to: number): void {
  const cursor = { at: bytes[from] === wholeEntryMark ? from + 1 : from };
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
