/**
 * Counts by time and by a field's values. What needs least is tried first: a
 * block's head, what it has counted itself, its times and severities or
 * services, and only then its texts.
 */
import { levelOfSeverity } from "../../scan/entry-field.ts";
import { type Buckets, chooseBuckets } from "../../scan/histogram-buckets.ts";
import { HistogramCounter } from "../../scan/histogram-counter.ts";
import { earlierOf, laterOf, rangeOf, type TimeRange, timeMax, timeMin } from "../../scan/selection-range.ts";
import { type BlockHead, extremesOf, levelCountsOf } from "../block-format.ts";
import type { Tally } from "../tally-column.ts";
import { BlockScan } from "./block-scan.ts";
import type { Search, SearchContext, SearchRequest } from "./search-context.ts";
import { type PlannedRange, SearchPlan } from "./search-plan.ts";
import { bucketTimes } from "./times-in-buckets.ts";
import { type Zone, zoneEntriesMax } from "./zone.ts";
import { type Grouping, groupingBy, type ZoneGroups } from "./zone-groups.ts";

/** Counts the entries of a selection. */
export function* countEntries(request: SearchRequest<"count">, context: SearchContext): Search<"count"> {
  const { filter, interval, groupBy, groups, watermark } = request;
  const asked = rangeOf(request);
  // By falling offset: retention deletes from the other end, so what it takes meanwhile is what would have come last.
  const plan = new SearchPlan(context.reader, { ...asked, watermark }, "falling_offset");
  const range = boundRange(request, asked, plan, context);
  const isEmpty = range === undefined || range.start > range.last;
  const buckets = chooseBuckets(isEmpty ? { start: 0n, last: 0n } : range, interval, request.buckets);
  const counter = new HistogramCounter(buckets, { groupBy, groups });
  if (isEmpty) return counter.result();
  const scan = new BlockScan(context, { filter, range, backwards: true });
  const zones = new ZoneCounter(counter, { buckets, range, groupBy });
  do {
    for (const planned of plan) {
      yield* scan.scan(planned, {
        takeHead: (head, isWhole) =>
          isWhole &&
          scan.matchesAll &&
          zones.countHead(head, () => context.reader.columnsAt(head.firstOffset)?.tally()),
        take: (zone) => {
          zones.countZone(zone);
          return false;
        },
      });
    }
  } while (counter.needsSecondScan());
  return counter.result();
}

/** The range as far as there are entries, where the request leaves it open; undefined without entries. */
function boundRange(
  { start, end }: SearchRequest<"count">,
  range: TimeRange,
  plan: SearchPlan,
  context: SearchContext,
): TimeRange | undefined {
  if (start !== undefined && end !== undefined) return range;
  if (plan.length === 0) return undefined;
  let [first, last] = [timeMax, timeMin];
  for (const planned of plan) {
    const { leastTimestamp, greatestTimestamp } = extremesOfRange(planned, context);
    first = earlierOf(first, leastTimestamp);
    last = laterOf(last, greatestTimestamp);
  }
  return {
    start: start === undefined ? first : range.start,
    last: end === undefined ? last : range.last,
  };
}

/** The head's; of a block that goes on behind the watermark those of the entries before it. */
function extremesOfRange(planned: PlannedRange, { reader }: SearchContext) {
  if (!planned.isClipped) return planned;
  const columns = reader.columnsAt(planned.first);
  if (columns === undefined) return planned;
  const { firstOffset } = columns.head;
  return extremesOf(columns.timestamps.subarray(planned.first - firstOffset, planned.last + 1 - firstOffset));
}

/** Counts that are kept for one zone at the most; where it needs more, each entry is counted by itself. */
const cellsMax = 64 * 1024;

/** Counts the marked entries of zones. */
class ZoneCounter {
  readonly #buckets: Buckets;
  readonly #range: TimeRange;
  readonly #counter: HistogramCounter;
  readonly #groupBy: string | undefined;
  readonly #grouping: Grouping;
  /** The bucket of each of a zone's entries. */
  readonly #bucketOf = new Uint32Array(zoneEntriesMax);
  readonly #cells = new Uint32Array(cellsMax);

