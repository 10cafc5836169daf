/**
 * Counts by time and by a field's values, in bounded memory.
 *
 * Which values are the most frequent is known only at the end. As long as the
 * values are few, each has its own counts from the start; when they are many,
 * only their totals are counted, and a second scan counts the chosen ones.
 */
import { severityOf } from "@logsvc/proto";
import type { Histogram, HistogramSeries } from "../engine.ts";
import type { Buckets } from "./histogram-buckets.ts";
import { ValueCounter } from "./value-counter.ts";

/** Counts kept at the most, for all values together: 8 MB. */
const cellsMax = 1_000_000;

/** How a histogram is grouped. */
export interface Grouping {
  /** The field's name; undefined: no grouping. */
  readonly groupBy: string | undefined;
  /** How many series at the most, without the one for the rest. */
  readonly groups: number;
}

/** Counts entries, in one scan or in two. */
export class HistogramCounter {
  readonly #buckets: Buckets;
  readonly #grouping: Grouping;
  readonly #all: Float64Array;
  readonly #totals = new ValueCounter();
  readonly #cells = new Map<string, Float64Array>();
  /** first: all is counted. given_up: too many values, totals only. second: the chosen values alone. */
  #phase: "first" | "given_up" | "second" = "first";
  /** The bucket of the last entry: the next one is mostly in the same. */
  #bucket = 0;
  #bucketStart: bigint;
  #bucketEnd: bigint;

  constructor(buckets: Buckets, grouping: Grouping) {
    this.#buckets = buckets;
    this.#grouping = grouping;
    this.#all = new Float64Array(buckets.count);
    this.#bucketStart = buckets.start;
    this.#bucketEnd = buckets.start + buckets.interval;
  }

  /** The bucket that a time in the range lies in. */
  bucketAt(time: bigint): number {
    if (time < this.#bucketStart || time >= this.#bucketEnd) {
      const { start, interval } = this.#buckets;
      const bucket = (time - start) / interval;
      this.#bucket = Number(bucket);
      this.#bucketStart = start + bucket * interval;
      this.#bucketEnd = this.#bucketStart + interval;
    }
    return this.#bucket;
  }

  /** Counts `count` entries of a value in a bucket. */
  add(value: string, bucket: number, count = 1): void {
    this.#all[bucket] = (this.#all[bucket] ?? 0) + count;
    if (this.#phase !== "second" && !this.#totals.add(value, count)) return;
    const cells = this.#cells.get(value) ?? this.#addCells(value);
    if (cells !== undefined) cells[bucket] = (cells[bucket] ?? 0) + count;
  }

  /** After a scan: whether a second one over the same entries is needed. */
  needsSecondScan(): boolean {
    if (this.#phase !== "given_up") return false;
    this.#phase = "second";
    // Counted anew as well, since retention may have deleted entries meanwhile.
    this.#all.fill(0);
    for (const value of this.#chosen()) this.#cells.set(value, new Float64Array(this.#buckets.count));
    return true;
  }

  result(): Histogram {
    const series = this.#chosen().map((value) =>
      seriesOf(value, this.#cells.get(value) ?? new Float64Array()),
    );
    if (this.#grouping.groupBy === "level") series.sort((a, b) => severityOf(b.value) - severityOf(a.value));
    const rest = this.#all.slice();
    for (const { counts } of series)
      for (const [bucket, count] of counts.entries()) rest[bucket] = (rest[bucket] ?? 0) - count;
    const other = { ...seriesOf("", rest), other: true };
    return {
      start: this.#buckets.start,
      interval: this.#buckets.interval,
      series: other.total > 0 ? [...series, other] : series,
      total: sum(this.#all),
    };
  }

  #chosen(): string[] {
    const groups = this.#grouping.groupBy === undefined ? 1 : this.#grouping.groups;
    return this.#totals.top(groups).map(({ value }) => value);
  }

  #addCells(value: string): Float64Array | undefined {
    if (this.#phase !== "first") return undefined;
    if ((this.#cells.size + 1) * this.#buckets.count > Math.max(cellsMax, this.#buckets.count)) {
      this.#phase = "given_up";
      this.#cells.clear();
      return undefined;
    }
    const cells = new Float64Array(this.#buckets.count);
    this.#cells.set(value, cells);
    return cells;
  }
}

function seriesOf(value: string, counts: Float64Array): HistogramSeries {
  return { value, counts: Array.from(counts), total: sum(counts), other: false };
}

function sum(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
