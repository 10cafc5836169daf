/** An entry's fields by the names that requests call them. */
import type { FilterableEntry } from "@logsvc/filter";
import { levelNames } from "@logsvc/proto";

/** Reads a field's text. */
type FieldReader = (entry: FilterableEntry) => string;

/** The entry's own fields that hold text, by name. */
const ownFields: readonly (readonly [name: string, read: FieldReader])[] = [
  ["level", (entry) => entry.level],
  ["service", (entry) => entry.service],
  ["message", (entry) => entry.message],
  ["trace_id", (entry) => entry.traceId],
  ["span_id", (entry) => entry.spanId],
];

/** How to read a field's text, one of the entry's own or an attribute; empty when an entry has none. */
export function fieldReader(field: string): FieldReader {
  for (const [name, read] of ownFields) if (name === field) return read;
  return ({ attributes }) => (Object.hasOwn(attributes, field) ? (attributes[field] ?? "") : "");
}

/** The names of the fields that are not empty. */
export function* fieldNames(entry: FilterableEntry): Generator<string> {
  for (const [name, read] of ownFields) if (read(entry) !== "") yield name;
  for (const [key, value] of Object.entries(entry.attributes)) if (value !== "") yield key;
}

/** Severities are numbers below it: 0 of a level that is not known, then 1 to 24. */
export const severityCount = 25;

/** The level of a known severity (1 to 24), as it is stored. */
export function levelOfSeverity(severity: number): string {
  return levelNames[(severity - 1) >> 2] ?? "";
}
