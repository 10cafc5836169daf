/** A field's values with how often they come, or the names of the fields. */
import { levelOfSeverity } from "../../scan/entry-field.ts";
import { rangeOf } from "../../scan/selection-range.ts";
import { ValueCounter } from "../../scan/value-counter.ts";
import { type BlockHead, levelCountsOf } from "../block-format.ts";
import { BlockScan } from "./block-scan.ts";
import { NameTally } from "./name-tally.ts";
import type { Search, SearchContext, SearchRequest } from "./search-context.ts";
import { SearchPlan } from "./search-plan.ts";
import type { Zone } from "./zone.ts";
import { groupingBy } from "./zone-groups.ts";

/** Told of a value, and how often it came. */
type Add = (value: string, count: number) => void;

/** Counts the values of one field, or the names, in the marked entries of a zone. */
type Tally = (zone: Zone, add: Add) => void;

/** Counts a field's values in the entries of a selection. */
export function* countValues(request: SearchRequest<"values">, context: SearchContext): Search<"values"> {
  const { filter, field, prefix = "", limit, watermark } = request;
  const range = rangeOf(request);
  // By falling offset, see count-search.ts.
  const plan = new SearchPlan(context.reader, { ...range, watermark }, "falling_offset");
  const scan = new BlockScan(context, { filter, range, backwards: true });
  const counter = new ValueCounter();
  const start = prefix.toLowerCase();
  const add: Add = (value, count) => {
    if (count > 0 && value !== "" && value.toLowerCase().startsWith(start)) counter.add(value, count);
  };
  const tally = tallyOf(field);
  for (const planned of plan) {
    yield* scan.scan(planned, {
      takeHead: (head, isWhole) => field === "level" && isWhole && scan.matchesAll && addLevels(head, add),
      take: (zone) => {
        tally(zone, add);
        return false;
      },
    });
  }
  return { values: counter.top(limit), distinct: counter.distinct, truncated: counter.truncated };
}

function tallyOf(field: string | undefined): Tally {
  if (field === undefined) {
    const names = new NameTally();
    return (zone, add) => names.count(zone, add);
  }
  const grouping = groupingBy(field);
  return (zone, add) => {
    const { marks } = zone;
    const { count, of, nameOf } = grouping(zone);
    const counts = new Uint32Array(count);
    for (let at = 0; at < marks.length; at++) {
      if (marks[at] === 1) counts[of[at] ?? 0] = (counts[of[at] ?? 0] ?? 0) + 1;
    }
    for (const [group, entries] of counts.entries()) add(nameOf(group), entries);
  };
}

/** Counts a whole block's levels from its head; false: it does not tell them. */
function addLevels(head: BlockHead, add: Add): boolean {
  const levels = levelCountsOf(head);
  if (levels.has(0)) return false;
  for (const [severity, count] of levels) add(levelOfSeverity(severity), count);
  return true;
}
