/**
 * Entries that a scan has found, as bytes: what goes from a scan's thread to
 * the main thread, which decodes them.
 */
/** An entry that was found. Its bytes are its own, not a view of its block's. */
export interface FoundEntry {
  readonly offset: number;
  readonly timestamp: bigint;
  readonly receivedAt: bigint;
  /** The encoded LogEntry. */
  readonly bytes: Uint8Array;
}

/** Found entries, side by side. */
export interface EntryChunk {
  readonly offsets: Float64Array;
  readonly receivedAt: BigInt64Array;
  /** Where each entry's bytes end. */
  readonly ends: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Packs entries. */
export function packEntries(entries: readonly FoundEntry[]): EntryChunk {
  const bytes = new Uint8Array(entries.reduce((sum, entry) => sum + entry.bytes.length, 0));
  const ends = new Uint32Array(entries.length);
  let length = 0;
  for (const [index, entry] of entries.entries()) {
    bytes.set(entry.bytes, length);
    length += entry.bytes.length;
    ends[index] = length;
  }
  return {
    offsets: Float64Array.from(entries, (entry) => entry.offset),
    receivedAt: BigInt64Array.from(entries, (entry) => entry.receivedAt),
    ends,
    bytes,
  };
}

/** Splits entries into chunks of about `bytesMax`, each of at least one entry. */
export function* chunkEntries(entries: readonly FoundEntry[], bytesMax: number): Generator<FoundEntry[]> {
  let chunk: FoundEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (chunk.length > 0 && bytes + entry.bytes.length > bytesMax) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(entry);
    bytes += entry.bytes.length;
  }
  if (chunk.length > 0) yield chunk;
}

/** The buffers of a chunk, to be transferred. */
export function chunkBuffers({ offsets, receivedAt, ends, bytes }: EntryChunk): ArrayBufferLike[] {
  return [offsets.buffer, receivedAt.buffer, ends.buffer, bytes.buffer];
}
