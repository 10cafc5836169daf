/**
 * A filter over a block's columns: marks, narrowed by one condition after the
 * other, those that cost least first.
 *
 *   level     a table by severity             where that is 0: the entry's text
 *   service   a table by the block's names
 *   message   a native search over all texts, whose finds are verified; without
 *             one each text that is still marked is looked at
 *   others    the same in the rest of the encodings
 *
 * What passes is exactly what `compileFilter` lets pass: whatever a condition's
 * column alone does not decide, its predicate does.
 */
import {
  type ConditionCost,
  cheapFirst,
  compileFilter,
  compileSearch,
  compileText,
  type FilterableEntry,
  type FilterNode,
  type FilterPredicate,
  TextReader,
  type TextSearch,
} from "@logsvc/filter";
import { levelOfSeverity, severityCount } from "../../scan/entry-field.ts";
import { RestField } from "./rest-fields.ts";
import { type Zone, zoneEntriesMax } from "./zone.ts";

/** Clears the marks of the entries that do not pass. */
type Narrowing = (zone: Zone) => void;

type Condition = Extract<FilterNode, { kind: "field" }>;

/** Entries tested one by one between two looks at whether the search is still wanted. */
const entriesPerCheck = 8;

/** One entry tested by itself costs about as much as this many in a search over all. */
const testCost = 8;

/** A compiled filter. */
export class BlockFilter {
  readonly #narrow: Narrowing;
  /** True: every entry passes. */
  readonly matchesAll: boolean;

  /** @param checkWanted Called while it works, every few milliseconds; what it throws ends the work. */
  constructor(node: FilterNode, checkWanted: () => void) {
    this.matchesAll = node.kind === "all";
    this.#narrow = new Compiler(checkWanted).compile(node);
  }

  /** Clears the marks of the zone's entries that do not pass. */
  narrow(zone: Zone): void {
    this.#narrow(zone);
  }
}

class Compiler {
  readonly #checkWanted: () => void;
  readonly #spare: Uint8Array[] = [];

  constructor(checkWanted: () => void) {
    this.#checkWanted = checkWanted;
  }

  compile(node: FilterNode): Narrowing {
    switch (node.kind) {
      case "all":
        return () => undefined;
      case "and":
        return this.#all(cheapFirst(node.nodes, costOfCondition).map((child) => this.compile(child)));
      case "or":
        return this.#any(cheapFirst(node.nodes, costOfCondition).map((child) => this.compile(child)));
      case "not":
        return this.#not(this.compile(node.node));
      case "field":
        return this.#condition(node);
    }
  }

  #all(parts: readonly Narrowing[]): Narrowing {
    return (zone) => {
      for (const narrow of parts) {
        if (zone.isEmpty) return;
        narrow(zone);
      }
    };
  }

  #any(parts: readonly Narrowing[]): Narrowing {
    return (zone) => {
      const { marks } = zone;
      // Those that have passed no part yet; what is left of them at the end goes.
      this.#withCopy(marks, (open) => {
        for (const narrow of parts) {
          this.#withCopy(open, (passing) => {
            narrow(zone.with(passing));
            subtract(open, passing);
          });
          if (!open.includes(1)) return;
        }
        subtract(marks, open);
      });
    };
  }

  #not(narrow: Narrowing): Narrowing {
    return (zone) =>
      this.#withCopy(zone.marks, (passing) => {
        narrow(zone.with(passing));
        subtract(zone.marks, passing);
      });
  }

  /** Lends a copy of marks: a filter nests deeply enough, and has conditions enough, to keep as few as are in use. */
  #withCopy(marks: Uint8Array, use: (copy: Uint8Array) => void): void {
    const buffer = this.#spare.pop() ?? new Uint8Array(zoneEntriesMax);
    const copy = buffer.subarray(0, marks.length);
    copy.set(marks);
    use(copy);
    this.#spare.push(buffer);
  }

  #condition(node: Condition): Narrowing {
    switch (node.field) {
      case "level":
        return narrowLevel(compileFilter(node));
      case "service":
        return narrowService(compileFilter(node));
      case "message":
        return this.#text("message", compileSearch(node.match), messageTest(compileText(node.match)));
      default:
        return this.#text("rest", compileSearch(node.match), restTest(node.field, compileText(node.match)));
    }
  }

  /** A condition on a text: by searching all texts, or one by one where few are left or there is no search. */
  #text(
    column: "message" | "rest",
    search: TextSearch | undefined,
    testIn: (zone: Zone) => IndexTest,
  ): Narrowing {
    return (zone) => {
      const test = testIn(zone);
      if (search === undefined || zone.marked * testCost < zone.marks.length) this.#testEach(zone, test);
      else this.#testCandidates(zone, search, column, test);
    };
  }

  #testEach({ marks, from }: Zone, test: IndexTest): void {
    let tested = 0;
    for (let at = marks.indexOf(1); at >= 0; at = marks.indexOf(1, at + 1)) {
      if (tested++ % entriesPerCheck === 0) this.#checkWanted();
      if (!test(from + at)) marks[at] = 0;
    }
  }

  #testCandidates(zone: Zone, search: TextSearch, column: "message" | "rest", test: IndexTest): void {
    const { marks, from, to, columns } = zone;
    let tested = 0;
    // Marks that are not found again are cleared.
    let next = 0;
    const { bytes, ends, isExact } = columns.textOf(column);
    search.forEachCandidate({ bytes, ends, isText: isExact }, from, to, (index, isCertain) => {
      const at = index - from;
      if (tested++ % entriesPerCheck === 0) this.#checkWanted();
      while (next < at) marks[next++] = 0;
      if (marks[at] === 1 && !isCertain && !test(index)) marks[at] = 0;
      next = at + 1;
    });
    marks.fill(0, next);
  }
}

