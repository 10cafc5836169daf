/**
 * What the columns `received`, `origins` and `lengths` of a packed block hold,
 * before compression. Byte by byte: the head of block-format.ts.
 */
import { startIn } from "../entry-bytes.ts";
import { type ColumnPlace, corrupt } from "./block-column.ts";
import type { ReceivedRuns } from "./block-image.ts";
import { putPlanes, readPlanes } from "./byte-planes.ts";
import { decodeFreshTimes, encodeFreshTimes } from "./time-column.ts";

/** An index for each entry, in the least wide array that holds them. */
export type OriginIndexes = Uint8Array | Uint16Array | Uint32Array;

/** The services of a block's entries. */
export interface Origins {
  /** The different ones, in order of appearance; empty for entries without one. */
  readonly names: readonly string[];
  /** Which of them each entry has. */
  readonly indexes: OriginIndexes;
}

/** Services as their bytes are stored. */
export interface EncodedOrigins {
  readonly names: readonly Uint8Array[];
  readonly indexes: OriginIndexes;
}

/** How long the texts of each place are, and where the stripes end. */
export interface TextLengths {
  readonly messages: Uint32Array;
  readonly rests: Uint32Array;
  readonly stripeEnds: Uint32Array;
}

/** The number of stripes, how many entries each has, and the two lengths of each place in byte planes. */
export function encodeLengths({ messages, rests, stripeEnds }: TextLengths): Uint8Array {
  const [messagePlanes, restPlanes] = [planesFor(messages), planesFor(rests)];
  const count = messages.length;
  const start = 3 + 4 * stripeEnds.length;
  const raw = new Uint8Array(start + (messagePlanes + restPlanes) * count);
  raw[0] = messagePlanes;
  raw[1] = restPlanes;
  raw[2] = stripeEnds.length;
  putNumbers(differencesOf(stripeEnds), raw, 3);
  putPlanes(messages, messagePlanes, raw, start);
  putPlanes(rests, restPlanes, raw, start + messagePlanes * count);
  return raw;
}

/** Where the texts of a block lie, as its column `lengths` tells. */
export class TextEnds {
  readonly stripeEnds: Uint32Array;
  readonly #raw: Uint8Array;
  readonly #planes: { readonly message: number; readonly rest: number };
  readonly #count: number;

  /**
   * @param stripes How many there are.
   * @throws EngineError `corrupt`
   */
  constructor(place: ColumnPlace, stripes: number, raw: Uint8Array) {
    const [message = 0, rest = 0, stripesThere = 0] = raw;
    const { count } = place;
    const length = 3 + 4 * stripes + (message + rest) * count;
    if (message > 4 || rest > 4 || stripesThere !== stripes || raw.length !== length)
      throw corrupt(place, `its column lengths has ${raw.length} bytes`);
    this.#raw = raw;
    this.#planes = { message, rest };
    this.#count = count;
    this.stripeEnds = endsOf(readNumbers(raw, 3, stripes));
    if (this.stripeEnds.at(-1) !== count)
      throw corrupt(place, `its stripes have ${this.stripeEnds.at(-1)} entries, ${count} expected`);
  }

