/**
 * An encoded LogEntry in parts, as a packed block's columns have them, and put
 * together again, byte for byte as it was.
 *
 *   level?          message?       timestamp?      service?      others
 *     │                │               │              │             │
 *   follows from    the message     a number       a dictionary   as they are:
 *   the severity                                                  `rest`
 *
 * It takes apart what our ingest writes: each of these fields at most once, in
 * this order, none empty, in its shortest form, the level's text the name of
 * the severity, the timestamp the block's. A level of another text (its
 * severity is mostly 0) is the first field of `rest`. Whatever is else has for
 * `rest` a zero byte, with which no field begins, and its whole encoding.
 */
import { type ByteRange, equalBytes, findField, readVarint, skipField } from "./entry-wire.ts";

/** Tags: a field's number and its wire type. */
const tags = { level: 0x0a, message: 0x12, timestamp: 0x18, service: 0x22 } as const;

/** Tag of an entry in a batch. */
const entryTag = 0x0a;

const messageField = 2;
const serviceField = 4;

/** The least number of a field that goes into `rest` as it is. */
const restFieldMin = 5;

/** The first byte of a rest that is the whole entry. */
export const wholeEntryMark = 0;

/** From so many bytes on they are copied natively: a call costs as much as they do in a loop. */
const nativeCopyBytesMin = 192;

const noBytes = new Uint8Array();

/** The texts of the levels of severity 1 to 4, 5 to 8, … This is the format's list: it stays when names change elsewhere. */
const levelTexts = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/** The field `level` of each severity, encoded; nothing for 0. */
const levelFields: readonly Uint8Array[] = [
  noBytes,
  ...levelTexts.flatMap((text) => {
    const field = Uint8Array.of(tags.level, text.length, ...Buffer.from(text));
    return [field, field, field, field];
  }),
];

/** The text of the level that follows from a severity; empty for 0 and what is no severity. */
export function levelTextOf(severity: number): string {
  return levelTexts[(severity - 1) >> 2] ?? "";
}

function levelFieldOf(severity: number): Uint8Array {
  return levelFields[severity] ?? noBytes;
}

/** Copies `source[from…to)` to `target[at…]`; returns the place behind it. */
export function copyBytes(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): number {
  if (to - from >= nativeCopyBytesMin) {
    target.set(source.subarray(from, to), at);
    return at + to - from;
  }
  let end = at;
  for (let index = from; index < to; index++) target[end++] = source[index] ?? 0;
  return end;
}

/** Takes one entry after another apart. What it says is about the one that `split` was called for last. */
export class EntrySplitter {
  /** Where the entries lie; the caller sets it. */
  bytes: Uint8Array = noBytes;
  /** Where its encoding begins, behind tag and length. */
  entryFrom = 0;
  messageFrom = 0;
  messageTo = 0;
  readonly service: ByteRange = { from: 0, to: 0 };
  /** Its level with tag and length, where the severity does not say it. */
  levelFrom = 0;
  levelTo = 0;
  restFrom = 0;
  restTo = 0;
  /** Whether `rest` is to be a zero byte and then the whole entry, which is from `restFrom` to `restTo`. */
  isWhole = false;
  readonly #cursor = { at: 0 };
  readonly #range = { from: 0, to: 0 };
  readonly #entry = { from: 0, to: 0 };
  #at = 0;
  #end = 0;

  /**
   * Takes the entry apart that is `bytes[start…end)`, its tag and length
   * included.
   *
   * @param low The lower half of its timestamp in the block.
   * @param high The upper half.
   */
  split(
    start: number,
    end: number,
    { low, high, severity }: { low: number; high: number; severity: number },
  ): void {
    const cursor = this.#cursor;
    cursor.at = start + 1;
    readVarint(this.bytes, cursor, end);
    this.entryFrom = cursor.at;
    this.#at = cursor.at;
    this.#end = end;
    this.isWhole = !(
      this.#readLevel(severity) &&
      this.#readMessage() &&
      this.#readTimestamp(low, high) &&
      this.#readService() &&
      this.#readRest()
    );
    if (this.isWhole) this.#takeWhole(end);
  }

  /** Its message and service are those that every decoder finds. */
  #takeWhole(end: number): void {
    const [entry, content] = [this.#entry, this.#range];
    entry.from = this.entryFrom;
    entry.to = end;
    findField(this.bytes, entry, messageField, content);
    this.messageFrom = content.from;
    this.messageTo = content.to;
    findField(this.bytes, entry, serviceField, this.service);
    this.restFrom = entry.from;
    this.restTo = end;
    this.levelFrom = end;
    this.levelTo = end;
  }

