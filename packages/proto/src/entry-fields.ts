/** The names of an entry's own fields, as filters, JSON and users call them. */

/** The entry's own fields. No attribute may have one of these names: it would hide behind the field, or hide it. */
export const entryFieldNames: ReadonlySet<string> = new Set([
  "level",
  "message",
  "timestamp",
  "service",
  "trace_id",
  "span_id",
]);