  /** Where each text of a stripe ends in its stripe. */
  of(field: "message" | "rest", stripe: number): Uint32Array {
    const start =
      3 + 4 * this.stripeEnds.length + (field === "rest" ? this.#planes.message * this.#count : 0);
    const from = startIn(this.stripeEnds, stripe);
    const count = (this.stripeEnds[stripe] ?? 0) - from;
    const layout = { planes: this.#planes[field], count, stride: this.#count };
    return endsOf(readPlanes(this.#raw, start + from, layout));
  }
}

/** How many planes the greatest of some numbers needs. */
export function planesFor(numbers: Uint32Array): number {
  let most = 0;
  for (const number of numbers) if (number > most) most = number;
  return Math.ceil((32 - Math.clz32(most)) / 8);
}

/** Where each of some lengths ends, when they follow each other; in the same array. */
function endsOf(lengths: Uint32Array): Uint32Array {
  let sum = 0;
  for (let index = 0; index < lengths.length; index++) {
    sum += lengths[index] ?? 0;
    lengths[index] = sum;
  }
  return lengths;
}

/** Numbers of 4 bytes each. */
function putNumbers(numbers: Uint32Array, target: Uint8Array, at: number): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  for (const [index, number] of numbers.entries()) view.setUint32(at + 4 * index, number, true);
}

function readNumbers(raw: Uint8Array, at: number, count: number): Uint32Array {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Uint32Array.from({ length: count }, (_, index) => view.getUint32(at + 4 * index, true));
}

/** Number of names, their lengths, their bytes, then the indexes. */
export function encodeOrigins({ names, indexes }: EncodedOrigins): Uint8Array {
  const width = indexWidth(names.length);
  const nameBytes = names.reduce((sum, { length }) => sum + length, 0);
  const raw = new Uint8Array(4 + 4 * names.length + nameBytes + width * indexes.length);
  const view = new DataView(raw.buffer);
  view.setUint32(0, names.length, true);
  let at = 4 + 4 * names.length;
  for (const [index, name] of names.entries()) {
    view.setUint32(4 + 4 * index, name.length, true);
    raw.set(name, at);
    at += name.length;
  }
  const count = indexes.length;
  for (let index = 0; index < count; index++) {
    const origin = indexes[index] ?? 0;
    for (let byte = 0; byte < width; byte++) raw[at++] = origin >>> (8 * byte);
  }
  return raw;
}

/** @throws EngineError `corrupt` */
export function decodeOrigins(place: ColumnPlace, raw: Uint8Array): EncodedOrigins {
  const fault = () => corrupt(place, `its column origins has ${raw.length} bytes`);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  if (raw.length < 4) throw fault();
  const nameCount = view.getUint32(0, true);
  let at = 4 + 4 * nameCount;
  if (nameCount === 0 || at > raw.length) throw fault();
  const names: Uint8Array[] = [];
  for (let index = 0; index < nameCount; index++) {
    const length = view.getUint32(4 + 4 * index, true);
    names.push(raw.subarray(at, at + length));
    at += length;
  }
  const { count } = place;
  const width = indexWidth(nameCount);
  if (raw.length !== at + width * count) throw fault();
  // A copy: wider arrays must be aligned.
  const bytes = Uint8Array.from(raw.subarray(at));
  if (width === 0) return { names, indexes: new Uint8Array(count) };
  if (width === 1) return { names, indexes: bytes };
  return { names, indexes: width === 2 ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer) };
}

/** Bytes of an index. */
function indexWidth(names: number): 0 | 1 | 2 | 4 {
  if (names === 1) return 0;
  if (names <= 0x100) return 1;
  return names <= 0x10000 ? 2 : 4;
}

/** Nothing for a single run: the head says when it was. Else the runs' lengths and their times. */
export function encodeReceived({ ends, times }: ReceivedRuns): Uint8Array {
  if (ends.length === 1) return new Uint8Array();
  const planes = encodeFreshTimes(times);
  const raw = new Uint8Array(4 * ends.length + planes.length);
  putPlanes(differencesOf(ends), 4, raw, 0);
  raw.set(planes, 4 * ends.length);
  return raw;
}

/** @throws EngineError `corrupt` */
export function decodeReceived(
  place: ColumnPlace & { readonly receivedAt: bigint },
  raw: Uint8Array,
): ReceivedRuns {
  if (raw.length === 0)
    return { ends: Uint32Array.of(place.count), times: BigInt64Array.of(place.receivedAt) };
  const runs = raw.length / 12;
  if (!Number.isInteger(runs)) throw corrupt(place, `its column received has ${raw.length} bytes`);
  const ends = endsOf(readPlanes(raw, 0, { planes: 4, count: runs }));
  if (ends.at(-1) !== place.count)
    throw corrupt(place, `its column received is about ${ends.at(-1)} entries, ${place.count} expected`);
  return { ends, times: decodeFreshTimes(raw.subarray(4 * runs), runs) };
}

function differencesOf(ends: Uint32Array): Uint32Array {
  return ends.map((end, index) => end - startIn(ends, index));
}
