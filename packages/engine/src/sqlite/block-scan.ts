/**
 * The searches of a scan worker: which blocks to read, in which order, and when
 * to stop. What is found is kept by the modules of ../scan.
 */
import { compileFilter, type FilterNode, type FilterPredicate } from "@logsvc/filter";
import { limits } from "@logsvc/proto";
import type { FieldValues, Histogram } from "../engine.ts";
import { entryBytesAt } from "../entry-batch.ts";
import { chunkEntries, type EntryChunk, type FoundEntry, packEntries } from "../scan/entry-chunk.ts";
import { fieldNames, fieldReader, levelOfSeverity } from "../scan/entry-field.ts";
import { chooseBuckets } from "../scan/histogram-buckets.ts";
import { HistogramCounter } from "../scan/histogram-counter.ts";
import { rangeOf, type TimeRange } from "../scan/selection-range.ts";
import { orders, TopEntries } from "../scan/top-entries.ts";
import { ValueCounter } from "../scan/value-counter.ts";
import { type BlockHead, levelCountsOf } from "./block-format.ts";
import { type BlockImage, type BlockViews, blockViews } from "./block-image.ts";
import type { BlockRange, BlockReader } from "./block-reader.ts";
import { EntryView } from "./entry-view.ts";
import type { ScanJobs, ScanStep } from "./scan-jobs.ts";

/** What a search needs besides its request. */
export interface ScanContext {
  readonly reader: BlockReader;
  /** @throws when the search is no longer wanted. Called every few milliseconds. */
  checkWanted(): void;
  /** Sends part of the answer. */
  step(step: ScanStep): void;
}

type Request<Kind extends keyof ScanJobs> = ScanJobs[Kind]["request"];

/** Entries between two looks at whether the search is still wanted: a slow filter takes 100 µs for one. */
const entriesPerCheck = 256;

/** Between two signs of progress. */
const progressIntervalMs = 100;

/** The entries of a block that lie in a range and match, by rising index. */
class MatchingEntries {
  readonly #matches: FilterPredicate | undefined;
  readonly #range: TimeRange;
  readonly #context: ScanContext;

  constructor(filter: FilterNode, range: TimeRange, context: ScanContext) {
    this.#matches = filter.kind === "all" ? undefined : compileFilter(filter);
    this.#range = range;
    this.#context = context;
  }

  /** True: every entry in the range matches. */
  get matchesAll(): boolean {
    return this.#matches === undefined;
  }

  /** True: the range holds the whole block. */
  holdsAll(head: Pick<BlockHead, "leastTimestamp" | "greatestTimestamp">): boolean {
    return head.leastTimestamp >= this.#range.start && head.greatestTimestamp <= this.#range.last;
  }

