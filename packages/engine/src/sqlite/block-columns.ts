/**
 * What a search reads of a block: the same of fresh and of packed ones, and
 * each column read and decoded when it is first asked for.
 */
import type { FilterableEntry } from "@logsvc/filter";
import { entryBytesAt, startIn } from "../entry-bytes.ts";
import { letGo } from "./block-column.ts";
import { decodeEntries, decodeSeverities, decodeTimes, type StoredHead } from "./block-format.ts";
import { type BlockImage, blockViews, createBlockImage, receivedAtOf } from "./block-image.ts";
import { hasOwnLevel, levelTextOf, wholeEntryMark } from "./entry-parts.ts";
import { EntryView } from "./entry-view.ts";
import { findService } from "./entry-wire.ts";
import { OriginIndex } from "./origin-index.ts";
import { type ImageBounds, type LoadColumn, PackedColumns } from "./packed-columns.ts";
import type { EncodedOrigins, Origins } from "./packed-layout.ts";
import { type Arrangement, stripeAt, unarranged } from "./stripes.ts";
import type { Tally } from "./tally-column.ts";

/** Bytes of a stripe's entries in which a text is looked for. */
export interface TextColumn {
  readonly bytes: Buffer;
  /** Where the part of each of the stripe's places ends; the first begins at 0. */
  readonly ends: Uint32Array;
  /** True: the parts are the field's texts. False: there are other bytes too, and what is found must be verified. */
  readonly isExact: boolean;
  /**
   * True: a part is an entry with its tag and length. False: it is a message,
   * or a packed block's rest: fields, or a zero byte and then all of its fields.
   */
  readonly isWhole: boolean;
}

/** A block's columns. */
export interface BlockColumns {
  readonly head: StoredHead;
  readonly timestamps: BigInt64Array;
  readonly severities: Uint8Array;
  /** Its entries counted by time and severity; undefined: they are not, as in every fresh block. */
  tally(): Tally | undefined;
  /** The services. */
  readonly origins: Origins;
  /** Where each entry has its texts; a fresh block is one stripe. */
  readonly arrangement: Arrangement;
  /**
   * Where a field of a stripe's entries is looked for: the message, or any field
   * besides message, service and known levels (`rest`). Each text lies in its
   * entry's part as it is, in UTF-8. Ask again for each field and block whether
   * it is exact.
   */
  textOf(field: "message" | "rest", stripe: number): TextColumn;
  /** When an entry was accepted, Unix nanoseconds. */
  receivedAt(index: number): bigint;
  /** An entry whose fields are read when they are asked for, each from its column. The same object each time. */
  view(index: number): FilterableEntry;
  /** The entry's encoding, in bytes of its own. */
  entryBytesAt(index: number): Uint8Array;
  /**
   * Entries as a block of whole ones: of a packed block those from `index` on
   * that are within the bounds, and one at least; a fresh block as it is.
   */
  imageFrom(index: number, bounds?: ImageBounds): BlockImage;
  /** Frees what was decoded, for those who read many blocks. The columns must not be used afterwards. */
  release(): void;
}

/**
 * The columns of a stored block, whose head has been checked. They throw
 * EngineError `corrupt`, and what `load` throws.
 */
export function openColumns(head: StoredHead, load: LoadColumn): BlockColumns {
  return head.wordParts === null ? new FreshBlock(head, load) : new PackedBlock(head, load);
}

/** A block of whole entries. */
class FreshBlock implements BlockColumns {
  readonly head: StoredHead;
  readonly #load: LoadColumn;
  #arrangement: Arrangement | undefined;
  #timestamps: BigInt64Array | undefined;
  #severities: Uint8Array | undefined;
  #origins: Origins | undefined;
  #entries: { readonly bytes: Buffer; readonly ends: Uint32Array } | undefined;
  #view: EntryView | undefined;

  constructor(head: StoredHead, load: LoadColumn) {
    this.head = head;
    this.#load = load;
  }

  get timestamps(): BigInt64Array {
    this.#timestamps ??= decodeTimes(this.head, this.#load("times"));
    return this.#timestamps;
  }

  get severities(): Uint8Array {
    this.#severities ??= decodeSeverities(this.head, this.#load("severities"));
    return this.#severities;
  }

  tally(): undefined {
    return undefined;
  }

  get origins(): Origins {
    this.#origins ??= originsOf(this.#whole);
    return this.#origins;
  }

  get arrangement(): Arrangement {
    this.#arrangement ??= unarranged(this.head.count);
    return this.#arrangement;
  }

