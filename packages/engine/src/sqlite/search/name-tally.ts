/** Counts which fields a zone's entries have. */
import { startIn } from "../../entry-bytes.ts";
import type { BlockColumns } from "../block-columns.ts";
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
    zone.forEachMarkedRun(({ stripe, from: text, indexes }) => {
      const hasMessage = messageTest(columns, stripe);
      const rest = columns.textOf("rest", stripe);
      for (let step = 0; step < indexes.length; step++) {
        const index = indexes[step] ?? 0;
        if (marks[index - from] !== 1) continue;
        if (hasLevel(columns, index)) own.level++;
        if (hasService(columns, index)) own.service++;
        if (hasMessage(text + step, index)) own.message++;
        this.#fields.moveTo(rest, text + step);
        this.#countRest(index, ids, attributes);
      }
    });
    for (const [name, count] of Object.entries(own)) add(name, count);
    add("trace_id", ids.get(traceIdField)?.count ?? 0);
    add("span_id", ids.get(spanIdField)?.count ?? 0);
    for (const [name, { count }] of attributes) add(textOfLatin1(name), count);
  }

  /** Counts the fields of the entry that `#fields` was moved to. */
  #countRest(index: number, ids: ReadonlyMap<number, FieldCount>, attributes: Map<string, FieldCount>): void {
    const fields = this.#fields;
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
function messageTest(columns: BlockColumns, stripe: number): (text: number, index: number) => boolean {
  const { ends, isExact } = columns.textOf("message", stripe);
  if (!isExact) return (_, index) => columns.view(index).message !== "";
  return (text) => startIn(ends, text) !== ends[text];
}
