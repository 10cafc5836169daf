/**
 * Looks through the fields of encoded entries where a block's columns have
 * them, without an object for an entry or for an attribute.
 */
import { startIn } from "../../entry-bytes.ts";
import type { TextColumn } from "../block-columns.ts";
import { wholeEntryMark } from "../entry-parts.ts";
import { type ByteRange, equalBytes, readVarint, skipField } from "../entry-wire.ts";

/** Numbers of LogEntry's fields. */
export const attributesField = 5;
export const traceIdField = 6;
export const spanIdField = 7;

/** Tags within an attribute, which is a message of its own. */
const keyTag = 0x0a;
const valueTag = 0x12;

const lengthDelimited = 2;

/** Steps through one entry's fields after another: what it says is of the one it was last moved to. */
export class RestFields {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  /** Where the field's content is. */
  readonly content: ByteRange = { from: 0, to: 0 };
  /** Where an attribute's key and value are, after `readAttribute`. */
  readonly key: ByteRange = { from: 0, to: 0 };
  readonly value: ByteRange = { from: 0, to: 0 };
  readonly #cursor = { at: 0 };

  /** Moves to a text of a column "rest", before its first field. */
  moveTo(column: TextColumn, text: number): void {
    const { bytes, ends, isWhole } = column;
    const start = startIn(ends, text);
    this.#bytes = bytes;
    this.#end = ends[text] ?? 0;
    if (isWhole) this.#at = this.#fieldsOfEntry(start);
    else this.#at = bytes[start] === wholeEntryMark && start < this.#end ? start + 1 : start;
  }

  /** Steps to the next field and returns its number; 0 behind the last one. */
  next(): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    if (at >= end) return 0;
    const tag = bytes[at] ?? 0;
    const length = bytes[at + 1] ?? 0;
    // Nearly every field has a tag and a length of one byte each.
    if (tag > 0x7f || length > 0x7f || (tag & 7) !== lengthDelimited) return this.#nextOfAnyForm();
    at += 2;
    this.content.from = at;
    at += length;
    this.content.to = at;
    this.#at = at;
    return at > end ? 0 : tag >>> 3;
  }

  /** Finds the key and the value of the attribute that was stepped to. */
  readAttribute(): void {
    const bytes = this.#bytes;
    const { from, to } = this.content;
    const keyEnd = from + 2 + (bytes[from + 1] ?? 0);
    const valueLength = bytes[keyEnd + 1] ?? 0;
    const isUsual =
      bytes[from] === keyTag &&
      keyEnd < from + 0x82 &&
      bytes[keyEnd] === valueTag &&
      valueLength < 0x80 &&
      keyEnd + 2 + valueLength === to;
    if (!isUsual) {
      this.#readAttributeOfAnyForm();
      return;
    }
    this.key.from = from + 2;
    this.key.to = keyEnd;
    this.value.from = keyEnd + 2;
    this.value.to = to;
  }

  /** The bytes of a place, each as the character of its number: the fastest key of a Map. */
  latin1(place: ByteRange): string {
    return this.#bytes.toString("latin1", place.from, place.to);
  }

  text(place: ByteRange): string {
    return place.from === place.to ? "" : this.#bytes.toString("utf8", place.from, place.to);
  }

  /** Whether a place holds these bytes. */
  holds(place: ByteRange, bytes: Uint8Array): boolean {
    return equalBytes(this.#bytes, place, bytes);
  }

  /** Where an entry's fields begin, behind its tag and length. */
  #fieldsOfEntry(start: number): number {
    this.#cursor.at = start + 1;
    readVarint(this.#bytes, this.#cursor, this.#end);
    return this.#cursor.at;
  }

  #nextOfAnyForm(): number {
    const cursor = this.#cursor;
    cursor.at = this.#at;
    const tag = readVarint(this.#bytes, cursor, this.#end);
    this.content.from = skipField(this.#bytes, cursor, tag & 7, this.#end);
    this.content.to = cursor.at;
    this.#at = cursor.at;
    return cursor.at > this.#end ? 0 : tag >>> 3;
  }

  /** As every protobuf decoder reads a map's entry: what is missing is empty, the last one counts. */
  #readAttributeOfAnyForm(): void {
    const { from, to } = this.content;
    const cursor = this.#cursor;
    cursor.at = from;
    this.key.from = this.key.to = from;
    this.value.from = this.value.to = from;
    while (cursor.at < to) {
      const tag = readVarint(this.#bytes, cursor, to);
      const start = skipField(this.#bytes, cursor, tag & 7, to);
      const place = tag === keyTag ? this.key : tag === valueTag ? this.value : undefined;
      if (place === undefined || cursor.at > to) continue;
      place.from = start;
      place.to = cursor.at;
    }
  }
}

/** Finds one field of entries: an attribute, or one of the ids. */
export class RestField {
  readonly #number: number;
  readonly #key: Buffer;
  readonly #fields = new RestFields();
  /** Where the field's text is; empty when the entry has none. Of the entry that was looked at last. */
  readonly #place: ByteRange = { from: 0, to: 0 };

  /** @param field As requests name it; neither of `level`, `service` and `message`. */
  constructor(field: string) {
    this.#number = idFields.get(field) ?? attributesField;
    this.#key = Buffer.from(field);
  }

  /** Looks at a text of a column "rest"; false: the entry does not have the field, or empty. */
  find(column: TextColumn, text: number): boolean {
    const fields = this.#fields;
    const place = this.#place;
    place.from = place.to = 0;
    fields.moveTo(column, text);
    // To the end: of a field that comes twice the last one counts.
    for (let field = fields.next(); field !== 0; field = fields.next()) {
      if (field !== this.#number) continue;
      if (field === attributesField) {
        fields.readAttribute();
        if (!fields.holds(fields.key, this.#key)) continue;
      }
      const found = field === attributesField ? fields.value : fields.content;
      place.from = found.from;
      place.to = found.to;
    }
    return place.from !== place.to;
  }

  /** The text that was found. */
  get text(): string {
    return this.#fields.text(this.#place);
  }

  /** See RestFields. */
  get latin1(): string {
    return this.#fields.latin1(this.#place);
  }
}

const idFields: ReadonlyMap<string, number> = new Map([
  ["trace_id", traceIdField],
  ["span_id", spanIdField],
]);