  /** The index of each. `isWanted` is asked first, before an entry is decoded. */
  *of(
    views: BlockViews,
    { backwards = false, isWanted = (_index: number, _time: bigint): boolean => true } = {},
  ): Generator<number> {
    const { timestamps, ends } = views;
    const { start, last } = this.#range;
    const entry = new EntryView(views.bytes);
    for (let step = 0; step < timestamps.length; step++) {
      if (step % entriesPerCheck === 0) this.#context.checkWanted();
      const index = backwards ? timestamps.length - 1 - step : step;
      const time = timestamps[index] ?? 0n;
      if (time < start || time > last || !isWanted(index, time)) continue;
      if (this.#matches === undefined || this.#matches(moveTo(entry, ends, index))) yield index;
    }
  }
}

/** Searches in the order of time, a page. */
export function query(request: Request<"query">, context: ScanContext): void {
  const before = orders[request.order];
  const { after, watermark } = request;
  const range = { ...rangeOf(request), watermark };
  const entries = new MatchingEntries(request.filter, range, context);
  const top = new TopEntries(before, { entries: request.limit, bytes: limits.pageBytesMax });
  const page = new PageReport(context, range);
  for (const planned of planPage(request, range, context.reader)) {
    context.checkWanted();
    // No entry of this block, or of one that follows, comes before this place. (Entries that are kept lie in
    // other blocks, so that of two places of one time any offset of the block tells which comes first.)
    const { firstOffset } = planned;
    const timestamp = request.order === "newest" ? planned.greatestTimestamp : planned.leastTimestamp;
    if (!top.admits({ timestamp, offset: firstOffset })) {
      page.more = true;
      break;
    }
    page.reportProgress(() => top.take({ timestamp, offset: firstOffset }));
    const image = context.reader.blockAt(firstOffset);
    if (image === undefined) continue;
    const views = blockViews(image);
    const isWanted = (index: number, time: bigint) => {
      const place = { timestamp: time, offset: firstOffset + index };
      if (after !== undefined && !before(after, place)) return false;
      if (top.admits(place)) return true;
      page.more = true;
      return false;
    };
    for (const index of entries.of(views, { isWanted })) top.add(found(image, views, index));
    page.scanned(image);
  }
  page.complete(top);
}

/** The blocks that a page may need: not those that former pages have used up. */
function planPage({ order, after }: Request<"query">, range: BlockRange, reader: BlockReader) {
  if (order === "newest") {
    const last = after !== undefined && after.timestamp < range.last ? after.timestamp : range.last;
    return reader.plan({ ...range, last }, "falling_greatest");
  }
  const start = after !== undefined && after.timestamp > range.start ? after.timestamp : range.start;
  return reader.plan({ ...range, start }, "rising_least");
}

/** What a query has done, for its progress. */
class PageReport {
  readonly #context: ScanContext;
  readonly #blocksTotal: number;
  #blocks = 0;
  #bytes = 0;
  #entries = 0;
  #matches = 0;
  #last: FoundEntry | undefined;
  #reportedAt = performance.now();
  /** There may be a next page. */
  more = false;

  constructor(context: ScanContext, range: BlockRange) {
    this.#context = context;
    this.#blocksTotal = context.reader.countBlocks(range);
  }

  scanned(image: BlockImage): void {
    this.#blocks++;
    this.#bytes += blockViews(image).bytes.length;
    this.#entries += image.count;
  }

  /** Sends what is certain by now, if it is time to. */
  reportProgress(takeCertain: () => FoundEntry[]): void {
    if (performance.now() - this.#reportedAt < progressIntervalMs) return;
    this.#send(takeCertain());
    this.#step(false);
    this.#reportedAt = performance.now();
  }

  complete(top: TopEntries): void {
    this.more ||= top.cut;
    this.#send(top.take());
    this.#step(true);
  }

  #send(entries: readonly FoundEntry[]): void {
    for (const chunk of chunkEntries(entries, limits.responseBytesMax)) {
      this.#context.step({ entries: packEntries(chunk) });
      this.#matches += chunk.length;
      this.#last = chunk.at(-1) ?? this.#last;
    }
  }

  #step(complete: boolean): void {
    const last = this.#last;
    const next =
      complete && this.more && last ? { timestamp: last.timestamp, offset: last.offset } : undefined;
    this.#context.step({
      progress: {
        // Blocks that were written or deleted meanwhile must not make the sum smaller than its parts.
        blocksTotal: Math.max(this.#blocksTotal, this.#blocks),
        blocksScanned: this.#blocks,
        blocksSkipped: 0,
        bytesScanned: this.#bytes,
        bytesSkipped: 0,
        entriesScanned: this.#entries,
        matches: this.#matches,
        next,
        complete,
      },
    });
  }
}

/** Searches backwards in the order of the log, for a tail's beginning. */
export function backlog(request: Request<"backlog">, context: ScanContext): void {
  const range = { ...rangeOf(request), watermark: request.watermark };
  const entries = new MatchingEntries(request.filter, range, context);
  const kept: FoundEntry[] = [];
  let bytes = 0;
  const isFull = () => kept.length >= request.limit || bytes >= limits.pageBytesMax;
  for (const { firstOffset } of context.reader.plan(range, "falling_offset")) {
    if (isFull()) break;
    const image = context.reader.blockAt(firstOffset);
    if (image === undefined) continue;
    const views = blockViews(image);
    for (const index of entries.of(views, { backwards: true })) {
      const entry = found(image, views, index);
      kept.push(entry);
      bytes += entry.bytes.length;
      if (isFull()) break;
    }
  }
  for (const chunk of chunkEntries(kept.reverse(), limits.responseBytesMax)) {
    context.step({ entries: packEntries(chunk) });
  }
}

