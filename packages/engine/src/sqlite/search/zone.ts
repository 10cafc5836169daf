/**
 * Some thousand entries of a block that are searched together, with a mark for
 * each that is still in the running.
 */
import type { BlockColumns } from "../block-columns.ts";

/** Entries of a zone at the most. */
export const zoneEntriesMax = 16 * 1024;

/** Entries side by side: those of `columns` from index `from` to before `to`. */
export class Zone {
  readonly columns: BlockColumns;
  readonly from: number;
  readonly to: number;
  /** One an entry, from `from` on: 1 as long as it may pass, else 0. */
  readonly marks: Uint8Array;

  constructor(columns: BlockColumns, from: number, to: number, marks: Uint8Array) {
    this.columns = columns;
    this.from = from;
    this.to = to;
    this.marks = marks;
  }

  /** The same entries with other marks. */
  with(marks: Uint8Array): Zone {
    return new Zone(this.columns, this.from, this.to, marks);
  }

  /** How many entries are marked. */
  get marked(): number {
    let count = 0;
    for (const mark of this.marks) count += mark;
    return count;
  }

  /** True: none is marked. */
  get isEmpty(): boolean {
    return !this.marks.includes(1);
  }
}
