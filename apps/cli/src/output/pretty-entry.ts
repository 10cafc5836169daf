/**
 * An entry for people:
 *
 *   2026-11-22 10:36:40.123 ERROR checkout  payment failed  status=502 err.stack=…
 *       the message's further lines, indented
 */
import { styleText } from "node:util";
import { type StoredEntry, severityOf } from "@logsvc/proto";
import { neutralise, neutraliseLine } from "./neutralise.ts";

/** How to show entries. */
export interface PrettyOptions {
  /** Colours by level. */
  readonly color: boolean;
  /** Times in UTC, with a Z. False: in the local zone (the variable TZ). */
  readonly utc: boolean;
}

/** Shows an entry, line feed included. */
export type PrettyPrinter = (stored: StoredEntry) => string;

type Paint = (text: string) => string;
type Style = Parameters<typeof styleText>[0];

/** The width of the six known levels. */
const levelWidth = 5;

const indent = "    ";

const nanosecondsPerMillisecond = 1_000_000n;

/** Creates a printer. */
export function createPrettyPrinter(options: PrettyOptions): PrettyPrinter {
  const paintOf = (style: Style): Paint => (options.color ? createPaint(style) : (text) => text);
  const dim = paintOf("dim");
  const serviceColor = paintOf("cyan");
  const levelColors = createLevelColors(paintOf);
  return ({ entry }) => {
    if (entry === undefined) return "\n";
    const level = neutraliseLine(entry.level).padEnd(levelWidth);
    const head = `${dim(formatTime(entry.timestamp, options.utc))} ${levelColors(entry.level)(level)}`;
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

/** Finds a style's codes once: asking for them with each entry is most of the cost. */
function createPaint(style: Style): Paint {
  const [open = "", close = ""] = styleText(style, "\0", { validateStream: false }).split("\0");
  return (text) => `${open}${text}${close}`;
}

function createLevelColors(paintOf: (style: Style) => Paint): (level: string) => Paint {
  const plain: Paint = (text) => text;
  const fatal = paintOf(["bold", "white", "bgRed"]);
  const error = paintOf("red");
  const warn = paintOf("yellow");
  const low = paintOf("dim");
  const info = paintOf("green");
  return (level) => {
    const severity = severityOf(level);
    if (severity >= 21) return fatal;
    if (severity >= 17) return error;
    if (severity >= 13) return warn;
    if (severity >= 9) return info;
    return severity > 0 ? low : plain;
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

function formatTime(time: bigint, utc: boolean): string {
  const date = new Date(Number(time / nanosecondsPerMillisecond));
  if (utc) return date.toISOString().replace("T", " ");
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
