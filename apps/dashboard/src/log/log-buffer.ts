/**
 * The rows that the page holds, in order, up to a bound.
 *
 *   positions   first ……………………………………………… end        each row has one; it keeps
 *               │ pack │ pack │ pack │ … │ pack │ open │    it when rows are added at
 *               └ up to 1 024 rows, packed      └ objects    either end or dropped
 *
 * A row is reached by its position with a binary search over the packs (a
 * thousand of them for a million rows) and, if its pack is a cold one, by
 * unpacking it; the packs looked at last stay unpacked. Rows get in between
 * others only where a gap is filled: then the positions after it move, and
 * `moves` tells so; a row's key never changes.
 */
import type { EntryRow, LogRow } from "./log-entry-row.ts";
import { findIdHash, hashOf, type PackedRows, packRows, unpackRows } from "./packed-rows.ts";

/** What the page holds at the most. */
export const bufferBounds = {
  /** Some minutes of a busy log, and what nobody scrolls through by hand. */
  rowsMax: 1_000_000,

  /** With packed rows of about 200 bytes, room for `rowsMax`; a tab of 256 MiB is bearable. */
  bytesMax: 256 * 1024 * 1024,

  /** On top of `rowsMax`, for what arrives while the reader holds the list still: ten seconds of 10 000 a second. */
  waitingRowsMax: 100_000,

  /** On top of `bytesMax`, likewise. */
  waitingBytesMax: 32 * 1024 * 1024,
} as const;

/** Rows in a pack: it is unpacked in about a millisecond, and has the texts that repeat once. */
const packRowsMax = 1024;

/** Characters in a pack, so that a pack of stack traces is not a hundred megabytes. */
const packCharsMax = 1024 * 1024;

/** Unpacked packs: what the screen shows, what is around it, and where it is going. */
const unpackedMax = 8;

/** A row's own objects, in the bytes of the open pack. */
const rowOverheadBytes = 250;

/** Consecutive rows: packed, unpacked or both. */
interface Pack {
  /** The position of its first row. */
  position: number;
  /** The key of its first row; the others' follow. */
  key: number;
  count: number;
  entries: number;
  bytes: number;
  /** The least and the greatest timestamp. As doubles they are off by some hundred nanoseconds, and keep their order. */
  timeMin: number;
  timeMax: number;
  packed: PackedRows | undefined;
  rows: LogRow[] | undefined;
}

/** Bounds that differ from `bufferBounds`: for tests. */
export type LogBufferOptions = { readonly [K in keyof typeof bufferBounds]?: number };

/** Rows in order. */
export class LogBuffer {
  readonly #bounds: { readonly [K in keyof typeof bufferBounds]: number };
  readonly #packRowsMax: number;
  readonly #packs: Pack[] = [];
  /** Sealed packs that hold their rows as well, the one looked at last at the end. */
  readonly #unpacked: Pack[] = [];
  #open: Pack | undefined;
  #nearest: Pack | undefined;
  #first = 0;
  #end = 0;
  #nextKey = 1;
  #keyBefore = 0;
  #bytes = 0;
  #dropped = 0;
  #entries = 0;
  #moves = 0;
  #holding = false;

  constructor(options: LogBufferOptions = {}) {
    this.#bounds = { ...bufferBounds, ...options };
    // A small buffer drops in small steps.
    this.#packRowsMax = Math.max(1, Math.min(packRowsMax, this.#bounds.rowsMax >> 3));
  }

  /** The position of the oldest row. */
  get first(): number {
    return this.#first;
  }

  /** The position after the newest row. */
  get end(): number {
    return this.#end;
  }

  /** How many rows. */
  get length(): number {
    return this.#end - this.#first;
  }

  /** How many of them are entries. */
  get entries(): number {
    return this.#entries;
  }

  /** What they take in memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many entries were dropped at the old end for want of room, less those that were added there again. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Changes when rows got in between others: positions after them are no longer what they were. */
  get moves(): number {
    return this.#moves;
  }

  /** Whether the bounds are reached: what is added now pushes the oldest out. */
  get full(): boolean {
    return this.length >= this.#bounds.rowsMax || this.#bytes >= this.#bounds.bytesMax;
  }

