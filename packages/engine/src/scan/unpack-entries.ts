/**
 * Decodes what a scan has found. Apart from entry-chunk.ts, whose threads need
 * not load protobuf for it.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { LogEntrySchema, type StoredEntry, StoredEntrySchema } from "@logsvc/proto";
import type { EntryChunk } from "./entry-chunk.ts";

/** The entries of a chunk. */
export function unpackEntries(chunk: EntryChunk, idOf: (offset: number) => string): StoredEntry[] {
  const entries: StoredEntry[] = [];
  let start = 0;
  for (const [index, end] of chunk.ends.entries()) {
    entries.push(
      create(StoredEntrySchema, {
        id: idOf(chunk.offsets[index] ?? 0),
        entry: fromBinary(LogEntrySchema, chunk.bytes.subarray(start, end)),
        receivedAt: chunk.receivedAt[index] ?? 0n,
      }),
    );
    start = end;
  }
  return entries;
}
