/**
 * One encoded LogEntry, validated and normalised from its bytes into a batch's
 * bytes, with no object for it.
 *
 *   as it came     level? │ message │ timestamp? │ service? attributes* trace_id? span_id? │ sequence?
 *                    │         │          │                        │                           │
 *                 one of    as it is   to nanoseconds     as they are, but for            as it is, or
 *               six names                                 upper case in the ids        the batch's number
 *                    ▼         ▼          ▼                        ▼                           ▼
 *   in the batch   level  │ message │ timestamp  │ service? attributes* trace_id? span_id? │ sequence?
 *
 * It takes what is usual and valid, which is what every protobuf library
 * writes: known fields in rising order, each once, none empty, every number in
 * its shortest form. Whatever is else, valid or not, is refused here, and is
 * decoded, judged and encoded with objects (validate-entry.ts). That way is the
 * definition of what becomes of an entry; this one may only be faster.
 * https://protobuf.dev/programming-guides/encoding/
 */
import { isUtf8 } from "node:buffer";
import type { EntryBatchBuilder } from "@logsvc/engine";
import { entryFieldNames, limits } from "@logsvc/proto";
import type { ArrivalClock } from "./arrival-clock.ts";
import { LevelMemo, type StoredLevel } from "./level-memo.ts";
import { Nanoseconds } from "./nanoseconds.ts";

/** Tags: the field's number and its wire type, in one byte. */
const tags = {
  level: 0x0a,
  message: 0x12,
  timestamp: 0x18,
  service: 0x22,
  attributes: 0x2a,
  traceId: 0x32,
  spanId: 0x3a,
  sequence: 0x40,
} as const;

/** Tags in an attribute, which is a message of its own. */
const attributeTags = { key: 0x0a, value: 0x12 } as const;

/** Tag of an entry in a batch. */
const entryTag = 0x0a;

/** Tag and varint of a number of 64 bits, and tag and length of an entry, at the most. */
const numberBytesMax = 11;
const headBytesMax = 6;

/** What an entry without a producer's count has for a sequence. */
const noSequence = 0;

/** From so many bytes on a text is checked, and anything copied, natively: a call costs as much as they do in a loop. */
const nativeCheckBytesMin = 512;
const nativeCopyBytesMin = 192;

/** The greatest product of a time that is taken here, in ns: below an int64's greatest by more than a number is rounded. */
const productMax = 9.2e18;

/** The upper word from which on a number is not exact: 2^53. */
const unsafeHighMin = 0x200000;

/** The upper word from which on a time is surely nanoseconds: 1e17, rounded up. */
const nanosecondsHighMin = 23_283_065;

/** What a byte is among hex digits. */
const hexDigit = 1;
const upperHexDigit = 2;
const hexDigits = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/[0-9a-f]/.test(character)) return hexDigit;
  return /[A-F]/.test(character) ? upperHexDigit : 0;
});

/** Hashes of the keys that no attribute may have; those of an entry's own keys are kept behind them. */
const reservedHashes = [...entryFieldNames].map((name) => {
  const bytes = Buffer.from(name);
  return bytes.reduce(addToHash, bytes.length);
});

