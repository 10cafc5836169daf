/** How all rows of a list are drawn. */

/** The same object as long as nothing of it changes: rows are not drawn anew before. */
export interface RowLook {
  /** Of chosen attributes; "level" and "service" may be among them. */
  readonly columns: readonly string[];
  readonly wrap: boolean;
  readonly timeZone: string;
  /** As `formatDay` has it. */
  readonly today: string;
}
