/** Searches in the order of time, a page at a time. */
import { limits } from "@logsvc/proto";
import { chunkEntries, type FoundEntry, packEntries } from "../../scan/entry-chunk.ts";
import { rangeOf } from "../../scan/selection-range.ts";
import { type Comes, orders, TopEntries } from "../../scan/top-entries.ts";
import type { BlockColumns } from "../block-columns.ts";
import { extremesOf } from "../block-format.ts";
import type { PagePosition } from "../positions.ts";
import { BlockScan, type BlockVisitor, foundAt } from "./block-scan.ts";
import type { Search, SearchContext, SearchRequest } from "./search-context.ts";
import { SearchPlan } from "./search-plan.ts";
import type { Zone } from "./zone.ts";

/** Between two signs of progress. */
const progressIntervalMs = 100;

/** Finds the entries of a page, and sends them as soon as it is certain that none comes before them. */
export function* queryEntries(request: SearchRequest<"query">, context: SearchContext): Search<"query"> {
  const isNewest = request.order === "newest";
  const plan = planPage(request, context);
  const scan = new BlockScan(context, {
    filter: request.filter,
    range: rangeOf(request),
    backwards: isNewest,
  });
  const page = new Page(request);
  const report = new PageReport(context, scan, plan);
  for (const range of plan) {
    // No entry of this block, or of one that follows, comes before this place. (Entries that are kept lie in
    // other blocks, so that of two places of one time any offset of the block tells which comes first.)
    const timestamp = isNewest ? range.greatestTimestamp : range.leastTimestamp;
    const place = { timestamp, offset: range.first };
    if (!page.admits(place)) break;
    report.progress(page, place);
    for (const _ of scan.scan(range, page)) {
      report.progress(page, place);
      context.keep(page.bytes);
      yield;
    }
  }
  report.complete(page);
  return undefined;
}

/** The blocks that a page may need: not those that former pages have used up. */
function planPage(request: SearchRequest<"query">, { reader }: SearchContext): SearchPlan {
  const { order, after, watermark } = request;
  const { start, last } = rangeOf(request);
  if (order === "newest") {
    const latest = after !== undefined && after.timestamp < last ? after.timestamp : last;
    return new SearchPlan(reader, { start, last: latest, watermark }, "falling_greatest");
  }
  const earliest = after !== undefined && after.timestamp > start ? after.timestamp : start;
  return new SearchPlan(reader, { start: earliest, last, watermark }, "rising_least");
}

/** The entries of a page, as they are found. */
class Page implements BlockVisitor {
  readonly #isNewest: boolean;
  readonly #comesBefore: Comes;
  readonly #after: PagePosition | undefined;
  readonly #top: TopEntries;
  #more = false;

  constructor({ order, after, limit }: SearchRequest<"query">) {
    this.#isNewest = order === "newest";
    this.#comesBefore = orders[order];
    this.#after = after;
    this.#top = new TopEntries(this.#comesBefore, { entries: limit, bytes: limits.pageBytesMax });
  }

  /** Bytes of the entries that have not been taken out. */
  get bytes(): number {
    return this.#top.bytes;
  }

  /** There may be a next page. */
  get more(): boolean {
    return this.#more || this.#top.cut;
  }

  /** Whether an entry at this place would be on the page; if not, there is a next one. */
  admits(place: PagePosition): boolean {
    const isAdmitted = this.#top.admits(place);
    this.#more ||= !isAdmitted;
    return isAdmitted;
  }

  wants(columns: BlockColumns, from: number, to: number): boolean {
    // Before the times are read: most searches never need them here.
    if (this.#after === undefined && !this.#top.isFull) return true;
    const { timestamps, head } = columns;
    const { leastTimestamp, greatestTimestamp } = extremesOf(timestamps.subarray(from, to));
    const lowest = { timestamp: leastTimestamp, offset: head.firstOffset + from };
    const highest = { timestamp: greatestTimestamp, offset: head.firstOffset + to - 1 };
    const [best, worst] = this.#isNewest ? [highest, lowest] : [lowest, highest];
    // What former pages had comes first.
    if (this.#after !== undefined && !this.#comesBefore(this.#after, worst)) return false;
    return this.admits(best);
  }

  take({ columns, marks, from }: Zone): boolean {
    const { timestamps, head } = columns;
    for (let step = 0; step < marks.length; step++) {
      const at = this.#isNewest ? marks.length - 1 - step : step;
      if (marks[at] !== 1) continue;
      const index = from + at;
      const place = { timestamp: timestamps[index] ?? 0n, offset: head.firstOffset + index };
      if (this.#after !== undefined && !this.#comesBefore(this.#after, place)) continue;
      if (this.admits(place)) this.#top.add(foundAt(columns, index));
    }
    return false;
  }

  /** Takes out the entries that come before a place; without one, all. */
  takeOut(place?: PagePosition): FoundEntry[] {
    return this.#top.take(place);
  }
}

/** Sends what a query finds, and how far it is. */
class PageReport {
  readonly #context: SearchContext;
  readonly #scan: BlockScan;
  readonly #plan: SearchPlan;
  #matches = 0;
  #last: FoundEntry | undefined;
  #reportedAt = performance.now();

  constructor(context: SearchContext, scan: BlockScan, plan: SearchPlan) {
    this.#context = context;
    this.#scan = scan;
    this.#plan = plan;
  }

  /** Sends what is certain by now, if it is time to: what comes before all that was not looked at yet. */
  progress(page: Page, notLookedAt: PagePosition): void {
    if (performance.now() - this.#reportedAt < progressIntervalMs) return;
    this.#send(page.takeOut(notLookedAt));
    this.#step(false, undefined);
    this.#reportedAt = performance.now();
  }

  complete(page: Page): void {
    this.#send(page.takeOut());
    const last = this.#last;
    const next = page.more && last ? { timestamp: last.timestamp, offset: last.offset } : undefined;
    this.#step(true, next);
  }

  #send(entries: readonly FoundEntry[]): void {
    for (const chunk of chunkEntries(entries, limits.responseBytesMax)) {
      this.#context.step({ entries: packEntries(chunk) });
      this.#matches += chunk.length;
      this.#last = chunk.at(-1) ?? this.#last;
    }
  }

  #step(complete: boolean, next: PagePosition | undefined): void {
    const { blocksScanned, blocksSkipped, bytesScanned, bytesSkipped, entriesScanned } = this.#scan;
    const { length, outside } = this.#plan;
    this.#context.step({
      progress: {
        blocksTotal: length + outside.blocks,
        blocksScanned,
        blocksSkipped: blocksSkipped + outside.blocks,
        bytesScanned,
        bytesSkipped: bytesSkipped + outside.rawBytes,
        entriesScanned,
        matches: this.#matches,
        next,
        complete,
      },
    });
  }
}
