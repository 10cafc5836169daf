/**
 * A filter over a block's columns: marks, narrowed by one condition after the
 * other, those that cost least first.
 *
 *   level     a table by severity             where that is 0: the entry's text
 *   service   a table by the block's names
 *   message   a native search over the texts of like entries, where some are
 *             still marked, whose finds are verified; without one each marked
 *             text is looked at
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
import type { TextColumn } from "../block-columns.ts";
import type { Run } from "../stripes.ts";
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

  /** A condition on a text: run by run, by searching all texts, or one by one where few are left or there is no search. */
  #text(field: "message" | "rest", search: TextSearch | undefined, testIn: TestMaker): Narrowing {
    return (zone) => {
      const testOf = testIn(zone);
      zone.forEachMarkedRun((run, marked) => {
        const column = zone.columns.textOf(field, run.stripe);
        const test = testOf(column, run.stripe);
        if (search === undefined || marked * testCost < run.indexes.length) this.#testEach(zone, run, test);
        else this.#testCandidates(zone, run, search, column, test);
      });
    };
  }

  #testEach({ marks, from }: Zone, run: Run, test: EntryTest): void {
    const { indexes } = run;
    let tested = 0;
    for (let step = 0; step < indexes.length; step++) {
      const index = indexes[step] ?? 0;
      if (marks[index - from] !== 1) continue;
      if (tested++ % entriesPerCheck === 0) this.#checkWanted();
      if (!test(run.from + step, index)) marks[index - from] = 0;
    }
  }

  #testCandidates(
    { marks, from }: Zone,
    { indexes, ...run }: Run,
    search: TextSearch,
    { bytes, ends, isExact }: TextColumn,
    test: EntryTest,
  ): void {
    let tested = 0;
    // Marks that are not found again are cleared.
    let next = 0;
    search.forEachCandidate({ bytes, ends, isText: isExact }, run.from, run.to, (text, isCertain) => {
      const step = text - run.from;
      if (tested++ % entriesPerCheck === 0) this.#checkWanted();
      while (next < step) marks[(indexes[next++] ?? 0) - from] = 0;
      const index = indexes[step] ?? 0;
      if (marks[index - from] === 1 && !isCertain && !test(text, index)) marks[index - from] = 0;
      next = step + 1;
    });
    while (next < indexes.length) marks[(indexes[next++] ?? 0) - from] = 0;
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

/** A test of an entry by the number of its text in its stripe, and its index. */
type EntryTest = (text: number, index: number) => boolean;

/** Makes the tests for a zone, stripe by stripe. */
type TestMaker = (zone: Zone) => (column: TextColumn, stripe: number) => EntryTest;

function messageTest(passes: TextTest): TestMaker {
  return ({ columns }) => {
    let last = -1;
    let texts: TextReader | undefined;
    return ({ bytes, ends, isExact }, stripe) => {
      if (!isExact) return (_, index) => passes(columns.view(index).message);
      // One for all runs of a stripe: what it has read ahead is of the next one.
      if (texts === undefined || stripe !== last) texts = new TextReader({ bytes, ends, isText: true });
      last = stripe;
      const reader = texts;
      return (text) => passes(reader.textAt(text));
    };
  };
}

/** A test of one of the other fields: an attribute, or one of the ids. */
function restTest(field: string, passes: TextTest): TestMaker {
  const rest = new RestField(field);
  return () => (column) => (text) => passes(rest.find(column, text) ? rest.text : "");
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
