/** An entry's fields by the names that requests call them. */
import { type LogEntry, levelNames } from "@logsvc/proto";

/** The entry's own fields that hold text. */
const ownFields = {
  level: (entry: LogEntry) => entry.level,
  service: (entry: LogEntry) => entry.service,
  message: (entry: LogEntry) => entry.message,
  trace_id: (entry: LogEntry) => entry.traceId,
  span_id: (entry: LogEntry) => entry.spanId,
} as const;

/** Reads a field's text, one of the entry's own or an attribute; empty when an entry has none. */
export function fieldReader(field: string): (entry: LogEntry) => string {
  for (const [name, read] of Object.entries(ownFields)) if (name === field) return read;
  return ({ attributes }) => (Object.hasOwn(attributes, field) ? (attributes[field] ?? "") : "");
}

/** The names of the fields that are not empty. */
export function* fieldNames(entry: LogEntry): Generator<string> {
  for (const [name, read] of Object.entries(ownFields)) if (read(entry) !== "") yield name;
  for (const [key, value] of Object.entries(entry.attributes)) if (value !== "") yield key;
}

/** The level of a known severity (1 to 24), as it is stored. */
export function levelOfSeverity(severity: number): string {
  return levelNames[(severity - 1) >> 2] ?? "";
}