/** An entry and its neighbours. */
export function around(request: Request<"around">, context: ScanContext): EntryChunk | undefined {
  const { offset, before, after, watermark } = request;
  const bytesMax = limits.pageBytesMax / 2;
  const middle = neighbours(context, { from: offset, to: offset, step: 1, bytesMax });
  if (middle.length === 0) return undefined;
  const earlier = neighbours(context, {
    from: offset - 1,
    to: Math.max(1, offset - before),
    step: -1,
    bytesMax,
  });
  const later = neighbours(context, {
    from: offset + 1,
    to: Math.min(watermark, offset + after),
    step: 1,
    bytesMax,
  });
  return packEntries([...earlier.reverse(), ...middle, ...later]);
}

/** The entries from one offset to another, as far as they are stored and fit. */
function neighbours(
  context: ScanContext,
  { from, to, step, bytesMax }: { from: number; to: number; step: 1 | -1; bytesMax: number },
): FoundEntry[] {
  const entries: FoundEntry[] = [];
  let bytes = 0;
  let image: BlockImage | undefined;
  for (let offset = from; (to - offset) * step >= 0 && bytes < bytesMax; offset += step) {
    if (image === undefined || offset < image.firstOffset || offset >= image.firstOffset + image.count) {
      context.checkWanted();
      image = context.reader.blockAt(offset);
      if (image === undefined) break;
    }
    const entry = found(image, blockViews(image), offset - image.firstOffset);
    entries.push(entry);
    bytes += entry.bytes.length;
  }
  return entries;
}

/** The offset of the first entry of a time or later. */
export function firstSince(
  { time, watermark }: Request<"first_since">,
  { reader }: ScanContext,
): number | undefined {
  const { start } = rangeOf({ start: time });
  for (;;) {
    const firstOffset = reader.firstBlockSince(start, watermark);
    if (firstOffset === undefined) return undefined;
    const image = reader.blockAt(firstOffset);
    // Undefined: retention has just deleted it, and the next one is asked for.
    if (image !== undefined) return firstOffset + blockViews(image).timestamps.findIndex((at) => at >= start);
  }
}

/** Counts by time and by a field's values. */
export function count(request: Request<"count">, context: ScanContext): Histogram {
  const { interval, buckets: bucketsMax, groupBy, groups, watermark } = request;
  const range = boundRange(rangeOf(request), request, context.reader);
  const isEmpty = range === undefined || range.start > range.last;
  const buckets = chooseBuckets(isEmpty ? { start: 0n, last: 0n } : range, interval, bucketsMax);
  const counter = new HistogramCounter(buckets, { groupBy, groups });
  if (isEmpty) return counter.result();
  const entries = new MatchingEntries(request.filter, range, context);
  do {
    for (const { firstOffset } of context.reader.plan({ ...range, watermark }, "falling_greatest")) {
      context.checkWanted();
      const head = context.reader.headAt(firstOffset);
      if (head === undefined) continue;
      const isCheap =
        entries.matchesAll && (groupBy === undefined || (groupBy === "level" && knowsLevels(head)));
      if (isCheap) countHead(head, { entries, counter, groupBy, reader: context.reader });
      else countEntries(head, { entries, counter, groupBy, reader: context.reader });
    }
  } while (counter.needsSecondScan());
  return counter.result();
}

interface Counting {
  readonly entries: MatchingEntries;
  readonly counter: HistogramCounter;
  readonly groupBy: string | undefined;
  readonly reader: BlockReader;
}

