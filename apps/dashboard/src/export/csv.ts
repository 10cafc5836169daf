/**
 * Entries as CSV, by RFC 4180: lines end with CR LF, a field with a comma, a
 * quote or a line break is quoted, a quote inside is doubled. The first line
 * has the names. UTF-8, without a byte order mark.
 *
 * A field that begins with = + - @ (or tab, or carriage return) would be a
 * formula to a spreadsheet, and a log holds what strangers sent. Such a field
 * gets an apostrophe before it, as OWASP advises
 * (https://owasp.org/www-community/attacks/CSV_Injection). Plain numbers, which
 * are no danger, stay as they are. Whoever needs every byte as it was takes
 * NDJSON.
 */
import { type EntryJson, entryToJson, type StoredEntry } from "@logsvc/client-web";

/** A column: a field that every entry has, or an attribute. Attributes may be called as fields are ("id"). */
export type CsvColumn =
  | { readonly kind: "field"; readonly name: EntryField }
  | { readonly kind: "attribute"; readonly name: string };

/** Which columns a file has. */
export interface CsvColumns {
  readonly columns: readonly CsvColumn[];
  /** Attributes without a column are together in a last one, as JSON. */
  readonly rest: boolean;
}

type EntryField = Exclude<keyof EntryJson, "attributes">;

const lineEnd = "\r\n";
const restName = "attributes";

const field = (name: EntryField): CsvColumn => ({ kind: "field", name });
const attribute = (name: string): CsvColumn => ({ kind: "attribute", name });

/** Fields that the list shows in any case. */
const alwaysShown: readonly string[] = ["level", "service", "message"];

/** Time, level, service, the columns that the list shows, and the message. */
export function chosenColumns(shown: readonly string[]): CsvColumns {
  const chosen = shown
    .filter((name) => !alwaysShown.includes(name))
    .map((name) => (name === "trace_id" || name === "span_id" ? field(name) : attribute(name)));
  const before = [field("timestamp"), field("level"), field("service")];
  return { columns: [...before, ...chosen, field("message")], rest: false };
}

/** Every field of the entry; attributes that are known by now have a column each, all others one together. */
export function allColumns(attributes: readonly string[]): CsvColumns {
  const fields = (
    ["timestamp", "level", "service", "message", "trace_id", "span_id", "id", "received_at"] as const
  ).map(field);
  return { columns: [...fields, ...attributes.map(attribute)], rest: true };
}

/** The first line. An attribute that is called as another column is `attributes.id`. */
export function csvHeader({ columns, rest }: CsvColumns): string {
  const fields = columns.filter(({ kind }) => kind === "field").map(({ name }) => name);
  const taken: readonly string[] = rest ? [...fields, restName] : fields;
  const names = columns.map(({ kind, name }) =>
    kind === "attribute" && taken.includes(name) ? `${restName}.${name}` : name,
  );
  return (rest ? [...names, restName] : names).map(csvField).join(",") + lineEnd;
}

/** One line for each entry. */
export function csvLines(entries: readonly StoredEntry[], columns: CsvColumns): string {
  const named = new Set(columns.columns.filter(({ kind }) => kind === "attribute").map(({ name }) => name));
  let text = "";
  for (const stored of entries) text += csvLine(entryToJson(stored), columns, named);
  return text;
}

function csvLine(entry: EntryJson, { columns, rest }: CsvColumns, named: ReadonlySet<string>): string {
  const { attributes = {} } = entry;
  const fields = columns.map((column) => {
    if (column.kind === "field") return csvField(entry[column.name] ?? "");
    // Attributes may have any name, "constructor" as well.
    return Object.hasOwn(attributes, column.name) ? csvField(attributes[column.name] ?? "") : "";
  });
  if (rest) {
    const others = Object.entries(attributes).filter(([name]) => !named.has(name));
    fields.push(others.length === 0 ? "" : csvField(JSON.stringify(Object.fromEntries(others))));
  }
  return fields.join(",") + lineEnd;
}

const plainNumber = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A text as a field. */
export function csvField(text: string): string {
  const formula = /^[=+\-@\t\r]/.test(text) && !plainNumber.test(text);
  const safe = formula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
