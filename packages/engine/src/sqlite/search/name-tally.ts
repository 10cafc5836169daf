/** Counts which fields a zone's entries have. */
import type { BlockColumns, TextColumn } from "../block-columns.ts";
import { attributesField, RestFields, spanIdField, traceIdField } from "./rest-fields.ts";
import type { Zone } from "./zone.ts";
import { textOfLatin1 } from "./zone-groups.ts";

/** How many entries have a field. Of one that comes twice in an entry the last one counts. */
class FieldCount {
  #entry = -1;
  #isPresent = false;
  count = 0;

  add(entry: number, isPresent: boolean): void {
    if (entry === this.#entry && this.#isPresent) this.count--;
    if (isPresent) this.count++;
    this.#entry = entry;
    this.#isPresent = isPresent;
  }
}

/** Counts the fields that are not empty, by name. */
export class NameTally {
  readonly #fields = new RestFields();

  /** Counts those of the zone's marked entries. */
  count(zone: Zone, add: (name: string, count: number) => void): void {
    const { columns, marks, from } = zone;
    const own = { level: 0, service: 0, message: 0 };
    const ids = new Map([
      [traceIdField, new FieldCount()],
      [spanIdField, new FieldCount()],
    ]);
    const attributes = new Map<string, FieldCount>();
    const hasMessage = messageTest(columns);
    const rest = columns.textOf("rest");
    for (let at = 0; at < marks.length; at++) {
      if (marks[at] !== 1) continue;
      const index = from + at;
      if (hasLevel(columns, index)) own.level++;
      if (hasService(columns, index)) own.service++;
      if (hasMessage(index)) own.message++;
      this.#countRest(rest, index, ids, attributes);
    }
    for (const [name, count] of Object.entries(own)) add(name, count);
    add("trace_id", ids.get(traceIdField)?.count ?? 0);
    add("span_id", ids.get(spanIdField)?.count ?? 0);
    for (const [name, { count }] of attributes) add(textOfLatin1(name), count);
  }

  #countRest(
    rest: TextColumn,
    index: number,
    ids: ReadonlyMap<number, FieldCount>,
    attributes: Map<string, FieldCount>,
  ): void {
    const fields = this.#fields;
    fields.moveTo(rest, index);
    for (let field = fields.next(); field !== 0; field = fields.next()) {
      if (field !== attributesField) {
        ids.get(field)?.add(index, fields.content.from !== fields.content.to);
        continue;
      }
      fields.readAttribute();
      const name = fields.latin1(fields.key);
      let known = attributes.get(name);
      if (known === undefined) {
        known = new FieldCount();
        attributes.set(name, known);
      }
      known.add(index, fields.value.from !== fields.value.to);
    }
  }
}

function hasLevel(columns: BlockColumns, index: number): boolean {
  return columns.severities[index] !== 0 || columns.view(index).level !== "";
}

function hasService({ origins }: BlockColumns, index: number): boolean {
  return origins.names[origins.indexes[index] ?? 0] !== "";
}

/** Where the column is nothing but messages, their lengths tell. */
function messageTest(columns: BlockColumns): (index: number) => boolean {
  const { ends, isExact } = columns.textOf("message");
  if (!isExact) return (index) => columns.view(index).message !== "";
  return (index) => (index === 0 ? 0 : ends[index - 1]) !== ends[index];
}
