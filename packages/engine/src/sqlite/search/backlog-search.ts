/** Searches backwards in the order of the log, for a tail's beginning. */
import { limits } from "@logsvc/proto";
import { chunkEntries, type FoundEntry, packEntries } from "../../scan/entry-chunk.ts";
import { rangeOf } from "../../scan/selection-range.ts";
import { BlockScan, foundAt } from "./block-scan.ts";
import type { Search, SearchContext, SearchRequest } from "./search-context.ts";
import { SearchPlan } from "./search-plan.ts";
import type { Zone } from "./zone.ts";

/** Finds the last matching entries, and sends them, oldest first. */
export function* collectBacklog(
  request: SearchRequest<"backlog">,
  context: SearchContext,
): Search<"backlog"> {
  const { filter, limit, watermark } = request;
  const range = rangeOf(request);
  const plan = new SearchPlan(context.reader, { ...range, watermark }, "falling_offset");
  const scan = new BlockScan(context, { filter, range, backwards: true });
  const kept: FoundEntry[] = [];
  let bytes = 0;
  const isFull = () => kept.length >= limit || bytes >= limits.pageBytesMax;
  const take = ({ columns, marks, from }: Zone) => {
    for (let at = marks.lastIndexOf(1); at >= 0 && !isFull(); at = lastMark(marks, at - 1)) {
      const entry = foundAt(columns, from + at);
      kept.push(entry);
      bytes += entry.bytes.length;
    }
    return isFull();
  };
  for (const planned of plan) {
    if (isFull()) break;
    for (const _ of scan.scan(planned, { take })) {
      context.keep(bytes);
      yield;
    }
  }
  for (const chunk of chunkEntries(kept.reverse(), limits.responseBytesMax)) {
    context.step({ entries: packEntries(chunk) });
  }
  return undefined;
}

/** `lastIndexOf` takes -1 for the end. */
function lastMark(marks: Uint8Array, from: number): number {
  return from < 0 ? -1 : marks.lastIndexOf(1, from);
}
