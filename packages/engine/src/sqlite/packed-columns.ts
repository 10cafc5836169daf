/**
 * A packed block's columns, each read and decoded when it is first asked for,
 * and its entries, put together from them.
 */
import { startIn } from "../entry-bytes.ts";
import { type ColumnName, corrupt, decodeColumn, letGo, splitStripes } from "./block-column.ts";
import { type BlockHead, decodeSeverities, stripeCountOf } from "./block-format.ts";
import { type BlockImage, blockViews, createBlockImage, type ReceivedRuns } from "./block-image.ts";
import { type EntryParts, entryHeadSize, joinedSize, joinParts, writeEntryHead } from "./entry-parts.ts";
import { decodeOrigins, decodeReceived, type EncodedOrigins, TextEnds } from "./packed-layout.ts";
import { type Arrangement, arrange, stripeAt } from "./stripes.ts";
import { decodeTally, type Tally } from "./tally-column.ts";
import { decodePackedTimes, wordsOf } from "./time-column.ts";

/** Reads a column of the block as it is stored. */
export type LoadColumn = (name: ColumnName) => Uint8Array;

/** The texts of a stripe, one after another. */
export interface StripeTexts {
  readonly bytes: Buffer;
  /** Where each one ends; the first begins at 0. */
  readonly ends: Uint32Array;
}

/** How much of a block is wanted. */
export interface ImageBounds {
  readonly bytesMax: number;
  readonly entriesMax: number;
}

const noBounds = { bytesMax: Number.POSITIVE_INFINITY, entriesMax: Number.POSITIVE_INFINITY };

const noBytes = new Uint8Array();

/** One packed block. Everything throws EngineError `corrupt` where a column is not valid, and what `load` throws. */
export class PackedColumns {
  readonly head: BlockHead;
  readonly #load: LoadColumn;
  #timestamps: BigInt64Array | undefined;
  #severities: Uint8Array | undefined;
  #origins: EncodedOrigins | undefined;
  #lengths: TextEnds | undefined;
  #arrangement: Arrangement | undefined;
  readonly #messages: StripedTexts;
  readonly #rests: StripedTexts;
  #received: ReceivedRuns | undefined;
  #parts: EntryParts | undefined;
  /** The halves of the timestamps, as soon as `#parts` is there. */
  #words: Uint32Array = new Uint32Array();

  constructor(head: BlockHead, load: LoadColumn) {
    this.head = head;
    this.#load = load;
    this.#messages = new StripedTexts(head, "messages", load);
    this.#rests = new StripedTexts(head, "rest", load);
  }

  get timestamps(): BigInt64Array {
    this.#timestamps ??= decodePackedTimes(this.head, this.#load("times"));
    return this.#timestamps;
  }

  get severities(): Uint8Array {
    this.#severities ??= decodeSeverities(this.head, this.#load("severities"));
    return this.#severities;
  }

