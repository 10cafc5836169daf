/** The entry whose details are open: one of the list's rows, or asked of the server when a link names another. */
import { Code, ConnectError, type LogClient } from "@logsvc/client-web";
import { useEffect, useState } from "react";
import { type EntryRow, toEntryRow } from "../log/log-entry-row.ts";
import type { LogSource } from "../log/log-source.ts";
import { reasonText } from "./connection-text.ts";

/** How it stands. */
export type SelectedEntry =
  | { readonly kind: "none" }
  | { readonly kind: "loading"; readonly id: string }
  | { readonly kind: "here"; readonly id: string; readonly row: EntryRow }
  | { readonly kind: "failed"; readonly id: string; readonly reason: string };

/** An entry and its nearest neighbours: the server gives no entry alone. */
const neighbours = 3;

/** Finds the entry of an id. */
export function useSelectedEntry(
  client: LogClient,
  source: LogSource,
  id: string | undefined,
): SelectedEntry {
  const [found, setFound] = useState<SelectedEntry>({ kind: "none" });
  useEffect(() => {
    if (id === undefined) return undefined;
    const row = rowOf(source, id);
    if (row !== undefined) {
      setFound({ kind: "here", id, row });
      return undefined;
    }
    setFound({ kind: "loading", id });
    const stop = new AbortController();
    void fetchEntry(client, id, stop.signal).then((entry) => {
      if (!stop.signal.aborted) setFound(entry);
    });
    return () => stop.abort();
  }, [client, source, id]);
  if (id === undefined) return { kind: "none" };
  // In the frame in which another one is selected, it is most often here.
  if (found.kind === "none" || found.id !== id) {
    const row = rowOf(source, id);
    return row === undefined ? { kind: "loading", id } : { kind: "here", id, row };
  }
  return found;
}

function rowOf({ buffer }: LogSource, id: string): EntryRow | undefined {
  const position = buffer.positionOfId(id);
  const row = position === undefined ? undefined : buffer.at(position);
  return row?.kind === "entry" ? row : undefined;
}

async function fetchEntry(client: LogClient, id: string, signal: AbortSignal): Promise<SelectedEntry> {
  try {
    const entries = await client.around(id, { limit: neighbours, signal });
    const stored = entries.find((entry) => entry.id === id);
    if (stored !== undefined) return { kind: "here", id, row: toEntryRow(stored) };
    return { kind: "failed", id, reason: goneText };
  } catch (reason) {
    const error = ConnectError.from(reason);
    if (error.code === Code.NotFound) return { kind: "failed", id, reason: goneText };
    if (error.code === Code.OutOfRange) return { kind: "failed", id, reason: "It is of another log." };
    return { kind: "failed", id, reason: reasonText(error) };
  }
}

const goneText = "It is no longer in the log: retention has deleted it.";
