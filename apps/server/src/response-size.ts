/** How much goes into one response of a tail or a query. */
import type { StoredEntry } from "@logsvc/proto";
import { limits } from "@logsvc/proto";

/**
 * About how many bytes an entry takes in a response: exact for ASCII, less
 * than half of the truth at worst. Exactness would cost an encoding.
 */
export function weighEntry({ entry }: Pick<StoredEntry, "entry">): number {
  if (entry === undefined) return 0;
  let bytes = 64 + entry.message.length + entry.service.length + entry.traceId.length + entry.spanId.length;
  for (const key in entry.attributes) bytes += 8 + key.length + (entry.attributes[key]?.length ?? 0);
  return bytes;
}

/** Splits entries into runs of about `limits.responseBytesMax` bytes, each with one entry at least. */
export function* splitByBytes(entries: readonly StoredEntry[]): Generator<StoredEntry[], void, undefined> {
  let run: StoredEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const weight = weighEntry(entry);
    if (run.length > 0 && bytes + weight > limits.responseBytesMax) {
      yield run;
      run = [];
      bytes = 0;
    }
    run.push(entry);
    bytes += weight;
  }
  if (run.length > 0) yield run;
}
