/**
 * One column of a block's row, as its bytes are stored: compressed where that
 * is worth it, with a checksum. The layout is at the head of block-format.ts.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { EngineError } from "../engine-error.ts";

/** Names of the columns that hold entries, or parts of them. */
export type ColumnName =
  | "times"
  | "severities"
  | "entries"
  | "tally"
  | "received"
  | "origins"
  | "lengths"
  | "messages"
  | "rest";

/** Which block a column belongs to. */
export interface ColumnPlace {
  readonly firstOffset: number;
  readonly count: number;
}

/** Below this zstd gains a few bytes and costs 50 µs a call, which is most of a lonely entry's commit. */
const compressBytesMin = 256;

const methodPlain = 0;
const methodZstd = 1;
const methodSizedZstd = 2;

/** Bytes of a column besides its payload: method and CRC-32. */
const frameBytes = 5;

/** Of a column: a block has at most 4 MiB, or a single entry, which is refused when it is larger than this. */
export const columnBytesMax = 64 * 1024 * 1024;

/** Names a block for an error's message. */
export function corrupt(place: ColumnPlace, what: string): EngineError {
  const last = place.firstOffset + place.count - 1;
  return new EngineError(
    "corrupt",
    `block ${place.firstOffset} (entries ${place.firstOffset} to ${last}): ${what}`,
  );
}

/** How a column is compressed. */
export interface ColumnEncoding {
  /** zstd's level. */
  readonly level: number;
  /** Whether its length is stored with it: for columns whose length nothing else tells. */
  readonly sized: boolean;
}

/** The column that has these bytes. */
export function encodeColumn(
  raw: Uint8Array,
  firstOffset: number,
  { level, sized }: ColumnEncoding,
): Uint8Array<ArrayBuffer> {
  const compressed = raw.length < compressBytesMin ? raw : compress(raw, level);
  const sizeBytes = sized ? 4 : 0;
  const isPlain = compressed.length + sizeBytes >= raw.length;
  const payload = isPlain ? raw : compressed;
  const payloadStart = isPlain ? 1 : 1 + sizeBytes;
  const bytes = new Uint8Array(payloadStart + payload.length + 4);
  const column = Buffer.from(bytes.buffer);
  column[0] = isPlain ? methodPlain : sized ? methodSizedZstd : methodZstd;
  if (payloadStart > 1) column.writeUInt32LE(raw.length, 1);
  column.set(payload, payloadStart);
  if (!isPlain) letGo(compressed);
  column.writeUInt32LE(columnCrc(firstOffset, column), column.length - 4);
  return bytes;
}

/**
 * A column's bytes.
 *
 * @param rawBytes How many are expected. Absent: as many as the column says.
 * @throws EngineError `corrupt`
 */
export function decodeColumn(
  place: ColumnPlace,
  name: ColumnName,
  column: Uint8Array,
  rawBytes?: number,
): Buffer {
  const stored = Buffer.from(column.buffer, column.byteOffset, column.byteLength);
  if (stored.length < frameBytes)
    throw corrupt(place, `its column ${name} has ${stored.length} bytes, at least ${frameBytes} expected`);
  const expected = stored.readUInt32LE(stored.length - 4);
  const crc = columnCrc(place.firstOffset, stored);
  if (crc !== expected)
    throw corrupt(place, `the checksum of its column ${name} is ${crc}, stored is ${expected}`);
  const raw = decompress(place, name, stored, rawBytes);
  if (rawBytes === undefined || raw.length === rawBytes) return raw;
  throw corrupt(place, `its column ${name} has ${raw.length} bytes, ${rawBytes} expected`);
}

/** A striped column, of columns of a stripe each. */
export function joinStripes(stripes: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(stripes.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(joined.buffer);
  let at = 0;
  for (const stripe of stripes) {
    view.setUint32(at, stripe.length, true);
    joined.set(stripe, at + 4);
    at += 4 + stripe.length;
  }
  return joined;
}

/**
 * The columns that a striped column is made of.
 *
 * @param count How many are expected.
 * @throws EngineError `corrupt`
 */
export function splitStripes(
  place: ColumnPlace,
  name: ColumnName,
  column: Uint8Array,
  count: number,
): Uint8Array[] {
  const view = new DataView(column.buffer, column.byteOffset, column.byteLength);
  const stripes: Uint8Array[] = [];
  let at = 0;
  while (stripes.length < count && at + 4 <= column.length) {
    const end = at + 4 + view.getUint32(at, true);
    stripes.push(column.subarray(at + 4, end));
    at = end;
  }
  if (stripes.length === count && at === column.length) return stripes;
  throw corrupt(place, `its column ${name} has not ${count} stripes in ${column.length} bytes`);
}

/**
 * Frees a large buffer that nobody looks at any more: V8 lets tens of megabytes
 * of them pile up before it collects any. Smaller ones may be parts of Node's
 * pool, which others have parts of too.
 */
export function letGo({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}

function columnCrc(firstOffset: number, column: Uint8Array): number {
  const key = Buffer.allocUnsafe(8);
  key.writeBigInt64LE(BigInt(firstOffset));
  return crc32(column.subarray(0, column.length - 4), crc32(key));
}

function compress(raw: Uint8Array, level: number): Uint8Array {
  // Twice as fast as with the default chunkSize of 16 KiB, which makes it grow its output step by step.
  return zstdCompressSync(raw, {
    chunkSize: raw.length,
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
}

function decompress(place: ColumnPlace, name: ColumnName, stored: Buffer, rawBytes?: number): Buffer {
  const method = stored[0];
  if (method === methodPlain) return stored.subarray(1, stored.length - 4);
  const isSized = method === methodSizedZstd && stored.length >= frameBytes + 4;
  if (method !== methodZstd && !isSized)
    throw corrupt(place, `its column ${name} has the unknown method ${method}`);
  const size = isSized ? stored.readUInt32LE(1) : (rawBytes ?? 0);
  if (size > columnBytesMax)
    throw corrupt(place, `its column ${name} has ${size} bytes, at most ${columnBytesMax} expected`);
  try {
    const frame = stored.subarray(isSized ? 5 : 1, stored.length - 4);
    const raw = zstdDecompressSync(frame, {
      // One byte more than it has: when its first chunk is full, it makes a second one.
      chunkSize: Math.max(64, size + 1),
      maxOutputLength: Math.max(1, size),
    });
    if (raw.length === size) return raw;
    throw new Error(`it has ${raw.length} bytes, ${size} expected`);
  } catch (error) {
    throw corrupt(place, `its column ${name} does not decompress: ${String(error)}`);
  }
}
