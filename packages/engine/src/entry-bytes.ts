/**
 * Where an entry's own encoding is in a batch or a block. Apart from
 * entry-batch.ts, which needs protobuf: threads that only move bytes load
 * without it, and take 10 MB less each.
 */

/** Where the part of an index begins in bytes of which `ends` tells where each part ends; for their number: where the last one ends. */
export function startIn(ends: Uint32Array, index: number): number {
  return index === 0 ? 0 : (ends[index - 1] ?? 0);
}

/** The encoding of one entry of a batch or block: the LogEntry without its tag and length. */
export function entryBytesAt(
  batch: { readonly bytes: Uint8Array; readonly ends: Uint32Array },
  index: number,
): Uint8Array {
  const end = batch.ends[index];
  if (end === undefined) throw new RangeError(`entry ${index} of ${batch.ends.length}`);
  let start = startIn(batch.ends, index) + 1; // behind the tag
  while ((batch.bytes[start] ?? 0) > 0x7f) start++;
  return batch.bytes.subarray(start + 1, end);
}
