/**
 * What the list shows, row by row: a stored entry, or a place where entries
 * are missing.
 */
import type { LogEntry, StoredEntry } from "@logsvc/client-web";

/** One stored entry. */
export interface EntryRow {
  readonly kind: "entry";
  readonly id: string;
  readonly entry: LogEntry;
  /** When the server accepted it, Unix nanoseconds. */
  readonly receivedAt: bigint;
}

/** Entries that were deleted before this page had read them: those after `from` up to and with `to`. */
export interface GapRow {
  readonly kind: "gap";
  readonly from: string;
  readonly to: string;
  /** How many, matching or not. */
  readonly count: number;
  readonly key: string;
}

/** A row of the list. */
export type LogRow = EntryRow | GapRow;

/** An entry of the API as a row. The API's entry is always there; its type allows that it is not. */
export function toEntryRow(stored: StoredEntry): EntryRow {
  const { id, entry, receivedAt } = stored;
  if (entry === undefined) throw new TypeError(`the server sent ${id} without its entry`);
  return { kind: "entry", id, entry, receivedAt };
}

/** A gap as a row. */
export function toGapRow(gap: Omit<GapRow, "kind" | "key">): GapRow {
  const { from, to, count } = gap;
  return { kind: "gap", from, to, count, key: `${from}-${to}` };
}
