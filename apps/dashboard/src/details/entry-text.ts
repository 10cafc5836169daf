/** An entry as text to take elsewhere: to a chat, a file, a terminal. */
import { entryToJson, formatTimestamp, type StoredEntry } from "@logsvc/client-web";
import type { EntryRow } from "../log/log-entry-row.ts";
import { stripAnsi } from "../message/ansi.ts";

/** As a person reads it: the line that `logsvc query` would print, with every field, and without colours. */
export function entryText({ entry }: EntryRow): string {
  const { timestamp, level, service, message, traceId, spanId, attributes } = entry;
  const fields = [
    ...(traceId === "" ? [] : [["trace_id", traceId] as const]),
    ...(spanId === "" ? [] : [["span_id", spanId] as const]),
    ...Object.entries(attributes),
  ].map(([name, value]) => `${name}=${/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`);
  const head = [formatTimestamp(timestamp), level, ...(service === "" ? [] : [service])].join(" ");
  const text = stripAnsi(message);
  // What belongs to the entry as a whole would be lost at the end of its last line.
  const rest = fields.join(" ");
  if (rest === "") return `${head} ${text}`;
  return text.includes("\n") ? `${head} ${text}\n${rest}` : `${head} ${text} ${rest}`;
}

/** As a line of NDJSON: what an export writes, and `logsvc import` reads. */
export function entryNdjson({ id, entry, receivedAt }: EntryRow): string {
  const stored: StoredEntry = { $typeName: "logsvc.StoredEntry", id, entry, receivedAt };
  return JSON.stringify(entryToJson(stored));
}

/** Entries around, as both commands ask for them: ten before, ten after. */
const aroundLimit = 21;

/** A line for a shell that gets the entry with its neighbours, for jq. */
export function curlCommand(id: string, url: string, hasToken: boolean): string {
  const token = hasToken ? ` -H "authorization: Bearer $LOGSVC_TOKEN"` : "";
  const query = new URLSearchParams({ around: id, limit: String(aroundLimit) });
  return `curl -s${token} ${shellWord(`${url}/query?${query}`)}`;
}

/** The command line's own. */
export function logsvcCommand(id: string, url: string): string {
  return `logsvc query --around ${shellWord(id)} --limit ${aroundLimit} --url ${shellWord(url)}`;
}

/** A text as one word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
