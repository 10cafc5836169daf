/** What a row says besides its message, as text. */
import type { LogEntry } from "@logsvc/client-web";
import { formatDay, formatTime } from "../view/format-time.ts";

/** Characters of attributes after a message: what fits on a wide screen. */
const attributesLengthMax = 300;

/** Characters of a message whose lines are broken: a screenful or two. The details show the rest. */
const wrappedLengthMax = 4_096;

/** A time as a row shows it: with its day when that is not today. `today`: as `formatDay` has it. */
export function rowTime(timestamp: bigint, timeZone: string, today: string): string {
  const time = formatTime(timestamp, timeZone, "ms");
  const day = formatDay(timestamp, timeZone);
  if (day === today) return time;
  // This year's days without their year.
  return `${day.slice(0, 5) === today.slice(0, 5) ? day.slice(5) : day} ${time}`;
}

/** The value of a column: one of the entry's own fields, or an attribute. */
export function columnText(entry: LogEntry, column: string): string {
  switch (column) {
    case "level":
      return entry.level;
    case "service":
      return entry.service;
    case "trace_id":
      return entry.traceId;
    case "span_id":
      return entry.spanId;
    default:
      return Object.hasOwn(entry.attributes, column) ? (entry.attributes[column] ?? "") : "";
  }
}

/** The attributes that have no column, as far as there may be room. */
export function attributesText(entry: LogEntry, columns: readonly string[]): string {
  let text = "";
  for (const key in entry.attributes) {
    if (columns.includes(key)) continue;
    const value = entry.attributes[key] ?? "";
    text += `${text === "" ? "" : " "}${key}=${value.length > attributesLengthMax ? `${value.slice(0, attributesLengthMax)}…` : value}`;
    if (text.length > attributesLengthMax) return `${text.slice(0, attributesLengthMax)}…`;
  }
  return text.replaceAll(/\s+/g, " ");
}

/** A message with its lines, up to a screenful. */
export function wrappedText(message: string): string {
  if (message.length <= wrappedLengthMax) return message;
  return `${message.slice(0, wrappedLengthMax)}… (${(message.length - wrappedLengthMax).toLocaleString("en")} more characters)`;
}

/** The class of a level: of its colour. */
export function levelClass(level: string): string {
  return knownLevels.get(level) ?? "level-unknown";
}

const knownLevels = new Map(
  ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].map((name) => [name, `level-${name.toLowerCase()}`]),
);
