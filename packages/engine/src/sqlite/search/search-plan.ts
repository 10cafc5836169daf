/**
 * What a search has to look at: ranges of offsets, each of one block at the
 * time of planning, which is within one turn.
 *
 * Merging joins whole blocks, so a range lies in one block later on too, and is
 * looked for there: nothing is missed or comes twice. What retention has
 * deleted meanwhile is gone. A plan takes 36 bytes a block.
 */
import type { TimeRange } from "../../scan/selection-range.ts";
import type { BlockReader } from "../block-reader.ts";

/** Which blocks: those that overlap the range of time, up to an offset. */
export interface PlannedSelection extends TimeRange {
  /** Entries behind it are not looked at. */
  readonly watermark: number;
}

/** The orders in which a plan visits blocks. */
export type PlanOrder = "falling_greatest" | "rising_least" | "falling_offset";

/** Entries side by side, of one block. */
export interface PlannedRange {
  readonly first: number;
  readonly last: number;
  /** How many entries the block had. */
  readonly count: number;
  /** The block's, when it was planned. */
  readonly leastTimestamp: bigint;
  readonly greatestTimestamp: bigint;
  readonly rawBytes: number;
  /** True: the block goes on behind the watermark, so that its times may be those of entries that are not looked at. */
  readonly isClipped: boolean;
}

const orderings: Readonly<Record<PlanOrder, string>> = {
  falling_greatest: "greatest_timestamp DESC, first_offset DESC",
  rising_least: "least_timestamp, first_offset",
  falling_offset: "first_offset DESC",
};

/** How many ranges there is room for at first. */
const rangesAtFirst = 256;

/** The ranges of a search, in its order. */
export class SearchPlan {
  #count = 0;
  #firsts = new Float64Array(rangesAtFirst);
  #counts = new Uint32Array(rangesAtFirst);
  #least = new BigInt64Array(rangesAtFirst);
  #greatest = new BigInt64Array(rangesAtFirst);
  #rawBytes = new Float64Array(rangesAtFirst);
  readonly #watermark: number;
  /** Blocks that are not in it, and their raw bytes: no entry of theirs is in the range of time. */
  readonly outside: { readonly blocks: number; readonly rawBytes: number };

  constructor(reader: BlockReader, selection: PlannedSelection, order: PlanOrder) {
    const { start, last, watermark } = selection;
    this.#watermark = watermark;
    let bytes = 0;
    const rows = reader.prepare(
      `SELECT first_offset AS first, count, least_timestamp AS least, greatest_timestamp AS greatest,
         raw_bytes AS bytes
       FROM blocks WHERE greatest_timestamp >= ? AND least_timestamp <= ? AND first_offset <= ?
       ORDER BY ${orderings[order]}`,
    );
    for (const row of rows.iterate(start, last, watermark)) bytes += this.#add(row);
    const stored = reader.prepare("SELECT blocks, raw_bytes AS bytes FROM log").get() ?? {};
    this.outside = {
      blocks: Math.max(0, Number(stored["blocks"]) - this.#count),
      rawBytes: Math.max(0, Number(stored["bytes"]) - bytes),
    };
  }

  /** How many ranges it has. */
  get length(): number {
    return this.#count;
  }

  /** The ranges, in order. */
  *[Symbol.iterator](): Generator<PlannedRange, void, undefined> {
    for (let index = 0; index < this.#count; index++) yield this.#at(index);
  }

  #at(index: number): PlannedRange {
    const first = this.#firsts[index] ?? 0;
    const last = first + (this.#counts[index] ?? 0) - 1;
    return {
      first,
      last: Math.min(last, this.#watermark),
      count: last - first + 1,
      leastTimestamp: this.#least[index] ?? 0n,
      greatestTimestamp: this.#greatest[index] ?? 0n,
      rawBytes: this.#rawBytes[index] ?? 0,
      isClipped: last > this.#watermark,
    };
  }

  /** Adds a block and returns its bytes. */
  #add(row: Record<string, unknown>): number {
    const index = this.#count;
    if (index === this.#firsts.length) this.#grow();
    this.#firsts[index] = Number(row["first"]);
    this.#counts[index] = Number(row["count"]);
    this.#least[index] = timeOf(row["least"]);
    this.#greatest[index] = timeOf(row["greatest"]);
    this.#rawBytes[index] = Number(row["bytes"]);
    this.#count = index + 1;
    return this.#rawBytes[index] ?? 0;
  }

  #grow(): void {
    const length = this.#firsts.length * 2;
    const grown = <Column extends { set(other: Column): void }>(column: Column, larger: Column): Column => {
      larger.set(column);
      return larger;
    };
    this.#firsts = grown(this.#firsts, new Float64Array(length));
    this.#counts = grown(this.#counts, new Uint32Array(length));
    this.#least = grown(this.#least, new BigInt64Array(length));
    this.#greatest = grown(this.#greatest, new BigInt64Array(length));
    this.#rawBytes = grown(this.#rawBytes, new Float64Array(length));
  }
}

/** The table is STRICT: an INTEGER column holds nothing else. */
function timeOf(value: unknown): bigint {
  return typeof value === "bigint" ? value : 0n;
}