/** The range as far as there are entries, where the request leaves it open; undefined without entries. */
function boundRange(
  range: TimeRange,
  { start, end, watermark }: Request<"count">,
  reader: BlockReader,
): TimeRange | undefined {
  if (start !== undefined && end !== undefined) return range;
  const extremes = reader.extremes(watermark);
  return (
    extremes && {
      start: start === undefined ? extremes.least : range.start,
      last: end === undefined ? extremes.greatest : range.last,
    }
  );
}

/** True: the level of each of its entries follows from the severity. */
function knowsLevels(head: BlockHead): boolean {
  return !levelCountsOf(head).has(0);
}

/** Counts a block of which every entry in the range matches: from its head, or from its times and severities. */
function countHead(head: BlockHead, { entries, counter, groupBy, reader }: Counting): void {
  const nameOf = (severity: number) => (groupBy === undefined ? "" : levelOfSeverity(severity));
  if (entries.holdsAll(head)) {
    const bucket = counter.bucketAt(head.leastTimestamp);
    if (bucket === counter.bucketAt(head.greatestTimestamp)) {
      for (const [severity, entriesOf] of levelCountsOf(head))
        counter.add(nameOf(severity), bucket, entriesOf);
      return;
    }
  }
  const columns = reader.timesAndSeveritiesOf(head);
  if (columns === undefined) return;
  const { timestamps, severities } = columns;
  for (const index of entries.of({ timestamps, severities, ends: noEnds, bytes: noBytes })) {
    counter.add(nameOf(severities[index] ?? 0), counter.bucketAt(timestamps[index] ?? 0n));
  }
}

const noEnds = new Uint32Array();
const noBytes = new Uint8Array();

function countEntries(head: BlockHead, { entries, counter, groupBy, reader }: Counting): void {
  const image = reader.blockAt(head.firstOffset);
  if (image === undefined) return;
  const views = blockViews(image);
  const read = groupBy === undefined ? () => "" : fieldReader(groupBy);
  const entry = new EntryView(views.bytes);
  for (const index of entries.of(views)) {
    const value = groupBy === undefined ? "" : read(moveTo(entry, views.ends, index));
    counter.add(value, counter.bucketAt(views.timestamps[index] ?? 0n));
  }
}

/** A field's values, or the names of the fields. */
export function values(request: Request<"values">, context: ScanContext): FieldValues {
  const { field, prefix = "", limit, watermark } = request;
  const range = { ...rangeOf(request), watermark };
  const entries = new MatchingEntries(request.filter, range, context);
  const counter = new ValueCounter();
  const start = prefix.toLowerCase();
  const add = (value: string, times = 1) => {
    if (value !== "" && value.toLowerCase().startsWith(start)) counter.add(value, times);
  };
  const read = field === undefined ? undefined : fieldReader(field);
  for (const { firstOffset } of context.reader.plan(range, "falling_greatest")) {
    context.checkWanted();
    const head = context.reader.headAt(firstOffset);
    if (head === undefined) continue;
    if (field === "level" && entries.matchesAll && entries.holdsAll(head) && knowsLevels(head)) {
      for (const [severity, times] of levelCountsOf(head)) add(levelOfSeverity(severity), times);
      continue;
    }
    const image = context.reader.blockAt(firstOffset);
    if (image === undefined) continue;
    const views = blockViews(image);
    const entry = new EntryView(views.bytes);
    for (const index of entries.of(views)) {
      moveTo(entry, views.ends, index);
      if (read !== undefined) add(read(entry));
      else for (const name of fieldNames(entry)) add(name);
    }
  }
  return { values: counter.top(limit), distinct: counter.distinct, truncated: counter.truncated };
}

function moveTo(entry: EntryView, ends: Uint32Array, index: number): EntryView {
  return entry.moveTo(index === 0 ? 0 : (ends[index - 1] ?? 0), ends[index] ?? 0);
}

/** An entry with bytes of its own, so that it does not keep its whole block in memory. */
function found(image: BlockImage, views: BlockViews, index: number): FoundEntry {
  return {
    offset: image.firstOffset + index,
    timestamp: views.timestamps[index] ?? 0n,
    receivedAt: image.receivedAt,
    bytes: entryBytesAt(views, index).slice(),
  };
}
