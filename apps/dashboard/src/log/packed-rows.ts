/**
 * Rows that nobody looks at, kept small. A million entries as objects take
 * more than half a gigabyte of heap, which the garbage collector walks again
 * and again; packed they take about what their text takes, outside the heap.
 *
 * A pack holds up to a thousand rows:
 *
 *   texts    JSON in UTF-8: ["INFO","api","GET /","path",…]   each text once
 *   refs     per row: id, level, service, message, trace id, span id,
 *            n, and n times key, value                         places in texts
 *   times    per row: timestamp, received at                   nanoseconds
 *   sequences  per row, when one has any
 *   idHashes   per row: to find an id without unpacking
 *   gaps     rows that are no entries, by index: rare, kept as they are
 *
 * Packing and unpacking cost one pass of native code over the text (JSON and
 * UTF-8) and a look at a map for each string.
 */
import type { EntryRow, GapRow, LogRow } from "./log-entry-row.ts";

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** What the objects around the arrays take, about. */
const packOverheadBytes = 400;

/** Rows as bytes. Never changed once made. */
export interface PackedRows {
  readonly count: number;
  /** What it takes in memory. */
  readonly bytes: number;
  readonly texts: Uint8Array;
  readonly refs: Uint16Array | Uint32Array;
  readonly times: BigInt64Array;
  /** At most 2^53 - 1, which a double holds exactly. */
  readonly sequences: Float64Array | undefined;
  readonly idHashes: Uint32Array;
  readonly gaps: ReadonlyMap<number, GapRow>;
}

/** Packs rows. */
export function packRows(rows: readonly LogRow[]): PackedRows {
  const places = new Map<string, number>();
  const refs: number[] = [];
  const times = new BigInt64Array(2 * rows.length);
  const idHashes = new Uint32Array(rows.length);
  const gaps = new Map<number, GapRow>();
  let sequences: Float64Array | undefined;
  const refer = (text: string): void => {
    let place = places.get(text);
    if (place === undefined) {
      place = places.size;
      places.set(text, place);
    }
    refs.push(place);
  };
  for (const [index, row] of rows.entries()) {
    if (row.kind === "gap") {
      gaps.set(index, row);
      continue;
    }
    const { id, entry } = row;
    idHashes[index] = hashOf(id);
    times[2 * index] = entry.timestamp;
    times[2 * index + 1] = row.receivedAt;
    if (entry.sequence !== 0n) {
      sequences ??= new Float64Array(rows.length);
      sequences[index] = Number(entry.sequence);
    }
    referEntry(row, refer, refs);
  }
  const texts = utf8.encode(JSON.stringify([...places.keys()]));
  const packedRefs = places.size <= 0xffff ? Uint16Array.from(refs) : Uint32Array.from(refs);
  const bytes =
    texts.byteLength +
    packedRefs.byteLength +
    times.byteLength +
    idHashes.byteLength +
    (sequences?.byteLength ?? 0) +
    packOverheadBytes;
  return { count: rows.length, bytes, texts, refs: packedRefs, times, sequences, idHashes, gaps };
}

function referEntry({ id, entry }: EntryRow, refer: (text: string) => void, refs: number[]): void {
  refer(id);
  refer(entry.level);
  refer(entry.service);
  refer(entry.message);
  refer(entry.traceId);
  refer(entry.spanId);
  const countAt = refs.push(0) - 1;
  let count = 0;
  for (const key in entry.attributes) {
    refer(key);
    refer(entry.attributes[key] ?? "");
    count++;
  }
  refs[countAt] = count;
}

/** The rows again, equal to those that were packed. */
export function unpackRows(packed: PackedRows): LogRow[] {
  const texts: readonly string[] = JSON.parse(fromUtf8.decode(packed.texts));
  const { refs, gaps } = packed;
  const rows: LogRow[] = [];
  let at = 0;
  const next = (): string => texts[refs[at++] ?? 0] ?? "";
  for (let index = 0; index < packed.count; index++) {
    const gap = gaps.get(index);
    if (gap !== undefined) {
      rows.push(gap);
      continue;
    }
    const id = next();
    const entry = {
      $typeName: "logsvc.LogEntry" as const,
      level: next(),
      service: next(),
      message: next(),
      timestamp: packed.times[2 * index] ?? 0n,
      attributes: {} as Record<string, string>,
      traceId: next(),
      spanId: next(),
      sequence: BigInt(packed.sequences?.[index] ?? 0),
    };
    for (let left = refs[at++] ?? 0; left > 0; left--) setOwn(entry.attributes, next(), next());
    rows.push({ kind: "entry", id, entry, receivedAt: packed.times[2 * index + 1] ?? 0n });
  }
  return rows;
}

/** An attribute may have any name, and assigning to "__proto__" would make no attribute. */
function setOwn(attributes: Record<string, string>, key: string, value: string): void {
  if (key !== "__proto__") attributes[key] = value;
  else
    Object.defineProperty(attributes, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Where an id may be: hashes can be the same for different ids, so compare the rows found. From `from` on; -1: nowhere. */
export function findIdHash(packed: PackedRows, hash: number, from: number): number {
  return packed.idHashes.indexOf(hash, from);
}

/** FNV-1a over UTF-16 units, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
export function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