function narrowLevel(passes: FilterPredicate): Narrowing {
  const passing = Uint8Array.from({ length: severityCount }, (_, severity) =>
    severity > 0 && passes(entryWith({ level: levelOfSeverity(severity) })) ? 1 : 0,
  );
  return (zone) => {
    const { marks, from, columns } = zone;
    const { severities } = columns;
    for (let at = 0; at < marks.length; at++) {
      const severity = severities[from + at] ?? 0;
      if (severity !== 0) marks[at] = (marks[at] ?? 0) & (passing[severity] ?? 0);
      else if (marks[at] === 1 && !passes(columns.view(from + at))) marks[at] = 0;
    }
  };
}

function narrowService(passes: FilterPredicate): Narrowing {
  // Of the block that was searched last.
  let known: readonly string[] = [];
  let passing = new Uint8Array();
  return ({ marks, from, columns }) => {
    const { names, indexes } = columns.origins;
    if (names !== known) {
      known = names;
      passing = Uint8Array.from(names, (service) => (passes(entryWith({ service })) ? 1 : 0));
    }
    for (let at = 0; at < marks.length; at++) {
      marks[at] = (marks[at] ?? 0) & (passing[indexes[from + at] ?? 0] ?? 0);
    }
  };
}

type TextTest = (text: string) => boolean;

/** A test of an entry of a zone's block, by its index. */
type IndexTest = (index: number) => boolean;

function messageTest(passes: TextTest): (zone: Zone) => IndexTest {
  return ({ columns }) => {
    const { bytes, ends, isExact } = columns.textOf("message");
    if (!isExact) return (index) => passes(columns.view(index).message);
    const texts = new TextReader({ bytes, ends, isText: true });
    return (index) => passes(texts.textAt(index));
  };
}

/** A test of one of the other fields: an attribute, or one of the ids. */
function restTest(field: string, passes: TextTest): (zone: Zone) => IndexTest {
  const rest = new RestField(field);
  return ({ columns }) => {
    const column = columns.textOf("rest");
    return (index) => passes(rest.find(column, index) ? rest.text : "");
  };
}

function entryWith(fields: Partial<FilterableEntry>): FilterableEntry {
  return { level: "", message: "", service: "", traceId: "", spanId: "", attributes: {}, ...fields };
}

/** Clears the marks that others have set. */
function subtract(marks: Uint8Array, others: Uint8Array): void {
  for (let at = 0; at < marks.length; at++) marks[at] = (marks[at] ?? 0) & ~(others[at] ?? 0);
}

/** Roughly in nanoseconds. */
const costOfCondition: ConditionCost = ({ field, match }) =>
  costs[match.kind] * (field === "level" || field === "service" ? 0.01 : 1);

/** Of a text; a regular expression may have no literal to search for. */
const costs = {
  exact: 50,
  in: 60,
  phrase: 60,
  prefix: 60,
  present: 150,
  absent: 150,
  compare: 200,
  regexp: 1000,
} as const;