  textOf(): TextColumn {
    return { ...this.#whole, isExact: false, isWhole: true };
  }

  receivedAt(): bigint {
    return this.head.receivedAt;
  }

  view(index: number): FilterableEntry {
    const { bytes, ends } = this.#whole;
    this.#view ??= new EntryView(bytes);
    return this.#view.moveTo(startIn(ends, index), ends[index] ?? 0);
  }

  entryBytesAt(index: number): Uint8Array {
    // Not `slice`, which copies nothing of a Buffer.
    return new Uint8Array(entryBytesAt(this.#whole, index));
  }

  imageFrom(): BlockImage {
    const { firstOffset, count, receivedAt, rawBytes } = this.head;
    const image = createBlockImage({ firstOffset, count, receivedAt, rawBytes });
    const views = blockViews(image);
    views.timestamps.set(this.timestamps);
    views.severities.set(this.severities);
    views.ends.set(this.#whole.ends);
    views.bytes.set(this.#whole.bytes);
    return image;
  }

  release(): void {
    if (this.#entries !== undefined) letGo(this.#entries.bytes);
  }

  get #whole(): { readonly bytes: Buffer; readonly ends: Uint32Array } {
    this.#entries ??= decodeEntries(this.head, this.#load("entries"));
    return this.#entries;
  }
}

/** The services of whole entries. */
function originsOf({ bytes, ends }: { bytes: Buffer; ends: Uint32Array }): Origins {
  const index = new OriginIndex(ends.length);
  const range = { from: 0, to: 0 };
  let start = 0;
  for (let at = 0; at < ends.length; at++) {
    const end = ends[at] ?? 0;
    findService(bytes, start, end, range);
    index.add(at, bytes, range);
    start = end;
  }
  return namedOrigins(index);
}

function namedOrigins({ names, indexes }: EncodedOrigins): Origins {
  return { names: names.map((name) => Buffer.from(name).toString()), indexes };
}

/** A block of columns. */
class PackedBlock implements BlockColumns {
  readonly head: StoredHead;
  readonly #columns: PackedColumns;
  readonly #view: PackedView;
  #origins: Origins | undefined;

  constructor(head: StoredHead, load: LoadColumn) {
    this.head = head;
    this.#columns = new PackedColumns(head, load);
    this.#view = new PackedView(this.#columns, () => this.origins);
  }

  get timestamps(): BigInt64Array {
    return this.#columns.timestamps;
  }

  get severities(): Uint8Array {
    return this.#columns.severities;
  }

  tally(): Tally | undefined {
    return this.#columns.tally();
  }

  get origins(): Origins {
    this.#origins ??= namedOrigins(this.#columns.origins);
    return this.#origins;
  }

  get arrangement(): Arrangement {
    return this.#columns.arrangement;
  }

  textOf(field: "message" | "rest", stripe: number): TextColumn {
    return field === "message"
      ? { ...this.#columns.messagesIn(stripe), isExact: true, isWhole: false }
      : { ...this.#columns.restsIn(stripe), isExact: false, isWhole: false };
  }

  receivedAt(index: number): bigint {
    return receivedAtOf(this.#columns.received, index);
  }

  view(index: number): FilterableEntry {
    return this.#view.moveTo(index);
  }

  entryBytesAt(index: number): Uint8Array {
    return this.#columns.entryBytesAt(index);
  }

  imageFrom(index: number, bounds?: ImageBounds): BlockImage {
    return this.#columns.imageFrom(index, bounds);
  }

  release(): void {
    this.#columns.release();
  }
}

/** Looks at one entry of a packed block after another, each field in its column. */
class PackedView implements FilterableEntry {
  readonly #columns: PackedColumns;
  readonly #originsOf: () => Origins;
  #index = 0;
  #stripe = 0;
  /** The number of the entry's texts in its stripe. */
  #text = 0;
  /** Of each stripe that was looked at. */
  readonly #rests: EntryView[] = [];
  /** At which entry its stripe's `#rests` is. */
  #restIndex = -1;

  constructor(columns: PackedColumns, originsOf: () => Origins) {
    this.#columns = columns;
    this.#originsOf = originsOf;
  }

  moveTo(index: number): this {
    const { arrangement } = this.#columns;
    const place = arrangement.places[index] ?? 0;
    this.#index = index;
    this.#stripe = stripeAt(arrangement, place);
    this.#text = place - startIn(arrangement.stripeEnds, this.#stripe);
    return this;
  }

  get level(): string {
    const known = levelTextOf(this.#columns.severities[this.#index] ?? 0);
    const { bytes, ends } = this.#columns.restsIn(this.#stripe);
    const start = startIn(ends, this.#text);
    const isOwn = start < (ends[this.#text] ?? 0) && hasOwnLevel(bytes, start);
    return isOwn ? this.#moved().level : known;
  }

  get message(): string {
    const { bytes, ends } = this.#columns.messagesIn(this.#stripe);
    return bytes.toString("utf8", startIn(ends, this.#text), ends[this.#text]);
  }

  get service(): string {
    const { names, indexes } = this.#originsOf();
    return names[indexes[this.#index] ?? 0] ?? "";
  }

  get traceId(): string {
    return this.#moved().traceId;
  }

  get spanId(): string {
    return this.#moved().spanId;
  }

  get attributes(): Readonly<Record<string, string>> {
    return this.#moved().attributes;
  }

  #moved(): EntryView {
    const { bytes, ends } = this.#columns.restsIn(this.#stripe);
    const view = this.#rests[this.#stripe] ?? new EntryView(bytes);
    this.#rests[this.#stripe] = view;
    if (this.#restIndex === this.#index) return view;
    this.#restIndex = this.#index;
    const start = startIn(ends, this.#text);
    const end = ends[this.#text] ?? 0;
    const isWhole = start < end && bytes[start] === wholeEntryMark;
    return view.moveInto(isWhole ? start + 1 : start, end);
  }
}