  /** How many rows more there may be before the bound of rows is reached. */
  get roomRows(): number {
    return Math.max(0, this.#bounds.rowsMax - this.length);
  }

  /** Whether there is no room even for what waits: then who holds must not add more. */
  get overfull(): boolean {
    const { rowsMax, waitingRowsMax, bytesMax, waitingBytesMax } = this.#bounds;
    return this.length >= rowsMax + waitingRowsMax || this.#bytes >= bytesMax + waitingBytesMax;
  }

  /** While holding, nothing is dropped. Afterwards the oldest are, down to the bounds. */
  hold(holding: boolean): void {
    this.#holding = holding;
    this.#trim();
  }

  /** The row at a position, or undefined where there is none. */
  at(position: number): LogRow | undefined {
    const pack = this.#packAt(position);
    return pack && this.#rowsOf(pack)[position - pack.position];
  }

  /** A row's key: unique, and the same as long as the row is here. */
  keyAt(position: number): number | undefined {
    const pack = this.#packAt(position);
    return pack && pack.key + position - pack.position;
  }

  /** Where the row of a key is; undefined when it is not here. */
  positionOfKey(key: number): number | undefined {
    const pack = this.#packs.find((other) => key >= other.key && key < other.key + other.count);
    return pack && pack.position + key - pack.key;
  }

  /**
   * Where an entry is. It compares four bytes a row: a millisecond for a
   * million; with the entry's timestamp only in packs that have such times.
   */
  positionOfId(id: string, timestamp?: bigint): number | undefined {
    const hash = hashOf(id);
    const time = timestamp === undefined ? undefined : Number(timestamp);
    for (let index = this.#packs.length - 1; index >= 0; index--) {
      const pack = this.#packs[index];
      if (pack === undefined || (time !== undefined && (time < pack.timeMin || time > pack.timeMax)))
        continue;
      const found = this.#findId(pack, id, hash);
      if (found !== -1) return pack.position + found;
    }
    return undefined;
  }

  /**
   * The position of the oldest entry of this time or later, in a log whose
   * times rise; where they do not, one near it. `end` when there is none.
   */
  positionOfTime(timestamp: bigint): number {
    const time = Number(timestamp);
    const pack = this.#packs.find(({ timeMax }) => timeMax >= time);
    if (pack === undefined) return this.#end;
    const isLater = (row: LogRow): boolean => row.kind === "entry" && row.entry.timestamp >= timestamp;
    return pack.position + Math.max(0, this.#rowsOf(pack).findIndex(isLater));
  }

  /** Adds rows at the new end, and drops the oldest for them unless it holds. */
  append(rows: readonly LogRow[]): void {
    for (const row of rows) {
      this.#open ??= this.#openPack();
      const open = this.#open;
      const bytes = sizeOf(row);
      open.rows?.push(row);
      open.count++;
      open.bytes += bytes;
      this.#bytes += bytes;
      this.#end++;
      if (row.kind === "entry") {
        open.entries++;
        this.#entries++;
        widen(open, row);
      }
      if (open.count >= this.#packRowsMax || open.bytes >= packCharsMax) {
        this.#seal();
        this.#trim();
      }
    }
    this.#trim();
  }

  /** Adds rows at the old end, the oldest first. Nothing that is here moves. */
  prepend(rows: readonly LogRow[]): void {
    for (let end = rows.length; end > 0; ) {
      let start = end;
      for (let chars = 0; start > 0 && end - start < this.#packRowsMax && chars < packCharsMax; start--) {
        chars += sizeOf(rows[start - 1]);
      }
      this.#prependPack(rows.slice(start, end));
      end = start;
    }
  }

  /**
   * Puts rows in the place of one: of a gap, what was missing. Positions before
   * it stay; those after it move.
   */
  replace(key: number, rows: readonly LogRow[]): void {
    const position = this.positionOfKey(key);
    if (position === undefined) return;
    // Its keys must go on without a hole.
    this.#seal();
    const index = this.#packs.findIndex((other) => position < other.position + other.count);
    const pack = this.#packs[index];
    if (pack === undefined) return;
    const parts = this.#partsAround(pack, position, rows).filter((part) => part.count > 0);
    this.#forget(pack);
    this.#packs.splice(index, 1, ...parts);
    for (const other of this.#packs.slice(index + parts.length)) other.position += rows.length - 1;
    for (const part of parts) this.#count(part, 1);
    this.#count(pack, -1);
    this.#end += rows.length - 1;
    this.#nearest = undefined;
    this.#moves++;
    this.#trim();
  }

  /** Forgets everything. Positions and keys go on, so that nobody takes a new row for an old one. */
  clear(): void {
    const open = this.#open;
    const keysEnd = open === undefined ? this.#nextKey : open.key + open.count;
    this.#keyBefore = keysEnd + keysForPrepended;
    this.#nextKey = this.#keyBefore + 1;
    this.#packs.length = 0;
    this.#unpacked.length = 0;
    this.#open = undefined;
    this.#nearest = undefined;
    this.#first = this.#end;
    this.#bytes = 0;
    this.#entries = 0;
    this.#dropped = 0;
  }

  /** A pack without the row at `position`, with other rows in its place. */
  #partsAround(pack: Pack, position: number, rows: readonly LogRow[]): Pack[] {
    const all = this.#rowsOf(pack);
    const at = position - pack.position;
    const parts = [makePack(all.slice(0, at), pack.position, pack.key)];
    for (let start = 0; start < rows.length; start += this.#packRowsMax) {
      const part = rows.slice(start, start + this.#packRowsMax);
      parts.push(makePack(part, position + start, this.#nextKey));
      this.#nextKey += part.length;
    }
    parts.push(makePack(all.slice(at + 1), position + rows.length, pack.key + at + 1));
    return parts;
  }

  #openPack(): Pack {
    const pack = {
      position: this.#end,
      key: this.#nextKey,
      count: 0,
      entries: 0,
      bytes: 0,
      timeMin: Number.POSITIVE_INFINITY,
      timeMax: Number.NEGATIVE_INFINITY,
      packed: undefined,
      rows: [],
    };
    this.#packs.push(pack);
    return pack;
  }

  /** Packs the open pack. Its rows stay at hand for a while: they are those on the screen. */
  #seal(): void {
    const open = this.#open;
    if (open?.rows === undefined) return;
    open.packed = packRows(open.rows);
    this.#bytes += open.packed.bytes - open.bytes;
    open.bytes = open.packed.bytes;
    this.#nextKey = open.key + open.count;
    this.#open = undefined;
    this.#keepUnpacked(open);
  }

  #prependPack(rows: LogRow[]): void {
    const key = this.#keyBefore + 1 - rows.length;
    const next = this.#packs[0];
    // A search that finds a row here and a row there must not make a pack of each.
    const joins = next?.packed !== undefined && next.key === this.#keyBefore + 1;
    if (joins && next.count + rows.length <= this.#packRowsMax && next.bytes < packCharsMax / 2) {
      this.#packs.shift();
      this.#forget(next);
      this.#count(next, -1);
      this.#addFirst(makePack([...rows, ...this.#rowsOf(next)], this.#first - rows.length, key));
    } else {
      this.#addFirst(makePack(rows, this.#first - rows.length, key));
    }
    this.#keyBefore -= rows.length;
    this.#dropped = Math.max(0, this.#dropped - rows.length);
  }

  #addFirst(pack: Pack): void {
    this.#packs.unshift(pack);
    this.#count(pack, 1);
    this.#first = pack.position;
    this.#nearest = undefined;
  }

  #trim(): void {
    while (!this.#holding && this.#packs.length > 1 && this.#exceeds()) {
      const pack = this.#packs.shift();
      if (pack === undefined) return;
      this.#forget(pack);
      this.#count(pack, -1);
      this.#dropped += pack.entries;
      this.#first += pack.count;
    }
  }

