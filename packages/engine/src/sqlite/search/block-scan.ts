/**
 * The way of every search through its plan: a range after another, each in
 * zones, from the end that the search wants first. Blocks that can't hold a
 * match are skipped, what is left is narrowed to the entries that match.
 *
 * Between zones it looks whether the search is still wanted, and whether its
 * turn is over. Then it pauses, without a block in hand, and goes on in
 * whatever block holds the rest of the range by then.
 */
import type { FilterNode } from "@logsvc/filter";
import type { TimeRange } from "../../scan/selection-range.ts";
import type { BlockColumns } from "../block-columns.ts";
import type { BlockHead, StoredHead } from "../block-format.ts";
import { everyStripe } from "../stripes.ts";
import { BlockFilter } from "./block-filter.ts";
import { compileSkipping, type StripeTest } from "./block-skipping.ts";
import type { SearchContext } from "./search-context.ts";
import type { PlannedRange } from "./search-plan.ts";
import { Zone, zoneEntriesMax } from "./zone.ts";

/** Entries of the first zone: few, since a search with a limit may need no more, or one entry may take milliseconds. */
const zoneEntriesAtFirst = 256;

/** Entries of a zone at the least, for filters that take milliseconds an entry. */
const zoneEntriesMin = 8;

/** Zones grow while they take less than the one, and shrink when they take more than the other. */
const zoneMsMin = 2;
const zoneMsMax = 8;

/** What a search does with what it comes upon. */
export interface BlockVisitor {
  /**
   * Asked before anything but the head is read; true: that was enough.
   *
   * @param isWhole Whether all of the block's entries are looked at, and lie in the range of time.
   */
  takeHead?(head: BlockHead, isWhole: boolean): boolean;
  /** Asked before a zone is searched; false: nothing in it is wanted. */
  wants?(columns: BlockColumns, from: number, to: number): boolean;
  /** Takes the matches of a zone; true: the rest of the range is not wanted. */
  take(zone: Zone): boolean;
}

/** Goes through ranges, and counts what that took. */
export class BlockScan {
  readonly #context: SearchContext;
  readonly #range: TimeRange;
  readonly #backwards: boolean;
  readonly #filter: BlockFilter;
  readonly #skipping: StripeTest | undefined;
  /** The stripes that may have a match, of the block that was looked at last. */
  #stripes = { headCrc: -1, firstOffset: -1, set: everyStripe };
  readonly #marks = new Uint8Array(zoneEntriesMax);
  #zoneEntries = zoneEntriesAtFirst;
  blocksScanned = 0;
  blocksSkipped = 0;
  bytesScanned = 0;
  bytesSkipped = 0;
  entriesScanned = 0;

  /** @param options.backwards Whether the entries of a block are wanted from the last to the first. */
  constructor(
    context: SearchContext,
    options: { readonly filter: FilterNode; readonly range: TimeRange; readonly backwards: boolean },
  ) {
    this.#context = context;
    this.#range = options.range;
    this.#backwards = options.backwards;
    this.#filter = new BlockFilter(options.filter, () => context.checkWanted());
    this.#skipping = compileSkipping(options.filter, context.reader);
  }

  /** True: every entry in the range of time matches. */
  get matchesAll(): boolean {
    return this.#filter.matchesAll;
  }