function addToHash(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

/** Looks at one encoded entry after the other. `read` steps to the next; the rest is about the one that it took. */
export class EncodedEntry {
  readonly #clock: ArrivalClock;
  readonly #levels = new LevelMemo();

  /** The buffer that entries are read from, and the place in it. */
  #source: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(this.#source.buffer);
  #at = 0;
  #to = 0;
  /** Where the content begins that was stepped over last. */
  #start = 0;

  /** The batch's bytes that were written to last. */
  #target = new Uint8Array();
  #targetView = new DataView(this.#target.buffer);

  /** What was found. Fields are copied with their tags. */
  #level: StoredLevel = this.#levels.absent;
  #messageFrom = 0;
  #messageTo = 0;
  #hasTime = false;
  readonly #time = new Nanoseconds();
  #restFrom = 0;
  #restTo = 0;
  /** Where the first id with upper case in it begins; not before `restTo` when none has. */
  #upperFrom = 0;
  #sequence = noSequence;

  /** The number read last, and hashes of keys, the reserved ones first. */
  readonly #number = new Nanoseconds();
  readonly #keyHashes = new Int32Array(reservedHashes.length + limits.attributesMax);
  readonly #marks = { timestampLow: 0, timestampHigh: 0, severity: 0, sequence: 0 };

  /** @param clock Tells the time for entries without one. */
  constructor(clock: ArrivalClock) {
    this.#clock = clock;
    this.#keyHashes.set(reservedHashes);
  }

  /**
   * Reads the entry at `bytes[from…to)`.
   *
   * @returns False: it is not usual, or not valid.
   */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    if (bytes.buffer !== this.#source.buffer) {
      this.#source = new Uint8Array(bytes.buffer);
      this.#view = new DataView(bytes.buffer);
    }
    this.#at = bytes.byteOffset + from;
    this.#to = bytes.byteOffset + to;
    return (
      this.#readLevel() &&
      this.#readMessage() &&
      this.#readTimestamp() &&
      this.#readRest() &&
      this.#readSequence() &&
      this.#at === this.#to &&
      this.#bytesAtMost() <= limits.entryBytesMax
    );
  }

  /** The entry's own sequence; 0: none. */
  get sequence(): number {
    return this.#sequence;
  }

  /**
   * Adds the entry, normalised, to a batch.
   *
   * @param sequence Its sequence; 0: none.
   */
  writeTo(batch: EntryBatchBuilder, sequence: number): void {
    const time = this.#hasTime ? this.#time : this.#clock.tick();
    this.#number.set(sequence | 0, Math.floor(sequence / 0x100000000));
    let length = this.#level.field.length + (this.#messageTo - this.#messageFrom);
    length += 1 + varintSize(time) + (this.#restTo - this.#restFrom);
    if (sequence !== noSequence) length += 1 + varintSize(this.#number);
    this.#aimAt(batch.reserve(length + headBytesMax));

    let at = this.#writeHead(batch.byteLength, length);
    at = this.#writeLevel(at);
    at = this.#copy(this.#messageFrom, this.#messageTo, at);
    at = this.#writeNumber(at, tags.timestamp, time);
    at = this.#copy(this.#restFrom, this.#restTo, at);
    if (this.#upperFrom < this.#restTo) this.#lowerIds(at - (this.#restTo - this.#upperFrom), at);
    if (sequence !== noSequence) at = this.#writeNumber(at, tags.sequence, this.#number);

    const marks = this.#marks;
    marks.timestampLow = time.low;
    marks.timestampHigh = time.high;
    marks.severity = this.#level.severity;
    marks.sequence = sequence;
    batch.commit(at, marks);
  }

  /** What the entry takes when normalised, or a little more. */
  #bytesAtMost(): number {
    const copied = this.#messageTo - this.#messageFrom + (this.#restTo - this.#restFrom);
    return this.#level.field.length + copied + 2 * numberBytesMax;
  }

  #readLevel(): boolean {
    this.#level = this.#levels.absent;
    if (!this.#isNext(tags.level)) return true;
    if (!this.#stepOver() || !this.#hasLength(1, limits.levelBytesMax)) return false;
    const level = this.#levels.find(this.#source, this.#start, this.#at);
    if (level === undefined) return false;
    this.#level = level;
    return true;
  }

  #readMessage(): boolean {
    this.#messageFrom = this.#at;
    if (!this.#isNext(tags.message) || !this.#stepOver()) return false;
    this.#messageTo = this.#at;
    return this.#hasLength(1, limits.entryBytesMax) && this.#isText();
  }

  /** As packages/proto/src/timestamp.ts does it. */
  #readTimestamp(): boolean {
    this.#hasTime = this.#isNext(tags.timestamp);
    if (!this.#hasTime) return true;
    if (!this.#readNumber()) return false;
    const { low, high } = this.#number;
    if (high >= unsafeHighMin) {
      this.#time.set(low, high);
      return high >= nanosecondsHighMin;
    }
    const time = high * 0x100000000 + (low >>> 0);
    const scale = time < 1e11 ? 1e9 : time < 1e14 ? 1e6 : 1e3;
    if (time === 0 || time * scale > productMax) return false;
    this.#time.setProduct(time, scale);
    return true;
  }

  /** From service to span_id: they stay as they are, and lie side by side. */
  #readRest(): boolean {
    this.#restFrom = this.#at;
    if (this.#isNext(tags.service)) {
      if (!this.#stepOver() || !this.#hasLength(1, limits.serviceBytesMax) || !this.#isText()) return false;
    }
    if (!this.#readAttributes()) return false;
    this.#upperFrom = this.#to;
    if (!this.#readId(tags.traceId, 32) || !this.#readId(tags.spanId, 16)) return false;
    this.#restTo = this.#at;
    return true;
  }

  #readAttributes(): boolean {
    let hashes = reservedHashes.length;
    while (this.#isNext(tags.attributes)) {
      if (hashes === this.#keyHashes.length || !this.#stepOver()) return false;
      const end = this.#at;
      this.#at = this.#start;
      if (!this.#isNext(attributeTags.key) || !this.#stepOver() || !this.#readKey(hashes)) return false;
      if (!this.#isNext(attributeTags.value) || !this.#stepOver() || !this.#isText()) return false;
      if (this.#at !== end) return false;
      hashes += 1;
    }
    return true;
  }

  /** A key that may be reserved or a repeat, by its hash, is not for here to judge. */
  #readKey(hashes: number): boolean {
    if (!this.#hasLength(1, limits.attributeKeyBytesMax) || !this.#isText()) return false;
    // An object's keys that are numbers come before all others.
    const first = this.#view.getUint8(this.#start);
    if (first >= 0x30 && first <= 0x39) return false;
    let hash = this.#at - this.#start;
    for (let at = this.#start; at < this.#at; at++) hash = addToHash(hash, this.#view.getUint8(at));
    for (let index = 0; index < hashes; index++) {
      if (this.#keyHashes[index] === hash) return false;
    }
    this.#keyHashes[hashes] = hash;
    return true;
  }

  #readId(tag: number, digits: number): boolean {
    if (!this.#isNext(tag)) return true;
    if (!this.#stepOver() || !this.#hasLength(digits, digits)) return false;
    let kinds = 0;
    for (let at = this.#start; at < this.#at; at++) {
      const kind = hexDigits[this.#view.getUint8(at)] ?? 0;
      if (kind === 0) return false;
      kinds |= kind;
    }
    if ((kinds & upperHexDigit) !== 0) this.#upperFrom = Math.min(this.#upperFrom, this.#start);
    return true;
  }

  #readSequence(): boolean {
    this.#sequence = noSequence;
    if (!this.#isNext(tags.sequence)) return true;
    if (!this.#readNumber() || this.#number.high >= unsafeHighMin) return false;
    this.#sequence = this.#number.high * 0x100000000 + (this.#number.low >>> 0);
    return this.#sequence !== noSequence;
  }

  #isNext(tag: number): boolean {
    return this.#at < this.#to && this.#view.getUint8(this.#at) === tag;
  }

  /** Steps over a tag, a length and so many bytes, which are then those from `start` to `at`. */
  #stepOver(): boolean {
    let at = this.#at + 1;
    let length = 0;
    // Three bytes of length: more than any entry has.
    for (let shift = 0; shift < 21 && at < this.#to; shift += 7) {
      const byte = this.#view.getUint8(at++);
      length |= (byte & 0x7f) << shift;
      if (byte > 0x7f) continue;
      this.#start = at;
      this.#at = at + length;
      return this.#at <= this.#to && (byte !== 0 || shift === 0);
    }
    return false;
  }

  /** Steps over a tag and a varint below 2^63, which is then `number`. */
  #readNumber(): boolean {
    let at = this.#at + 1;
    // Four, four and one groups of 7 bits.
    let first = 0;
    let second = 0;
    let third = 0;
    for (let index = 0; index < 9 && at < this.#to; index++) {
      const byte = this.#view.getUint8(at++);
      if (index < 4) first |= (byte & 0x7f) << (index * 7);
      else if (index < 8) second |= (byte & 0x7f) << (index * 7 - 28);
      else third = byte & 0x7f;
      if (byte > 0x7f) continue;
      this.#at = at;
      this.#number.set(first | (second << 28), (second >>> 4) | (third << 24));
      return byte !== 0 || index === 0;
    }
    return false;
  }

  #hasLength(bytesMin: number, bytesMax: number): boolean {
    const length = this.#at - this.#start;
    return length >= bytesMin && length <= bytesMax;
  }

  /** Whether what was stepped over is UTF-8. */
  #isText(): boolean {
    const from = this.#start;
    const to = this.#at;
    if (to - from >= nativeCheckBytesMin) return isUtf8(this.#source.subarray(from, to));
    const view = this.#view;
    let bits = 0;
    let at = from;
    // Sixteen at a time: half the loop's cost was the loop.
    for (; at + 16 <= to; at += 16) {
      bits |= view.getInt32(at) | view.getInt32(at + 4) | view.getInt32(at + 8) | view.getInt32(at + 12);
    }
    for (; at + 4 <= to; at += 4) bits |= view.getInt32(at);
    for (; at < to; at++) bits |= view.getUint8(at);
    return (bits & 0x80808080) === 0 || isUtf8(this.#source.subarray(from, to));
  }

  #aimAt(target: Uint8Array<ArrayBuffer>): void {
    if (target === this.#target) return;
    this.#target = target;
    this.#targetView = new DataView(target.buffer, target.byteOffset, target.byteLength);
  }

  #writeHead(start: number, length: number): number {
    let at = start;
    this.#targetView.setUint8(at++, entryTag);
    let rest = length;
    for (; rest > 0x7f; rest >>>= 7) this.#targetView.setUint8(at++, (rest & 0x7f) | 0x80);
    this.#targetView.setUint8(at++, rest);
    return at;
  }

  #writeLevel(start: number): number {
    const { field } = this.#level;
    for (let index = 0; index < field.length; index++) {
      this.#targetView.setUint8(start + index, field[index] ?? 0);
    }
    return start + field.length;
  }

  #writeNumber(start: number, tag: number, { low, high }: Nanoseconds): number {
    const view = this.#targetView;
    let at = start;
    let lower = low;
    let upper = high;
    view.setUint8(at++, tag);
    while (upper !== 0 || (lower & ~0x7f) !== 0) {
      view.setUint8(at++, (lower & 0x7f) | 0x80);
      lower = (lower >>> 7) | (upper << 25);
      upper >>>= 7;
    }
    view.setUint8(at++, lower);
    return at;
  }

  /** Copies bytes of the entry into the batch. */
  #copy(from: number, to: number, start: number): number {
    const end = start + (to - from);
    if (to - from >= nativeCopyBytesMin) {
      this.#target.set(this.#source.subarray(from, to), start);
      return end;
    }
    const source = this.#view;
    const target = this.#targetView;
    let read = from;
    let at = start;
    for (; at + 4 <= end; at += 4, read += 4) target.setInt32(at, source.getInt32(read));
    for (; at < end; at++, read++) target.setUint8(at, source.getUint8(read));
    return end;
  }

  /** Lowers the hex digits from one place of the batch to another; the tags and lengths among them are none. */
  #lowerIds(from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const byte = this.#targetView.getUint8(at);
      if (hexDigits[byte] === upperHexDigit) this.#targetView.setUint8(at, byte | 0x20);
    }
  }
}

/** How many bytes a number takes as a varint. */
function varintSize({ low, high }: Nanoseconds): number {
  const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
  // Seven bits a byte, rounded up, and one byte for 0.
  return (bits * 9 + 64) >>> 6;
}
