/**
 * Some thousand entries of a block that are searched together, with a mark for
 * each that is still in the running.
 */
import type { BlockColumns } from "../block-columns.ts";
import { everyStripe, type Run, runsIn } from "../stripes.ts";

/** Entries of a zone at the most. */
export const zoneEntriesMax = 16 * 1024;

/** Entries side by side: those of `columns` from index `from` to before `to`. */
export class Zone {
  readonly columns: BlockColumns;
  readonly from: number;
  readonly to: number;
  /** One an entry, from `from` on: 1 as long as it may pass, else 0. */
  readonly marks: Uint8Array;
  /** Found once for all conditions: there may be thousands in a block. */
  readonly #runs: { found?: readonly Run[] };

  constructor(
    columns: BlockColumns,
    from: number,
    to: number,
    marks: Uint8Array,
    runs: { found?: readonly Run[] } = {},
  ) {
    this.columns = columns;
    this.from = from;
    this.to = to;
    this.marks = marks;
    this.#runs = runs;
  }

  /** The same entries with other marks. */
  with(marks: Uint8Array): Zone {
    return new Zone(this.columns, this.from, this.to, marks, this.#runs);
  }

  /** Its entries by where their texts lie. */
  get runs(): readonly Run[] {
    this.#runs.found ??= runsIn(this.columns.arrangement, this.from, this.to);
    return this.#runs.found;
  }

  /** Visits the runs that have marked entries, and tells how many. Stripes without any are not decoded. */
  forEachMarkedRun(visit: (run: Run, marked: number) => void): void {
    const { marks, from } = this;
    for (const run of this.runs) {
      const { indexes } = run;
      let marked = 0;
      for (let at = 0; at < indexes.length; at++) marked += marks[(indexes[at] ?? 0) - from] ?? 0;
      if (marked > 0) visit(run, marked);
    }
  }

  /** Clears the marks of the entries that are not in one of these stripes. */
  keepStripes(stripes: number): void {
    if (stripes === everyStripe) return;
    for (const { stripe, indexes } of this.runs) {
      if ((stripes & (1 << stripe)) !== 0) continue;
      for (let at = 0; at < indexes.length; at++) this.marks[(indexes[at] ?? 0) - this.from] = 0;
    }
  }

  /** True: none is marked. */
  get isEmpty(): boolean {
    return !this.marks.includes(1);
  }
}
