/** An entry's fields, one by one, as the details list them. */
import type { LogEntry } from "@logsvc/client-web";
import { type JsonNode, parseJsonAt } from "../message/json-tree.ts";

/** A field with its value. */
export interface EntryField {
  readonly name: string;
  readonly value: string;
  /** The value, where it is a JSON object or array and nothing else. */
  readonly json: JsonNode | undefined;
}

/** Longer values are not looked at for JSON before they are shown. */
const jsonLengthMax = 256 * 1024;

/** Service, trace and span, and the attributes by name. Empty ones of the entry's own fields are left out. */
export function entryFields(entry: LogEntry): readonly EntryField[] {
  const own: readonly (readonly [string, string])[] = [
    ["service", entry.service],
    ["trace_id", entry.traceId],
    ["span_id", entry.spanId],
  ];
  const attributes = Object.entries(entry.attributes).toSorted(([a], [b]) => compareNames(a, b));
  return [...own.filter(([, value]) => value !== ""), ...attributes].map(([name, value]) => ({
    name,
    value,
    json: jsonOf(value),
  }));
}

/** "a.b" after "a" and before "ab", and numbers within names as numbers. */
const collator = new Intl.Collator("en", { numeric: true });

function compareNames(a: string, b: string): number {
  return collator.compare(a, b);
}

function jsonOf(value: string): JsonNode | undefined {
  if (value.length > jsonLengthMax) return undefined;
  const text = value.trim();
  const parsed = parseJsonAt(text, 0);
  return parsed !== undefined && parsed.end === text.length ? parsed.node : undefined;
}
