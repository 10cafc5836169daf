/** Where in the log a time begins. */
import { rangeOf } from "../../scan/selection-range.ts";
import type { Search, SearchContext, SearchRequest } from "./search-context.ts";

/** Finds the offset of the first entry of a time or later; undefined when there is none. */
export function* findFirstSince(
  { time, watermark }: SearchRequest<"first_since">,
  { reader }: SearchContext,
): Search<"first_since"> {
  const { start } = rangeOf({ start: time });
  const firstOffset = reader.firstBlockSince(start, watermark);
  const columns = firstOffset === undefined ? undefined : reader.columnsAt(firstOffset);
  if (firstOffset === undefined || columns === undefined) return undefined;
  const offset = firstOffset + columns.timestamps.findIndex((timestamp) => timestamp >= start);
  // A block that was merged since may go on behind the watermark.
  return offset <= watermark ? offset : undefined;
}