  #readLevel(severity: number): boolean {
    this.levelFrom = this.#at;
    this.levelTo = this.#at;
    if (!this.#isNext(tags.level)) return severity === 0;
    const from = this.#at;
    if (this.#stepOver() < 0) return false;
    this.#range.from = from;
    this.#range.to = this.#at;
    if (equalBytes(this.bytes, this.#range, levelFieldOf(severity))) return true;
    this.levelTo = this.#at;
    return true;
  }

  #readMessage(): boolean {
    this.messageFrom = this.#at;
    this.messageTo = this.#at;
    if (!this.#isNext(tags.message)) return true;
    this.messageFrom = this.#stepOver();
    this.messageTo = this.#at;
    return this.messageFrom >= 0 && this.messageTo > this.messageFrom;
  }

  #readTimestamp(low: number, high: number): boolean {
    if (!this.#isNext(tags.timestamp)) return low === 0 && high === 0;
    if (low === 0 && high === 0) return false;
    let at = this.#at + 1;
    const size = varintSize(low, high);
    if (at + size > this.#end) return false;
    let [lower, upper] = [low, high];
    for (let index = 1; index <= size; index++) {
      if (this.bytes[at++] !== ((lower & 0x7f) | (index < size ? 0x80 : 0))) return false;
      lower = (lower >>> 7) | (upper << 25);
      upper >>>= 7;
    }
    this.#at = at;
    return true;
  }

  #readService(): boolean {
    const { service } = this;
    service.from = this.#at;
    service.to = this.#at;
    if (!this.#isNext(tags.service)) return true;
    service.from = this.#stepOver();
    service.to = this.#at;
    return service.from >= 0 && service.to > service.from;
  }

  #readRest(): boolean {
    this.restFrom = this.#at;
    this.restTo = this.#end;
    const cursor = this.#cursor;
    cursor.at = this.#at;
    while (cursor.at < this.#end) {
      const tag = readVarint(this.bytes, cursor, this.#end);
      if (tag >>> 3 < restFieldMin) return false;
      skipField(this.bytes, cursor, tag & 7, this.#end);
    }
    return cursor.at === this.#end;
  }

  #isNext(tag: number): boolean {
    return this.#at < this.#end && this.bytes[this.#at] === tag;
  }

  /** Steps over a tag, a length in its shortest form and so many bytes; returns where these begin, or -1. */
  #stepOver(): number {
    let at = this.#at + 1;
    let length = 0;
    for (let shift = 0; shift < 28 && at < this.#end; shift += 7) {
      const byte = this.bytes[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte > 0x7f) continue;
      this.#at = at + length;
      return this.#at <= this.#end && (byte !== 0 || shift === 0) ? at : -1;
    }
    return -1;
  }
}

/** The parts of one entry, as the columns have them: where they lie. */
export interface EntryParts {
  severity: number;
  low: number;
  high: number;
  messages: Uint8Array;
  messageFrom: number;
  messageTo: number;
  service: Uint8Array;
  rests: Uint8Array;
  restFrom: number;
  restTo: number;
}

/** Bytes of the entry's encoding. */
export function joinedSize(parts: EntryParts): number {
  const { rests, restFrom, restTo, service } = parts;
  const rest = restTo - restFrom;
  if (rest > 0 && rests[restFrom] === wholeEntryMark) return rest - 1;
  let size = rest;
  if (rest === 0 || !hasOwnLevel(rests, restFrom)) size += levelFieldOf(parts.severity).length;
  const message = parts.messageTo - parts.messageFrom;
  if (message > 0) size += 1 + lengthSize(message) + message;
  if (parts.low !== 0 || parts.high !== 0) size += 1 + varintSize(parts.low, parts.high);
  if (service.length > 0) size += 1 + lengthSize(service.length) + service.length;
  return size;
}

/** Writes the entry's encoding to `target[at…]`; returns the place behind it. */
export function joinParts(parts: EntryParts, target: Uint8Array, at: number): number {
  const { rests, restTo, service } = parts;
  let { restFrom } = parts;
  if (restTo > restFrom && rests[restFrom] === wholeEntryMark) {
    return copyBytes(rests, restFrom + 1, restTo, target, at);
  }
  let end = at;
  if (restTo > restFrom && hasOwnLevel(rests, restFrom)) {
    const cursor = { at: restFrom + 1 };
    skipField(rests, cursor, tags.level & 7, restTo);
    end = copyBytes(rests, restFrom, cursor.at, target, end);
    restFrom = cursor.at;
  } else {
    const level = levelFieldOf(parts.severity);
    end = copyBytes(level, 0, level.length, target, end);
  }
  if (parts.messageTo > parts.messageFrom) {
    target[end++] = tags.message;
    end = writeVarint(parts.messageTo - parts.messageFrom, 0, target, end);
    end = copyBytes(parts.messages, parts.messageFrom, parts.messageTo, target, end);
  }
  if (parts.low !== 0 || parts.high !== 0) {
    target[end++] = tags.timestamp;
    end = writeVarint(parts.low, parts.high, target, end);
  }
  if (service.length > 0) {
    target[end++] = tags.service;
    end = writeVarint(service.length, 0, target, end);
    end = copyBytes(service, 0, service.length, target, end);
  }
  return copyBytes(rests, restFrom, restTo, target, end);
}

/** Bytes of an entry's tag and length in a batch. */
export function entryHeadSize(length: number): number {
  return 1 + lengthSize(length);
}

/** Writes an entry's tag and length; returns the place behind them. */
export function writeEntryHead(length: number, target: Uint8Array, at: number): number {
  target[at] = entryTag;
  return writeVarint(length, 0, target, at + 1);
}

/** Whether the rest that begins here, and is not empty, has a level's text, or is the whole entry. */
export function hasOwnLevel(rests: Uint8Array, from: number): boolean {
  return rests[from] === tags.level || rests[from] === wholeEntryMark;
}

function lengthSize(length: number): number {
  return varintSize(length, 0);
}

/** Bytes of the varint of a number in two halves. */
function varintSize(low: number, high: number): number {
  // 7 bits a byte; the 36th bit is the upper half's fourth.
  const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
  return bits === 0 ? 1 : Math.ceil(bits / 7);
}

function writeVarint(low: number, high: number, target: Uint8Array, at: number): number {
  let [lower, upper, end] = [low, high, at];
  while (upper !== 0 || lower >>> 0 > 0x7f) {
    target[end++] = (lower & 0x7f) | 0x80;
    lower = (lower >>> 7) | (upper << 25);
    upper >>>= 7;
  }
  target[end++] = lower;
  return end;
}