  constructor(
    counter: HistogramCounter,
    scope: { readonly buckets: Buckets; readonly range: TimeRange; readonly groupBy: string | undefined },
  ) {
    this.#counter = counter;
    this.#buckets = scope.buckets;
    this.#range = scope.range;
    this.#groupBy = scope.groupBy;
    this.#grouping = groupingBy(scope.groupBy);
  }

  /** Counts a block of which every entry counts; false: its head and its tally are not enough. */
  countHead(head: BlockHead, readTally: () => Tally | undefined): boolean {
    const levels = levelCountsOf(head);
    const isNamed = this.#groupBy === undefined || (this.#groupBy === "level" && !levels.has(0));
    if (!isNamed) return false;
    const bucket = this.#counter.bucketAt(head.leastTimestamp);
    if (bucket !== this.#counter.bucketAt(head.greatestTimestamp)) return this.#countTally(readTally());
    for (const [severity, count] of levels) this.#counter.add(this.#nameOf(severity), bucket, count);
    return true;
  }

  /** Counts in units; false: there is no tally, or its units don't lie in one bucket each. */
  #countTally(tally: Tally | undefined): boolean {
    const { interval, start } = this.#buckets;
    if (tally === undefined || interval % tally.unitNs !== 0n) return false;
    const { unitNs, units, severities, counts } = tally;
    const bucket = this.#counter.bucketAt(tally.start);
    const unitsABucket = Number(interval / unitNs);
    // Of the first bucket the block may have the later units only.
    const unitsBefore = Number((tally.start - start - BigInt(bucket) * interval) / unitNs);
    for (const [row, severity] of severities.entries()) {
      const name = this.#nameOf(severity);
      for (let unit = 0; unit < units; unit++) {
        const count = counts[row * units + unit] ?? 0;
        if (count > 0)
          this.#counter.add(name, bucket + Math.floor((unitsBefore + unit) / unitsABucket), count);
      }
    }
    return true;
  }

  /** The series of a severity, where it is 1 or more. */
  #nameOf(severity: number): string {
    return this.#groupBy === undefined ? "" : levelOfSeverity(severity);
  }

  /** Counts the marked entries. */
  countZone(zone: Zone): void {
    const { columns, from, marks } = zone;
    const { head } = columns;
    const least = laterOf(head.leastTimestamp, this.#range.start);
    const greatest = earlierOf(head.greatestTimestamp, this.#range.last);
    const first = this.#counter.bucketAt(least);
    const width = this.#counter.bucketAt(greatest) - first + 1;
    const bucketOf = this.#bucketOf.subarray(0, marks.length);
    // Of a block that lies in one bucket the times need not even be read.
    if (width === 1) bucketOf.fill(first);
    else
      bucketTimes(this.#buckets, { timestamps: columns.timestamps, from, least, greatest }, bucketOf, marks);
    const groups = this.#grouping(zone);
    if (width * groups.count > cellsMax) this.#countEach(zone, groups, bucketOf);
    else this.#countTogether(zone, groups, { bucketOf, first, width });
  }

  /** Counts in a small table first, which has a row a group, of so many buckets. */
  #countTogether(
    { marks }: Zone,
    { of, count, nameOf }: ZoneGroups,
    { bucketOf, first, width }: { bucketOf: Uint32Array; first: number; width: number },
  ): void {
    const cells = this.#cells;
    for (let at = 0; at < marks.length; at++) {
      if (marks[at] !== 1) continue;
      const cell = (of[at] ?? 0) * width + (bucketOf[at] ?? 0) - first;
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    for (let cell = 0; cell < width * count; cell++) {
      const entries = cells[cell] ?? 0;
      if (entries === 0) continue;
      cells[cell] = 0;
      this.#counter.add(nameOf(Math.floor(cell / width)), first + (cell % width), entries);
    }
  }

  #countEach({ marks }: Zone, { of, nameOf }: ZoneGroups, bucketOf: Uint32Array): void {
    for (let at = marks.indexOf(1); at >= 0; at = marks.indexOf(1, at + 1)) {
      this.#counter.add(nameOf(of[at] ?? 0), bucketOf[at] ?? 0);
    }
  }
}
