/** What is suggested at a place of a filter: from the language itself, from what the log holds, and from filters before. */
import type { ValueCount } from "@logsvc/client-web";
import { FilterSyntaxError, parseFilter } from "@logsvc/filter";
import { entryFieldNames, levelNames, severityOf } from "@logsvc/proto";
import { type CompletionContext, writeField, writeValue } from "./completion.ts";

/** One suggestion. */
export interface Suggestion {
  readonly kind: "field" | "value" | "operator" | "keyword" | "history";
  /** What is shown, and read aloud. */
  readonly label: string;
  /** What stands beside it, smaller. */
  readonly detail: string;
  /** What is written. */
  readonly insert: string;
  /** What follows is something new, and not a part of it. */
  readonly complete: boolean;
}

/** A value or a field's name, with how many entries have it. */
export type Counted = Pick<ValueCount, "value" | "count">;

/** More are not shown. */
const suggestionsMax = 40;
const historyMax = 5;

/** All suggestions, the likeliest first. `counted`: what the server listed for this place, so far. */
export function suggestionsFor(
  context: CompletionContext,
  text: string,
  counted: readonly Counted[],
  history: readonly string[],
): Suggestion[] {
  const all = [...placeSuggestions(context, counted), ...historySuggestions(context, text, history)];
  const seen = new Set<string>();
  const unique = all.filter(({ kind, insert }) => {
    const key = `${kind === "history"} ${insert}`;
    return seen.has(key) ? false : seen.add(key);
  });
  return unique.slice(0, suggestionsMax);
}

function placeSuggestions(context: CompletionContext, counted: readonly Counted[]): Suggestion[] {
  switch (context.place) {
    case "none":
      return [];
    case "term":
      return [...keywords(context), ...fields(context, counted)];
    case "value":
      return [...firstOperators(context), ...values(context, counted), ...lastOperators(context)];
    case "operand":
    case "listed":
    case "grouped":
      return values(context, counted);
  }
}

/** Whether the server is to be asked, and what for: a field's values, or (without a field) the fields. */
export function askedField(context: CompletionContext): { readonly field?: string } | undefined {
  if (context.place === "none") return undefined;
  if (context.place === "term") return {};
  // A word in a message is no value of it.
  return context.field === undefined || context.field === "message" ? undefined : { field: context.field };
}

function startsWith(text: string, typed: string): boolean {
  return text.toLowerCase().startsWith(typed.toLowerCase());
}

function fields({ typed }: CompletionContext, counted: readonly Counted[]): Suggestion[] {
  const names = counted.map(({ value, count }) => ({ name: value, detail: entriesText(count) }));
  const known = new Set(names.map(({ name }) => name));
  const own = [...entryFieldNames].filter((name) => name !== "timestamp" && !known.has(name));
  return [...names, ...own.map((name) => ({ name, detail: "" }))]
    .filter(({ name }) => startsWith(name, typed))
    .map(({ name, detail }) => ({
      kind: "field",
      label: name,
      detail,
      insert: writeField(name),
      complete: false,
    }));
}

const keywordDetails = [
  ["AND", "both, as without it"],
  ["OR", "at least one"],
  ["NOT", "the opposite"],
] as const;

function keywords({ typed, follows }: CompletionContext): Suggestion[] {
  return keywordDetails
    .filter(([keyword]) => (follows || keyword === "NOT") && typed !== "" && startsWith(keyword, typed))
    .map(([keyword, detail]) => ({
      kind: "keyword",
      label: keyword,
      detail,
      insert: keyword,
      complete: true,
    }));
}

function values(context: CompletionContext, counted: readonly Counted[]): Suggestion[] {
  const { field, typed, operator = "" } = context;
  const compares = /[<>]/.test(operator);
  const known = field === "level" ? withLevels(counted) : counted;
  return known
    .filter(
      ({ value }) => value !== "" && startsWith(value, typed) && (!compares || comparable(field, value)),
    )
    .map(({ value, count }) => {
      const word = field === "level" && severityOf(value) > 0 ? value.toLowerCase() : value;
      const detail = count === 0n ? "" : entriesText(count);
      return { kind: "value", label: word, detail, insert: writeValue(word, context), complete: true };
    });
}

/** Levels are known before the server says which there are. */
function withLevels(counted: readonly Counted[]): Counted[] {
  const present = new Set(counted.map(({ value }) => value));
  const others = levelNames.toReversed().filter((name) => !present.has(name));
  return [...counted, ...others.map((value) => ({ value, count: 0n }))];
}

function comparable(field = "x", value: string): boolean {
  try {
    parseFilter(`${writeField(field)}>${writeValue(value, operandContext)}`);
    return true;
  } catch (error) {
    if (!(error instanceof FilterSyntaxError)) throw error;
    return false;
  }
}

const operandContext: CompletionContext = {
  place: "operand",
  start: 0,
  end: 0,
  typed: "",
  operator: ">",
  condition: { start: 0, end: 0 },
  follows: false,
};

type Operator = readonly [insert: string, detail: string, complete?: "complete"];

const levelOperators: readonly Operator[] = [
  [">=", "this level and graver"],
  ["<", "below this level"],
  ["in(", "one of"],
];

const operators: readonly Operator[] = [
  ["=", "exactly"],
  ["!=", "anything but"],
  ["in(", "one of"],
  ["~", "a regular expression"],
  ["!~", "no regular expression"],
  [">=", "a number, size or duration from"],
  ["<", "a number, size or duration below"],
  ["*", "any value", "complete"],
  ['""', "none", "complete"],
];

/** A level is nearly always compared. */
function firstOperators(context: CompletionContext): Suggestion[] {
  return context.field === "level" ? operatorsOf(context, levelOperators) : [];
}

function lastOperators(context: CompletionContext): Suggestion[] {
  return context.field === "level" ? [] : operatorsOf(context, operators);
}

function operatorsOf({ typed, field = "" }: CompletionContext, list: readonly Operator[]): Suggestion[] {
  return list
    .filter(([insert]) => insert.startsWith(typed))
    .map(([insert, detail, complete]) => ({
      kind: "operator",
      label: `${writeField(field)}${insert}`,
      detail,
      insert,
      complete: complete !== undefined,
    }));
}

function historySuggestions(
  { place }: CompletionContext,
  text: string,
  history: readonly string[],
): Suggestion[] {
  const typed = text.trim().toLowerCase();
  if (place !== "term" && typed !== "") return [];
  return history
    .filter((filter) => filter.toLowerCase().includes(typed) && filter.toLowerCase() !== typed)
    .slice(0, typed === "" ? suggestionsMax : historyMax)
    .map((filter) => ({
      kind: "history",
      label: filter,
      detail: "used before",
      insert: filter,
      complete: true,
    }));
}

function entriesText(count: bigint): string {
  return count.toLocaleString("en");
}
