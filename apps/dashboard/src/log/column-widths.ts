/**
 * How wide the columns of the list are: as wide as the texts that were shown
 * need, so that rows stand below one another and below the columns' names.
 *
 * Columns only grow, until another question is asked: a column that became
 * narrower with every row that leaves would never stand still. Texts beyond a
 * column's greatest width end in an ellipsis; the details show them whole.
 */
import type { EntryRow } from "./log-entry-row.ts";
import type { RowLook } from "./row-look.ts";
import { columnText, rowTime } from "./row-text.ts";

/** Widths in characters, by the custom property that a style reads. */
export type Widths = ReadonlyMap<string, number>;

/** The least and the greatest width, in characters. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

const timeBounds: Bounds = { least: 12, most: 23 };
const levelBounds: Bounds = { least: 5, most: 9 };
const serviceBounds: Bounds = { least: 0, most: 20 };
const columnBounds: Bounds = { least: 3, most: 32 };

/** The custom property of a chosen column's width, by its place. */
export const columnWidthName = (place: number): string => `--log-column-${place}`;

/** The widths of one list. */
export class ColumnWidths {
  #widths = new Map<string, number>();
  #answer: number | undefined;
  #columns: readonly string[] = [];
  #timeZone = "";

  /**
   * The widths for rows that are about to be drawn. The same object as before
   * unless one of them changed.
   *
   * @param answer Another number for another question's rows.
   */
  widen(rows: readonly EntryRow[], look: RowLook, answer: number): Widths {
    const isOther = answer !== this.#answer || look.columns !== this.#columns;
    if (isOther || look.timeZone !== this.#timeZone) {
      this.#answer = answer;
      this.#columns = look.columns;
      this.#timeZone = look.timeZone;
      this.#widths = leastWidths(look.columns);
    }
    const wider = new Map<string, number>();
    const note = (name: string, length: number, { most }: Bounds): void => {
      const width = Math.min(most, length);
      if (width > (wider.get(name) ?? this.#widths.get(name) ?? 0)) wider.set(name, width);
    };
    for (const { entry } of rows) {
      note("--log-level", entry.level.length, levelBounds);
      note("--log-service", entry.service.length, serviceBounds);
      look.columns.forEach((column, place) => {
        note(columnWidthName(place), columnText(entry, column).length, columnBounds);
      });
    }
    // Rows are in the order of time, more or less: those between are no longer.
    for (const row of [rows[0], rows.at(-1)]) {
      if (row === undefined) continue;
      note("--log-time", rowTime(row.entry.timestamp, look.timeZone, look.today).length, timeBounds);
    }
    if (wider.size > 0) this.#widths = new Map([...this.#widths, ...wider]);
    return this.#widths;
  }
}

/** With chosen columns there are names above them, which must be seen as well. */
function leastWidths(columns: readonly string[]): Map<string, number> {
  const service =
    columns.length === 0 || columns.includes("service") ? serviceBounds.least : "service".length;
  return new Map([
    ["--log-time", timeBounds.least],
    ["--log-level", levelBounds.least],
    ["--log-service", service],
    ...columns.map((column, place): [string, number] => [
      columnWidthName(place),
      Math.min(columnBounds.most, Math.max(columnBounds.least, column.length)),
    ]),
  ]);
}