  /** Undefined: its times are too far apart. */
  tally(): Tally | undefined {
    return decodeTally(this.head, this.#load("tally"));
  }

  get origins(): EncodedOrigins {
    this.#origins ??= decodeOrigins(this.head, this.#decode("origins"));
    return this.#origins;
  }

  get received(): ReceivedRuns {
    this.#received ??= decodeReceived(this.head, this.#decode("received"));
    return this.#received;
  }

  /** Where each entry has its texts. */
  get arrangement(): Arrangement {
    this.#arrangement ??= arrange(this, this.#ends.stripeEnds);
    return this.#arrangement;
  }

  /** The messages of a stripe's entries. */
  messagesIn(stripe: number): StripeTexts {
    return this.#messages.at(stripe, this.#ends);
  }

  /** The rests of a stripe's entries. */
  restsIn(stripe: number): StripeTexts {
    return this.#rests.at(stripe, this.#ends);
  }

  /** The encoding of an entry, in bytes of its own. */
  entryBytesAt(index: number): Uint8Array {
    const parts = this.#partsAt(index);
    const bytes = new Uint8Array(joinedSize(parts));
    joinParts(parts, bytes, 0);
    return bytes;
  }

  /**
   * Some of its entries as a block of their own.
   *
   * @param from The first one's index.
   * @param bounds The most that it may hold, but one entry at least. Absent: all to the end.
   */
  imageFrom(from: number, { bytesMax, entriesMax }: ImageBounds = noBounds): BlockImage {
    const { firstOffset, count } = this.head;
    const sizes = new Uint32Array(Math.min(count - from, entriesMax));
    let rawBytes = 0;
    let taken = 0;
    for (; taken < sizes.length; taken++) {
      const size = joinedSize(this.#partsAt(from + taken));
      const total = rawBytes + entryHeadSize(size) + size;
      if (total > bytesMax && taken > 0) break;
      sizes[taken] = size;
      rawBytes = total;
    }
    const received = this.#receivedOf(from, from + taken);
    const receivedAt = received.times.at(-1) ?? this.head.receivedAt;
    const image = createBlockImage({
      firstOffset: firstOffset + from,
      count: taken,
      receivedAt,
      rawBytes,
      ...(received.ends.length > 1 ? { received } : {}),
    });
    this.#fill(image, from, sizes);
    return image;
  }

  /** Frees what was decoded; nothing may be asked for afterwards. */
  release(): void {
    this.#messages.release();
    this.#rests.release();
  }

  #fill(image: BlockImage, from: number, sizes: Uint32Array): void {
    const { timestamps, ends, severities, bytes } = blockViews(image);
    timestamps.set(this.timestamps.subarray(from, from + image.count));
    severities.set(this.severities.subarray(from, from + image.count));
    let at = 0;
    for (let index = 0; index < image.count; index++) {
      at = writeEntryHead(sizes[index] ?? 0, bytes, at);
      at = joinParts(this.#partsAt(from + index), bytes, at);
      ends[index] = at;
    }
  }

  /** When the entries of a part were accepted. */
  #receivedOf(from: number, to: number): ReceivedRuns {
    const { ends, times } = this.received;
    let first = 0;
    while (first < ends.length - 1 && (ends[first] ?? 0) <= from) first++;
    let last = first;
    while (last < ends.length - 1 && (ends[last] ?? 0) < to) last++;
    return {
      ends: ends.slice(first, last + 1).map((end) => Math.min(end, to) - from),
      times: times.slice(first, last + 1),
    };
  }

  /** The same object each time. */
  #partsAt(index: number): EntryParts {
    this.#parts ??= this.#firstParts();
    const { origins, arrangement } = this;
    const place = arrangement.places[index] ?? 0;
    const stripe = stripeAt(arrangement, place);
    const text = place - startIn(arrangement.stripeEnds, stripe);
    const messages = this.messagesIn(stripe);
    const rests = this.restsIn(stripe);
    const words = this.#words;
    const parts = this.#parts;
    parts.severity = this.severities[index] ?? 0;
    parts.low = words[index * 2] ?? 0;
    parts.high = words[index * 2 + 1] ?? 0;
    parts.messages = messages.bytes;
    parts.messageFrom = startIn(messages.ends, text);
    parts.messageTo = messages.ends[text] ?? 0;
    parts.service = origins.names[origins.indexes[index] ?? 0] ?? noBytes;
    parts.rests = rests.bytes;
    parts.restFrom = startIn(rests.ends, text);
    parts.restTo = rests.ends[text] ?? 0;
    return parts;
  }

  #firstParts(): EntryParts {
    this.#words = wordsOf(this.timestamps);
    return {
      severity: 0,
      low: 0,
      high: 0,
      messages: noBytes,
      messageFrom: 0,
      messageTo: 0,
      service: noBytes,
      rests: noBytes,
      restFrom: 0,
      restTo: 0,
    };
  }

  get #ends(): TextEnds {
    this.#lengths ??= new TextEnds(this.head, stripeCountOf(this.head), this.#decode("lengths"));
    return this.#lengths;
  }

  #decode(name: ColumnName): Buffer {
    return decodeColumn(this.head, name, this.#load(name));
  }
}

/** A striped column: its texts, each stripe decoded when it is first asked for. */
class StripedTexts {
  readonly #head: BlockHead;
  readonly #name: "messages" | "rest";
  readonly #load: LoadColumn;
  #columns: readonly Uint8Array[] | undefined;
  readonly #texts: (StripeTexts | undefined)[] = [];

  constructor(head: BlockHead, name: "messages" | "rest", load: LoadColumn) {
    this.#head = head;
    this.#name = name;
    this.#load = load;
  }

  at(stripe: number, ends: TextEnds): StripeTexts {
    const known = this.#texts[stripe];
    if (known !== undefined) return known;
    const texts = this.#decode(stripe, ends.of(this.#name === "rest" ? "rest" : "message", stripe));
    this.#texts[stripe] = texts;
    return texts;
  }

  release(): void {
    for (const texts of this.#texts) if (texts !== undefined) letGo(texts.bytes);
  }

  #decode(stripe: number, ends: Uint32Array): StripeTexts {
    const head = this.#head;
    const name = this.#name;
    this.#columns ??= splitStripes(head, name, this.#load(name), stripeCountOf(head));
    const bytes = decodeColumn(head, name, this.#columns[stripe] ?? noBytes);
    const end = ends.at(-1) ?? 0;
    if (bytes.length === end) return { bytes, ends };
    throw corrupt(head, `stripe ${stripe} of its column ${name} has ${bytes.length} bytes, ${end} expected`);
  }
}
