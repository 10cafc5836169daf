/** An entry with its neighbours, in the order of the log. */
import { limits } from "@logsvc/proto";
import { type FoundEntry, packEntries } from "../../scan/entry-chunk.ts";
import { foundAt } from "./block-scan.ts";
import type { Search, SearchContext, SearchRequest } from "./search-context.ts";

/** Entries read between two looks at whether they are still wanted. */
const entriesPerCheck = 256;

/** Where to read, and how much. */
interface Walk {
  readonly from: number;
  readonly to: number;
  readonly step: 1 | -1;
  readonly bytesMax: number;
}

/** Finds the entry; undefined when it is no longer there. */
// biome-ignore lint/correctness/useYield: a search of one turn.
export function* findAround(request: SearchRequest<"around">, context: SearchContext): Search<"around"> {
  const { offset, before, after, watermark } = request;
  const bytesMax = limits.pageBytesMax / 2;
  const middle = readWalk(context, { from: offset, to: offset, step: 1, bytesMax });
  if (middle.length === 0) return undefined;
  const to = Math.max(1, offset - before);
  const earlier = readWalk(context, { from: offset - 1, to, step: -1, bytesMax });
  const end = Math.min(watermark, offset + after);
  const later = readWalk(context, { from: offset + 1, to: end, step: 1, bytesMax });
  return packEntries([...earlier.reverse(), ...middle, ...later]);
}

/** The entries from one offset to another, as far as they are stored and fit. */
function readWalk(context: SearchContext, { from, to, step, bytesMax }: Walk): FoundEntry[] {
  const entries: FoundEntry[] = [];
  let bytes = 0;
  let columns = context.reader.columnsAt(from);
  for (let offset = from; (to - offset) * step >= 0 && bytes < bytesMax; offset += step) {
    if (entries.length % entriesPerCheck === 0) context.checkWanted();
    if (columns !== undefined && !isIn(columns.head, offset)) columns = context.reader.columnsAt(offset);
    if (columns === undefined) break;
    const entry = foundAt(columns, offset - columns.head.firstOffset);
    entries.push(entry);
    bytes += entry.bytes.length;
  }
  return entries;
}

function isIn({ firstOffset, count }: { firstOffset: number; count: number }, offset: number): boolean {
  return offset >= firstOffset && offset < firstOffset + count;
}
