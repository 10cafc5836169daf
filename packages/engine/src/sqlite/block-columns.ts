/**
 * What a search reads of a block: the same of fresh and of packed ones, and
 * each column read and decoded when it is first asked for.
 */
import type { FilterableEntry } from "@logsvc/filter";
import { entryBytesAt, startIn } from "../entry-bytes.ts";
import { letGo } from "./block-column.ts";
import { type BlockHead, decodeEntries, decodeSeverities, decodeTimes } from "./block-format.ts";
import { type BlockImage, blockViews, createBlockImage, receivedAtOf } from "./block-image.ts";
import { hasOwnLevel, levelTextOf, wholeEntryMark } from "./entry-parts.ts";
import { EntryView } from "./entry-view.ts";
import { findService } from "./entry-wire.ts";
import { OriginIndex } from "./origin-index.ts";
import { type ImageBounds, type LoadColumn, PackedColumns } from "./packed-columns.ts";
import type { EncodedOrigins, Origins } from "./packed-layout.ts";
import type { Tally } from "./tally-column.ts";

/** Bytes in which a text is looked for. */
export interface TextColumn {
  readonly bytes: Buffer;
  /** Where each entry's part ends; the first begins at 0. */
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
  readonly head: BlockHead;
  readonly timestamps: BigInt64Array;
  readonly severities: Uint8Array;
  /** Its entries counted by time and severity; undefined: they are not, as in every fresh block. */
  tally(): Tally | undefined;
  /** The services. */
  readonly origins: Origins;
  /**
   * Where a field is looked for: the message, or any field besides message,
   * service and known levels (`rest`). Each text lies in its entry's part as it
   * is, in UTF-8. Ask again for each field and block whether it is exact.
   */
  textOf(field: "message" | "rest"): TextColumn;
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
export function openColumns(head: BlockHead, load: LoadColumn): BlockColumns {
  return head.wordParts === null ? new FreshBlock(head, load) : new PackedBlock(head, load);
}

/** A block of whole entries. */
class FreshBlock implements BlockColumns {
  readonly head: BlockHead;
  readonly #load: LoadColumn;
  #timestamps: BigInt64Array | undefined;
  #severities: Uint8Array | undefined;
  #origins: Origins | undefined;
  #entries: { readonly bytes: Buffer; readonly ends: Uint32Array } | undefined;
  #view: EntryView | undefined;

  constructor(head: BlockHead, load: LoadColumn) {
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
  readonly head: BlockHead;
  readonly #columns: PackedColumns;
  readonly #view: PackedView;
  #origins: Origins | undefined;

  constructor(head: BlockHead, load: LoadColumn) {
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

  textOf(field: "message" | "rest"): TextColumn {
    return field === "message"
      ? { ...this.#columns.messages, isExact: true, isWhole: false }
      : { ...this.#columns.rests, isExact: false, isWhole: false };
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
  #rest: EntryView | undefined;
  /** Of which entry `#rest` is. */
  #restIndex = -1;
  #index = 0;

  constructor(columns: PackedColumns, originsOf: () => Origins) {
    this.#columns = columns;
    this.#originsOf = originsOf;
  }

  moveTo(index: number): this {
    this.#index = index;
    return this;
  }

  get level(): string {
    const known = levelTextOf(this.#columns.severities[this.#index] ?? 0);
    const { bytes, ends } = this.#columns.rests;
    const start = startIn(ends, this.#index);
    const isOwn = start < (ends[this.#index] ?? 0) && hasOwnLevel(bytes, start);
    return isOwn ? this.#moved().level : known;
  }

  get message(): string {
    const { bytes, ends } = this.#columns.messages;
    return bytes.toString("utf8", startIn(ends, this.#index), ends[this.#index]);
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
    const { bytes, ends } = this.#columns.rests;
    this.#rest ??= new EntryView(bytes);
    if (this.#restIndex === this.#index) return this.#rest;
    this.#restIndex = this.#index;
    const start = startIn(ends, this.#index);
    const end = ends[this.#index] ?? 0;
    const isWhole = start < end && bytes[start] === wholeEntryMark;
    return this.#rest.moveInto(isWhole ? start + 1 : start, end);
  }
}
