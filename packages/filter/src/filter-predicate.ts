/**
 * Turns a filter into a predicate over entries. What can be done once is done
 * here, so that an entry costs only the matching.
 *
 * A field that an entry does not have is empty text. Words, phrases and
 * prefixes (see phrase.ts) don't heed case; exact texts, `in` and regular
 * expressions do.
 *
 * The level is compared by severity: `level:err`, `level:=Error` and
 * `level:in(ERROR)` are all the stored `ERROR`. A level in the filter that has
 * no severity is compared as text, the whole of it. A level of an entry that
 * has none lies neither above nor below any other. Prefixes and regular
 * expressions are matched against the level's text as stored.
 */
import { severityOf } from "@logsvc/proto";
import { amountOf, durationOf, parseComparable } from "./comparable.ts";
import type { CompareOperator, FieldMatch, FilterNode } from "./filter-node.ts";
import { compilePhrase, compileWholeText } from "./phrase.ts";
import { compileRegexp } from "./regexp.ts";

/** What a filter looks at; a LogEntry is one. */
export interface FilterableEntry {
  readonly level: string;
  readonly message: string;
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Whether an entry passes a filter. */
export type FilterPredicate = (entry: FilterableEntry) => boolean;

/** Compiles a filter that `parseFilter` has made. The predicate never throws. */
export function compileFilter(node: FilterNode): FilterPredicate {
  switch (node.kind) {
    case "all":
      return () => true;
    case "not": {
      const inner = compileFilter(node.node);
      return (entry) => !inner(entry);
    }
    case "and":
      return compileAll(node.nodes);
    case "or":
      return compileAny(node.nodes);
    case "field": {
      const textOf = compileField(node.field);
      const matches = compileMatch(node.field, node.match);
      return (entry) => matches(textOf(entry));
    }
  }
}

/** Whether a field's text fulfils a condition. */
export type TextPredicate = (text: string) => boolean;

/** Compiles a condition on the text of any field but `level`, which is compared by severity. */
export function compileText(match: FieldMatch): TextPredicate {
  return compileMatch("message", match);
}

function compileAll(nodes: readonly FilterNode[]): FilterPredicate {
  const predicates = cheapFirst(nodes, costOfCondition).map(compileFilter);
  const [first, second] = predicates;
  if (first !== undefined && second !== undefined && predicates.length === 2) {
    return (entry) => first(entry) && second(entry);
  }
  return (entry) => {
    for (const predicate of predicates) if (!predicate(entry)) return false;
    return true;
  };
}

function compileAny(nodes: readonly FilterNode[]): FilterPredicate {
  const predicates = cheapFirst(nodes, costOfCondition).map(compileFilter);
  const [first, second] = predicates;
  if (first !== undefined && second !== undefined && predicates.length === 2) {
    return (entry) => first(entry) || second(entry);
  }
  return (entry) => {
    for (const predicate of predicates) if (predicate(entry)) return true;
    return false;
  };
}

/** What a condition costs an entry, in a measure of the caller's. */
export type ConditionCost = (condition: Extract<FilterNode, { kind: "field" }>) => number;

/** Parts of an `and` or an `or` in the order in which they are best tried: those that cost least first. */
export function cheapFirst(nodes: readonly FilterNode[], costOf: ConditionCost): FilterNode[] {
  return nodes.toSorted((a, b) => sumCosts(a, costOf) - sumCosts(b, costOf));
}

function sumCosts(node: FilterNode, costOf: ConditionCost): number {
  switch (node.kind) {
    case "all":
      return 0;
    case "not":
      return sumCosts(node.node, costOf);
    case "and":
    case "or":
      return node.nodes.reduce((sum, child) => sum + sumCosts(child, costOf), 0);
    case "field":
      return costOf(node);
  }
}

/** Roughly: the message is long, the other fields are short. */
const costOfCondition: ConditionCost = ({ field, match }) =>
  costs[match.kind] * (field === "message" ? 10 : 1);

const costs: Readonly<Record<FieldMatch["kind"], number>> = {
  present: 1,
  absent: 1,
  exact: 1,
  in: 2,
  compare: 4,
  phrase: 4,
  prefix: 4,
  regexp: 20,
};

function compileField(field: string): (entry: FilterableEntry) => string {
  switch (field) {
    case "level":
      return (entry) => entry.level;
    case "message":
      return (entry) => entry.message;
    case "service":
      return (entry) => entry.service;
    case "trace_id":
      return (entry) => entry.traceId;
    case "span_id":
      return (entry) => entry.spanId;
    default:
      return (entry) => {
        // What every object inherits, such as `constructor`, is no attribute, and no string.
        const value: unknown = entry.attributes[field];
        return typeof value === "string" ? value : "";
      };
  }
}

/** Compiles a condition on a field's text. */
export function compileMatch(field: string, match: FieldMatch): TextPredicate {
  switch (match.kind) {
    case "phrase":
      return field === "level"
        ? compileLevel(match.text, compileWholeText)
        : compilePhrase(match.text, false);
    case "prefix":
      return compilePhrase(match.text, true);
    case "exact":
      return field === "level" ? compileLevel(match.text, compileExact) : compileExact(match.text);
    case "in":
      return field === "level" ? compileLevelIn(match.texts) : compileIn(match.texts);
    case "present":
      return (text) => text !== "";
    case "absent":
      return (text) => text === "";
    case "compare":
      return field === "level"
        ? compileSeverity(match.operator, match.text)
        : compileCompare(match.operator, match.text);
    case "regexp":
      return compileRegexp(match.pattern);
  }
}

function compileExact(expected: string): TextPredicate {
  return (text) => text === expected;
}

function compileIn(texts: readonly string[]): TextPredicate {
  const expected = new Set(texts);
  return (text) => expected.has(text);
}

/** A known level, in any spelling, is every level of its severity; another is compared as text. */
function compileLevel(level: string, compileUnknown: (level: string) => TextPredicate): TextPredicate {
  const severity = severityOf(level);
  if (severity === 0) return compileUnknown(level);
  return (text) => severityOf(text) === severity;
}

function compileLevelIn(levels: readonly string[]): TextPredicate {
  const severities = new Set(levels.map(severityOf).filter((severity) => severity > 0));
  const unknown = new Set(levels.filter((level) => severityOf(level) === 0));
  return (text) => severities.has(severityOf(text)) || unknown.has(text);
}

/** An unknown level, of severity 0, lies neither above nor below another. */
function compileSeverity(operator: CompareOperator, level: string): TextPredicate {
  const compare = compileOperator(operator, severityOf(level));
  return (text) => {
    const severity = severityOf(text);
    return severity > 0 && compare(severity);
  };
}

function compileCompare(operator: CompareOperator, literal: string): TextPredicate {
  const { sort, value } = parseComparable(literal) ?? { sort: "amount", value: Number.NaN };
  const valueIn = sort === "duration" ? durationOf : amountOf;
  const compare = compileOperator(operator, value);
  // What is no such value is NaN, for which every comparison is false.
  return (text) => compare(valueIn(text));
}

function compileOperator(operator: CompareOperator, right: number): (left: number) => boolean {
  switch (operator) {
    case ">":
      return (left) => left > right;
    case ">=":
      return (left) => left >= right;
    case "<":
      return (left) => left < right;
    case "<=":
      return (left) => left <= right;
  }
}
