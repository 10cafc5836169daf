/**
 * Everything that a view shows, as a file: all entries that match its filter in
 * its range, oldest first, however many.
 *
 * What is exported is what was stored when it was asked for (`snapshotOf`).
 * Nothing is left out in silence: where a file had to end before its entries
 * did, the result says so.
 */
import { entryToJson, type LogClient, type StoredEntry } from "@logsvc/client-web";
import type { ViewRange } from "../view/view-state.ts";
import { type CsvColumns, csvHeader, csvLines } from "./csv.ts";

/** The forms of a file. */
export type ExportFormat =
  /** An entry a line, as `logsvc import` and jq read it. */
  { readonly kind: "ndjson" } | { readonly kind: "csv"; readonly columns: CsvColumns };

/** Where the file goes, piece by piece. */
export interface ExportSink {
  /** How much it takes, in bytes; Infinity: no bound of its own. */
  readonly bytesMax: number;
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The file is whole, or as whole as it gets. */
  close(): Promise<void>;
  /** Throws away what was written. */
  abort(): Promise<void>;
}

/** What to export. */
export interface ExportRequest {
  readonly filter: string;
  readonly start?: bigint;
  readonly end: bigint;
  readonly format: ExportFormat;
}

/** How far it is. */
export interface ExportProgress {
  readonly entries: number;
  readonly bytes: number;
}

/** How it ended. */
export interface ExportResult extends ExportProgress {
  /** False: the sink's bound was reached, and the entries from here on are not in the file. */
  readonly complete: boolean;
}

/** What an export is of: a filter and a range with an end. */
export type ExportSelection = Omit<ExportRequest, "format">;

/**
 * What a view shows now, with an end: just after the newest entry that it has,
 * by the log's own times. So neither a clock that differs from the server's
 * leaves something out, nor does an export run after entries that still come.
 * Undefined: there is nothing.
 *
 * @throws ConnectError as QueryLogs does.
 */
export async function snapshotOf(
  client: Pick<LogClient, "query">,
  view: { readonly filter: string; readonly range: ViewRange },
  nowMs: number,
  signal: AbortSignal,
): Promise<ExportSelection | undefined> {
  const selection = { filter: view.filter, ...boundsOf(view.range, nowMs) };
  for await (const [newest] of client.query({ ...selection, order: "newest", limit: 1, signal }).batches()) {
    if (newest?.entry !== undefined) return { ...selection, end: newest.entry.timestamp + 1n };
  }
  return undefined;
}

/** A range at a moment, as the API has it. */
export function boundsOf(range: ViewRange, nowMs: number): { start?: bigint; end?: bigint } {
  switch (range.kind) {
    case "live":
      return {};
    case "last":
      return { start: BigInt(Math.floor(nowMs - range.durationMs)) * 1_000_000n };
    case "between":
      return { start: range.start, end: range.end };
    default:
      return range satisfies never;
  }
}

/**
 * Writes the file. Reads a page only when the one before is written, so it
 * holds one response in memory, whatever the size of the file.
 *
 * @throws ConnectError as QueryLogs does, whatever the sink throws, and the
 *   signal's reason. The sink is aborted by then.
 */
export async function exportEntries(
  client: Pick<LogClient, "query">,
  request: ExportRequest,
  sink: ExportSink,
  onProgress: (progress: ExportProgress) => void,
  signal: AbortSignal,
): Promise<ExportResult> {
  const { format, ...selection } = request;
  const encoder = new TextEncoder();
  const query = client.query({ ...selection, order: "oldest", limit: Number.POSITIVE_INFINITY, signal });
  let entries = 0;
  let bytes = 0;
  let complete = true;
  const put = async (text: string): Promise<boolean> => {
    const piece = encoder.encode(text);
    if (bytes + piece.length > sink.bytesMax) return false;
    await sink.write(piece);
    bytes += piece.length;
    return true;
  };
  try {
    if (format.kind === "csv") complete = await put(csvHeader(format.columns));
    for await (const batch of query.batches()) {
      signal.throwIfAborted();
      complete = complete && (await put(textOf(batch, format)));
      if (!complete) break;
      entries += batch.length;
      onProgress({ entries, bytes });
    }
    signal.throwIfAborted();
    await sink.close();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  return { entries, bytes, complete };
}

function textOf(batch: readonly StoredEntry[], format: ExportFormat): string {
  if (format.kind === "csv") return csvLines(batch, format.columns);
  return batch.map((stored) => `${JSON.stringify(entryToJson(stored))}\n`).join("");
}

/** The file's name: `logsvc-20261122T093640Z.ndjson`. */
export function exportName(format: ExportFormat["kind"], nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `logsvc-${time}.${format}`;
}
