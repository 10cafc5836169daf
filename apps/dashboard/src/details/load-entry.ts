/** An entry by its id, for a link to one that no list holds. */
import { Code, ConnectError, type LogClient } from "@logsvc/client-web";
import { type EntryRow, toEntryRow } from "../log/log-entry-row.ts";

/** What an id leads to. */
export type LoadedEntry =
  | { readonly kind: "found"; readonly row: EntryRow }
  /** It was in this log and is not any more, or not yet. */
  | { readonly kind: "gone" }
  /** Not an id of this log: of another one, or cut off. */
  | { readonly kind: "unknown" };

/**
 * Asks for an entry.
 *
 * @throws ConnectError for every reason that is not the id's.
 */
export async function loadEntry(
  client: Pick<LogClient, "around">,
  id: string,
  signal?: AbortSignal,
): Promise<LoadedEntry> {
  try {
    const entries = await client.around(id, { limit: 1, ...(signal && { signal }) });
    const stored = entries.find((entry) => entry.id === id);
    return stored === undefined ? { kind: "gone" } : { kind: "found", row: toEntryRow(stored) };
  } catch (error) {
    const { code } = ConnectError.from(error);
    if (code === Code.NotFound) return { kind: "gone" };
    if (code === Code.OutOfRange) return { kind: "unknown" };
    throw error;
  }
}