  #exceeds(): boolean {
    return this.length > this.#bounds.rowsMax || this.#bytes > this.#bounds.bytesMax;
  }

  #count(pack: Pack, sign: 1 | -1): void {
    this.#bytes += sign * pack.bytes;
    this.#entries += sign * pack.entries;
  }

  #packAt(position: number): Pack | undefined {
    if (!(position >= this.#first && position < this.#end)) return undefined;
    const near = this.#nearest;
    if (near !== undefined && position >= near.position && position < near.position + near.count) return near;
    let low = 0;
    let high = this.#packs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#packs[middle]?.position ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    this.#nearest = this.#packs[low];
    return this.#nearest;
  }

  #rowsOf(pack: Pack): readonly LogRow[] {
    if (pack.rows !== undefined) return pack.rows;
    if (pack.packed === undefined) return [];
    pack.rows = unpackRows(pack.packed);
    this.#keepUnpacked(pack);
    return pack.rows;
  }

  #keepUnpacked(pack: Pack): void {
    this.#unpacked.push(pack);
    if (this.#unpacked.length <= unpackedMax) return;
    const oldest = this.#unpacked.shift();
    if (oldest !== undefined) oldest.rows = undefined;
  }

  #forget(pack: Pack): void {
    const index = this.#unpacked.indexOf(pack);
    if (index !== -1) this.#unpacked.splice(index, 1);
    if (this.#nearest === pack) this.#nearest = undefined;
    if (this.#open === pack) this.#open = undefined;
  }

  #findId(pack: Pack, id: string, hash: number): number {
    const isIt = (row: LogRow | undefined): boolean => row?.kind === "entry" && row.id === id;
    if (pack.packed === undefined) return pack.rows?.findIndex(isIt) ?? -1;
    let index = findIdHash(pack.packed, hash, 0);
    while (index !== -1 && !isIt(this.#rowsOf(pack)[index])) index = findIdHash(pack.packed, hash, index + 1);
    return index;
  }
}

/** More than ever fit into the buffer, several times over; keys have 2^53 to take from. */
const keysForPrepended = 1 << 30;

function makePack(rows: readonly LogRow[], position: number, key: number): Pack {
  const packed = packRows(rows);
  const pack = {
    position,
    key,
    count: rows.length,
    entries: rows.length - packed.gaps.size,
    bytes: packed.bytes,
    timeMin: Number.POSITIVE_INFINITY,
    timeMax: Number.NEGATIVE_INFINITY,
    packed,
    rows: undefined,
  };
  for (const row of rows) if (row.kind === "entry") widen(pack, row);
  return pack;
}

/** Takes an entry's time into its pack's range. */
function widen(pack: Pack, { entry }: EntryRow): void {
  const time = Number(entry.timestamp);
  if (time < pack.timeMin) pack.timeMin = time;
  if (time > pack.timeMax) pack.timeMax = time;
}

/** What a row takes as an object, about. */
function sizeOf(row: LogRow | undefined): number {
  if (row?.kind !== "entry") return rowOverheadBytes;
  let chars = row.entry.message.length;
  for (const key in row.entry.attributes) chars += key.length + (row.entry.attributes[key]?.length ?? 0);
  return rowOverheadBytes + chars;
}
