/**
 * An encoded LogEntry whose fields are read when they are asked for: a search
 * looks at one or two fields of each entry, and most entries do not match.
 */
import type { FilterableEntry } from "@logsvc/filter";
import { levelTextOf } from "./entry-parts.ts";
import { readVarint, skipField } from "./entry-wire.ts";

/** Numbers of LogEntry's fields that can be searched. */
const levelField = 1;
const messageField = 2;
const serviceField = 4;
const attributesField = 5;
const traceIdField = 6;
const spanIdField = 7;

/** Numbers of a map's key and value. */
const keyField = 1;
const valueField = 2;

/** Looks at one entry of some bytes after another: what it returns is of the one that it was last moved to. */
export class EntryView implements FilterableEntry {
  readonly #bytes: Buffer;
  readonly #cursor = { at: 0 };
  /** Where each field's content begins and ends, by number. */
  readonly #from = new Uint32Array(spanIdField + 1);
  readonly #to = new Uint32Array(spanIdField + 1);
  #start = 0;
  #end = 0;
  #severity = 0;
  /** Whether the fields of this entry have been looked for. */
  #isRead = false;
  /** Services by where their entries end. */
  readonly #services: Map<number, string> | undefined;
  #attributes: Readonly<Record<string, string>> | undefined;

  /**
   * @param bytes Of a batch or a block.
   * @param keepsServices Whether the entries' services are kept once they were
   *   asked for: each of many filters, one a service, looks at all entries.
   */
  constructor(bytes: Uint8Array, keepsServices = false) {
    this.#services = keepsServices ? new Map() : undefined;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * Moves to the entry at `start` … `end`, its tag and length included. Where it is already costs nothing.
   *
   * @param severity Of its level, as in an EntryBatch: it tells a known level without a look at the text.
   */
  moveTo(start: number, end: number, severity = 0): this {
    if (end === this.#end) return this;
    this.#severity = severity;
    const cursor = this.#cursor;
    cursor.at = start + 1;
    readVarint(this.#bytes, cursor, end);
    return this.moveInto(cursor.at, end);
  }

  /** Moves to the fields at `start` … `end`: an entry without its tag and length, or a part of one. */
  moveInto(start: number, end: number): this {
    this.#start = start;
    this.#end = end;
    this.#attributes = undefined;
    this.#isRead = false;
    return this;
  }

  get level(): string {
    return levelTextOf(this.#severity) || this.#text(levelField);
  }

  get message(): string {
    return this.#text(messageField);
  }

  get service(): string {
    const known = this.#services?.get(this.#end);
    if (known !== undefined) return known;
    const service = this.#text(serviceField);
    this.#services?.set(this.#end, service);
    return service;
  }

  get traceId(): string {
    return this.#text(traceIdField);
  }

  get spanId(): string {
    return this.#text(spanIdField);
  }

  get attributes(): Readonly<Record<string, string>> {
    this.#attributes ??= this.#readAttributes();
    return this.#attributes;
  }

  /** Notes where the entry's fields are. Of one that comes twice the last counts. */
  #find(): void {
    const cursor = this.#cursor;
    const end = this.#end;
    this.#from.fill(0);
    this.#to.fill(0);
    this.#isRead = true;
    cursor.at = this.#start;
    while (cursor.at < end) {
      const tag = readVarint(this.#bytes, cursor, end);
      const contentStart = skipField(this.#bytes, cursor, tag & 7, end);
      const field = tag >>> 3;
      if (field > spanIdField || cursor.at > end) continue;
      this.#from[field] = contentStart;
      this.#to[field] = cursor.at;
    }
  }

  #text(field: number): string {
    if (!this.#isRead) this.#find();
    return this.#textOf(this.#from[field] ?? 0, this.#to[field] ?? 0);
  }

  #textOf(from: number, to: number): string {
    return from === to ? "" : this.#bytes.toString("utf8", from, to);
  }

  #readAttributes(): Record<string, string> {
    // Without a prototype: an attribute may have any name.
    const attributes: Record<string, string> = Object.create(null);
    const cursor = { at: this.#start };
    while (cursor.at < this.#end) {
      const tag = readVarint(this.#bytes, cursor, this.#end);
      const start = skipField(this.#bytes, cursor, tag & 7, this.#end);
      if (tag >>> 3 === attributesField && cursor.at <= this.#end) {
        this.#readAttribute(start, cursor.at, attributes);
      }
    }
    return attributes;
  }

  #readAttribute(start: number, end: number, attributes: Record<string, string>): void {
    const cursor = { at: start };
    let [key, value] = ["", ""];
    while (cursor.at < end) {
      const tag = readVarint(this.#bytes, cursor, end);
      const from = skipField(this.#bytes, cursor, tag & 7, end);
      // Behind the attribute's end there is something else.
      if (cursor.at > end) break;
      if (tag >>> 3 === keyField) key = this.#textOf(from, cursor.at);
      else if (tag >>> 3 === valueField) value = this.#textOf(from, cursor.at);
    }
    attributes[key] = value;
  }
}