  /** Scans one range of the plan. */
  *scan(range: PlannedRange, visitor: BlockVisitor): Generator<void, void, void> {
    const left = { first: range.first, last: range.last };
    if (this.#begin(range, visitor)) {
      this.#takeTurn(range, left, visitor);
      while (left.first <= left.last) {
        yield;
        this.#takeTurn(range, left, visitor);
      }
    }
    // Also where blocks are only skipped, one after another.
    if (this.#context.isTurnOver()) yield;
  }

  /** Looks at a range's head; whether there is more to do. */
  #begin(range: PlannedRange, visitor: BlockVisitor): boolean {
    this.#context.checkWanted();
    const head = this.#context.reader.headAt(range.first);
    if (head === undefined) return false;
    if (this.#stripesOf(head) === 0) {
      this.blocksSkipped++;
      this.bytesSkipped += range.rawBytes;
      return false;
    }
    this.blocksScanned++;
    const hasAll = head.firstOffset === range.first && head.firstOffset + head.count === range.last + 1;
    return visitor.takeHead?.(head, hasAll && this.#holds(range)) !== true;
  }

  /** The stripes of a block that may have a match; in the turn in which its head was read. */
  #stripesOf(head: StoredHead): number {
    if (this.#skipping === undefined) return everyStripe;
    const { headCrc, firstOffset } = head;
    // A later turn may find the range in another block than the first one did.
    if (this.#stripes.headCrc !== headCrc || this.#stripes.firstOffset !== firstOffset)
      this.#stripes = { headCrc, firstOffset, set: this.#skipping(head) };
    return this.#stripes.set;
  }

  /** Scans what is left of a range, until it is done or the turn is over. */
  #takeTurn(range: PlannedRange, left: { first: number; last: number }, visitor: BlockVisitor): void {
    const columns = this.#context.reader.columnsAt(left.first);
    if (columns === undefined) {
      left.first = left.last + 1;
      return;
    }
    const { firstOffset } = columns.head;
    while (left.first <= left.last) {
      this.#context.checkWanted();
      const from = this.#backwards ? Math.max(left.first, left.last + 1 - this.#zoneEntries) : left.first;
      const to = this.#backwards ? left.last + 1 : Math.min(left.last + 1, left.first + this.#zoneEntries);
      if (this.#scanZone(range, visitor, columns, from - firstOffset, to - firstOffset))
        left.first = left.last + 1;
      else if (this.#backwards) left.last = from - 1;
      else left.first = to;
      if (this.#context.isTurnOverdue()) return;
    }
  }

  #scanZone(
    range: PlannedRange,
    visitor: BlockVisitor,
    columns: BlockColumns,
    from: number,
    to: number,
  ): boolean {
    if (visitor.wants?.(columns, from, to) === false) return false;
    const began = performance.now();
    const zone = new Zone(columns, from, to, this.#marks.subarray(0, to - from));
    this.#markRange(range, zone);
    zone.keepStripes(this.#stripesOf(columns.head));
    if (!zone.isEmpty) this.#filter.narrow(zone);
    const isDone = !zone.isEmpty && visitor.take(zone);
    this.#fitZones(performance.now() - began);
    this.#count(range, from + columns.head.firstOffset, to + columns.head.firstOffset);
    return isDone;
  }

  /** Marks the entries in the range of time. */
  #markRange(range: PlannedRange, { marks, columns, from }: Zone): void {
    if (this.#holds(range)) {
      marks.fill(1);
      return;
    }
    const { start, last } = this.#range;
    const { timestamps } = columns;
    for (let at = 0; at < marks.length; at++) {
      const time = timestamps[from + at] ?? 0n;
      marks[at] = time >= start && time <= last ? 1 : 0;
    }
  }

  /** True: the range of time holds all entries of a planned range. */
  #holds({ leastTimestamp, greatestTimestamp }: PlannedRange): boolean {
    return leastTimestamp >= this.#range.start && greatestTimestamp <= this.#range.last;
  }

  #fitZones(tookMs: number): void {
    if (tookMs < zoneMsMin) this.#zoneEntries = Math.min(zoneEntriesMax, this.#zoneEntries * 2);
    else if (tookMs > zoneMsMax) this.#zoneEntries = Math.max(zoneEntriesMin, this.#zoneEntries >>> 1);
  }

  /** Counts a zone's share of its block's bytes, so that the shares of all zones make the whole. */
  #count(range: PlannedRange, from: number, to: number): void {
    const bytesPerEntry = range.rawBytes / range.count;
    const bytesUpTo = (offset: number) => Math.round((offset - range.first) * bytesPerEntry);
    this.bytesScanned += bytesUpTo(to) - bytesUpTo(from);
    this.entriesScanned += to - from;
  }
}

/** The offset, timestamp and bytes of an entry that was found. */
export function foundAt(columns: BlockColumns, index: number) {
  return {
    offset: columns.head.firstOffset + index,
    timestamp: columns.timestamps[index] ?? 0n,
    receivedAt: columns.receivedAt(index),
    bytes: columns.entryBytesAt(index),
  };
}
