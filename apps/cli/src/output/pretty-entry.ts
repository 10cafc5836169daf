/**
 * An entry for people:
 *
 *   2026-11-22 10:36:40.123 ERROR checkout  payment failed  status=502 err.stack=…
 *       the message's further lines, indented
 */
import type { StoredEntry } from "@logsvc/proto";
import { formatTime } from "./format-time.ts";
import { neutralise, neutraliseLine } from "./neutralise.ts";
import { createLevelPaints, createPaint, type LevelStyles } from "./paint.ts";

/** How to show entries. */
export interface PrettyOptions {
  /** Colours by level. */
  readonly color: boolean;
  /** Times in UTC, with a Z. False: in the local zone (the variable TZ). */
  readonly utc: boolean;
}

/** Shows an entry, line feed included. */
export type PrettyPrinter = (stored: StoredEntry) => string;

/** The width of the six known levels. */
const levelWidth = 5;

const indent = "    ";

const levelStyles: LevelStyles = {
  fatal: ["bold", "white", "bgRed"],
  error: "red",
  warn: "yellow",
  info: "green",
  low: "dim",
};

/** Creates a printer. */
export function createPrettyPrinter(options: PrettyOptions): PrettyPrinter {
  const dim = createPaint("dim", options.color);
  const serviceColor = createPaint("cyan", options.color);
  const levelPaints = createLevelPaints(levelStyles, options.color);
  return ({ entry }) => {
    if (entry === undefined) return "\n";
    const level = neutraliseLine(entry.level).padEnd(levelWidth);
    const head = `${dim(formatTime(entry.timestamp, options.utc))} ${levelPaints(entry.level)(level)}`;
    const service = entry.service === "" ? "" : ` ${serviceColor(neutraliseLine(entry.service))} `;
    const [first = "", ...further] = neutralise(entry.message).split("\n");
    const attributes = fieldsOf(entry)
      .map(([key, value]) => ` ${dim(`${neutraliseLine(key)}=${quote(neutralise(value))}`)}`)
      .join("");
    const lines = [`${head}${service} ${first}${attributes === "" ? "" : ` ${attributes}`}`];
    for (const line of further) lines.push(indent + line);
    return `${lines.join("\n")}\n`;
  };
}

/** The attributes in the order of their names, as a map has none, and the ids at the end. */
function fieldsOf(entry: NonNullable<StoredEntry["entry"]>): [string, string][] {
  const fields = Object.entries(entry.attributes).sort(([one], [other]) => (one < other ? -1 : 1));
  if (entry.traceId !== "") fields.push(["trace_id", entry.traceId]);
  if (entry.spanId !== "") fields.push(["span_id", entry.spanId]);
  return fields;
}

/** As it is where it is one word, else as JSON, which also keeps it on one line. */
function quote(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value).replaceAll("\\\\", "\\");
}
