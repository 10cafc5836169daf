/**
 * Numbers the different values that a zone's entries have of a field, so that
 * they are counted in arrays, and become texts when all are counted.
 */
import { fieldReader, levelOfSeverity, severityCount } from "../../scan/entry-field.ts";
import { RestField } from "./rest-fields.ts";
import { type Zone, zoneEntriesMax } from "./zone.ts";

/** A zone's values. */
export interface ZoneGroups {
  /** How many numbers there are; some may be of no entry. */
  readonly count: number;
  /** The number of each entry's value, where it is marked. Of use until the next zone is looked at. */
  readonly of: Uint32Array;
  /** The value of a number; empty for an entry that has none. */
  nameOf(group: number): string;
}

/** Numbers the values of one zone after another. */
export type Grouping = (zone: Zone) => ZoneGroups;

/** The grouping by a field, as requests name it; undefined: all entries are one group. */
export function groupingBy(field: string | undefined): Grouping {
  const of = new Uint32Array(zoneEntriesMax);
  switch (field) {
    case undefined:
      return () => ({ count: 1, of, nameOf: () => "" });
    case "level":
      return (zone) => groupByLevel(zone, of);
    case "service":
      return ({ columns: { origins }, marks, from }) => {
        const { indexes } = origins;
        for (let at = 0; at < marks.length; at++) of[at] = indexes[from + at] ?? 0;
        return { count: origins.names.length, of, nameOf: (group) => origins.names[group] ?? "" };
      };
    case "message":
      return (zone) => groupByMessage(zone, of);
    default:
      return groupByRest(new RestField(field), of);
  }
}

/** Different texts, numbered as they come. */
class Numbering {
  readonly #numbers = new Map<string, number>();
  readonly texts: string[] = [];

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}

/** By severity; levels that have none are numbered behind those. */
function groupByLevel({ columns, marks, from }: Zone, of: Uint32Array): ZoneGroups {
  const unknown = new Numbering();
  const { severities } = columns;
  for (let at = 0; at < marks.length; at++) {
    const severity = severities[from + at] ?? 0;
    const isUnknown = severity === 0 && marks[at] === 1;
    of[at] = isUnknown ? severityCount + unknown.numberOf(columns.view(from + at).level) : severity;
  }
  return {
    count: severityCount + unknown.texts.length,
    of,
    nameOf: (group) =>
      group < severityCount ? levelOfSeverity(group) : (unknown.texts[group - severityCount] ?? ""),
  };
}

function groupByMessage({ columns, marks, from }: Zone, of: Uint32Array): ZoneGroups {
  const messages = new Numbering();
  const read = fieldReader("message");
  for (let at = marks.indexOf(1); at >= 0; at = marks.indexOf(1, at + 1)) {
    of[at] = messages.numberOf(read(columns.view(from + at)));
  }
  return { count: messages.texts.length, of, nameOf: (group) => messages.texts[group] ?? "" };
}

/** By the values' bytes: making text of each entry's would take as long as finding it. */
function groupByRest(rest: RestField, of: Uint32Array): Grouping {
  return (zone) => {
    const { columns, marks, from } = zone;
    const values = new Numbering();
    zone.forEachMarkedRun(({ stripe, from: text, indexes }) => {
      const column = columns.textOf("rest", stripe);
      for (let step = 0; step < indexes.length; step++) {
        const at = (indexes[step] ?? 0) - from;
        if (marks[at] === 1) of[at] = values.numberOf(rest.find(column, text + step) ? rest.latin1 : "");
      }
    });
    return { count: values.texts.length, of, nameOf: (group) => textOfLatin1(values.texts[group] ?? "") };
  };
}

/** The text whose UTF-8 bytes are these characters. */
export function textOfLatin1(bytes: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for.
  return /^[\x00-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, "latin1").toString();
}
