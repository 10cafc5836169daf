import assert from "node:assert/strict";
import { test } from "node:test";
import { severityOf } from "@logsvc/proto";
import fc from "fast-check";
import { RE2JS } from "re2js";
import { tokenizeFilter } from "./filter-lexer.ts";
import type { CompareOperator, FieldMatch, FilterNode } from "./filter-node.ts";
import { parseFilter } from "./filter-parser.ts";
import { compileFilter, type FilterableEntry } from "./filter-predicate.ts";
import { formatFilter } from "./filter-printer.ts";
import { FilterSyntaxError } from "./filter-syntax-error.ts";

// Few different characters and words, so that filters and entries meet.
const words = [
  "a",
  "b",
  "ab",
  "A",
  "_",
  "é",
  "É",
  "ς",
  "Σ",
  "İ",
  "1",
  "日",
  "\u0301",
  "😀",
  "-",
  ".",
  " ",
  ":",
  "/",
];
const marks = [
  '"',
  "'",
  "`",
  "\\",
  "(",
  ")",
  ",",
  "*",
  "=",
  "!",
  "~",
  "<",
  "|",
  "\n",
  "and",
  "OR",
  "not",
  "in",
];
const levels = ["ERROR", "err", "Error", "WARN", "info", "AUDIT", "audit", "50"];
const numbers = [
  "0",
  "1",
  "-1",
  "1.0",
  "1e0",
  "1B",
  "1KB",
  "1KiB",
  "1000",
  "1s",
  "1000ms",
  "1m",
  "60s",
  "1h1m",
  "x",
];
const patterns = [
  "a",
  "^a",
  "b$",
  "(?i)a",
  "[ab]+é",
  "a.b",
  "\\d",
  "\\pL{2}",
  "a|1",
  "\\bab\\b",
  "(a*)*b",
  'a"',
  "\\\\",
];
const fields = ["message", "level", "service", "trace_id", "x", "x.y/z", "a b", "and", "in", '"', "x:"];

const value = fc.oneof(
  fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((parts) => parts.join("")),
  fc.array(fc.constantFrom(...words, ...marks), { maxLength: 3 }).map((parts) => parts.join("")),
  fc.constantFrom(...levels, ...numbers),
);
const filled = value.filter((text) => text !== "");
const operator = fc.constantFrom<CompareOperator>(">", ">=", "<", "<=");

function compareOn(field: string): fc.Arbitrary<FieldMatch> {
  const literals = field === "level" ? levels.filter((level) => severityOf(level) > 0) : numbers.slice(0, -1);
  return fc.record({ kind: fc.constant("compare" as const), operator, text: fc.constantFrom(...literals) });
}

const condition: fc.Arbitrary<FilterNode> = fc.constantFrom(...fields).chain((field) =>
  fc
    .oneof<fc.Arbitrary<FieldMatch>[]>(
      fc.record({ kind: fc.constantFrom("phrase" as const, "prefix" as const), text: filled }),
      fc.record({ kind: fc.constant("exact" as const), text: value }),
      fc.record({
        kind: fc.constant("in" as const),
        texts: fc.array(value, { minLength: 1, maxLength: 3 }),
      }),
      fc.constantFrom({ kind: "present" as const }, { kind: "absent" as const }),
      compareOn(field),
      fc.record({ kind: fc.constant("regexp" as const), pattern: fc.constantFrom(...patterns) }),
    )
    .map((match) => ({ kind: "field", field, match: { ...match } })),
);

/** Trees as the parser makes them: `and` and `or` hold two nodes or more, and none of their own kind. */
function treeOf(depth: number, outer?: "and" | "or"): fc.Arbitrary<FilterNode> {
  if (depth === 0) return condition;
  const kinds = (["and", "or"] as const).filter((kind) => kind !== outer);
  return fc.oneof<fc.Arbitrary<FilterNode>[]>(
    condition,
    fc.constant({ kind: "all" }),
    treeOf(depth - 1).map((node) => ({ kind: "not", node })),
    ...kinds.map((kind) =>
      fc
        .array(treeOf(depth - 1, kind), { minLength: 2, maxLength: 3 })
        .map((nodes): FilterNode => ({ kind, nodes })),
    ),
  );
}

const tree = treeOf(3);

const entry: fc.Arbitrary<FilterableEntry> = fc.record({
  level: fc.constantFrom("TRACE", "ERROR", "WARN", "INFO", "AUDIT", "audit"),
  message: value,
  service: value,
  traceId: value,
  spanId: value,
  attributes: fc.dictionary(fc.constantFrom(...fields.slice(4)), value, { maxKeys: 4 }),
});

const text = fc.oneof(
  fc
    .array(fc.constantFrom(...words, ...marks, "x:", "~", ">", "level:>=", 'f:~"(?=', "in(", " "), {
      maxLength: 12,
    })
    .map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
);

test("a printed tree reads back as the same tree", () => {
  fc.assert(
    fc.property(tree, (node) => {
      assert.deepEqual(parseFilter(formatFilter(node)), node);
    }),
    { numRuns: 1000 },
  );
});

test("any text is a filter whose print is fixed, or refused with a range in it", () => {
  fc.assert(
    fc.property(text, (filter) => {
      try {
        const printed = formatFilter(parseFilter(filter));
        assert.deepEqual(parseFilter(printed), parseFilter(filter));
        assert.equal(formatFilter(parseFilter(printed)), printed);
      } catch (error) {
        if (!(error instanceof FilterSyntaxError)) throw error;
        assert.ok(0 <= error.start && error.start <= error.end && error.end <= filter.length, error.message);
      }
    }),
    { numRuns: 3000 },
  );
});

test("the tokens of any text cover it", () => {
  fc.assert(
    fc.property(text, (filter) => {
      let at = 0;
      for (const token of tokenizeFilter(filter)) {
        assert.equal(token.start, at);
        assert.ok(token.end > token.start);
        at = token.end;
      }
      assert.equal(at, filter.length);
    }),
    { numRuns: 1000 },
  );
});

test("the predicate is what the naive reference says", () => {
  fc.assert(
    fc.property(tree, fc.array(entry, { minLength: 4, maxLength: 4 }), (node, entries) => {
      const predicate = compileFilter(node);
      for (const one of entries) assert.equal(predicate(one), reference(node, one), formatFilter(node));
    }),
    { numRuns: 1500 },
  );
});

// The reference: as slow and as plain as can be, on other means than the code.

function reference(node: FilterNode, one: FilterableEntry): boolean {
  switch (node.kind) {
    case "all":
      return true;
    case "and":
      return node.nodes.every((child) => reference(child, one));
    case "or":
      return node.nodes.some((child) => reference(child, one));
    case "not":
      return !reference(node.node, one);
    case "field":
      return referenceMatch(node.field, node.match, referenceField(node.field, one));
  }
}

function referenceField(field: string, one: FilterableEntry): string {
  const own = {
    level: one.level,
    message: one.message,
    service: one.service,
    trace_id: one.traceId,
    span_id: one.spanId,
  };
  return new Map(Object.entries({ ...one.attributes, ...own })).get(field) ?? "";
}

function referenceMatch(field: string, match: FieldMatch, found: string): boolean {
  const same = (wanted: string): boolean =>
    field === "level" && severityOf(wanted) > 0 ? severityOf(wanted) === severityOf(found) : wanted === found;
  switch (match.kind) {
    case "phrase":
      if (field !== "level") return referencePhrase(match.text, found, false);
      return severityOf(match.text) > 0 ? same(match.text) : fold(match.text) === fold(found);
    case "prefix":
      return referencePhrase(match.text, found, true);
    case "exact":
      return same(match.text);
    case "in":
      return match.texts.some(same);
    case "present":
      return found !== "";
    case "absent":
      return found === "";
    case "compare":
      return referenceCompare(field, match.operator, match.text, found);
    case "regexp":
      return RE2JS.compile(match.pattern).matcher(found).find();
  }
}

/** Simple case folding for the characters that the test uses. */
const fold = (folded: string): string =>
  Array.from(
    folded,
    (c) => ({ A: "a", É: "é", Σ: "σ", ς: "σ" })[c] ?? (/^[A-Z]$/.test(c) ? c.toLowerCase() : c),
  ).join("");

function referencePhrase(phrase: string, found: string, isPrefix: boolean): boolean {
  const [needle, characters] = [Array.from(fold(phrase)), Array.from(fold(found))];
  const isWord = (c: string | undefined): boolean => c !== undefined && /[\p{L}\p{M}\p{N}_]/u.test(c);
  return characters.some((_, at) => {
    const end = at + needle.length;
    if (characters.slice(at, end).join("") !== needle.join("")) return false;
    if (isWord(needle[0]) && isWord(characters[at - 1])) return false;
    return isPrefix || !isWord(needle.at(-1)) || !isWord(characters[end]);
  });
}

/** What the values of `numbers` are: how many of which unit. */
const known: Readonly<Record<string, [number, "amount" | "duration"]>> = {
  "0": [0, "amount"],
  "1": [1, "amount"],
  "-1": [-1, "amount"],
  "1.0": [1, "amount"],
  "1e0": [1, "amount"],
  "1B": [1, "amount"],
  "1KB": [1000, "amount"],
  "1KiB": [1024, "amount"],
  "1000": [1000, "amount"],
  "50": [50, "amount"],
  "11": [11, "amount"],
  "111": [111, "amount"],
  "1111": [1111, "amount"],
  "1s": [1, "duration"],
  "1000ms": [1, "duration"],
  "1m": [60, "duration"],
  "60s": [60, "duration"],
  "1h1m": [3660, "duration"],
};

function referenceCompare(field: string, sign: CompareOperator, literal: string, found: string): boolean {
  if (field === "level") return severityOf(found) > 0 && holds(sign, severityOf(found), severityOf(literal));
  const wanted = known[literal];
  const value = known[found] ?? referenceDecimal(found);
  return wanted !== undefined && value?.[1] === wanted[1] && holds(sign, value[0], wanted[0]);
}

/** The other numbers that `words` can make, such as `-1.`, `.1` and `1b`. */
function referenceDecimal(found: string): [number, "amount"] | undefined {
  const isDecimal = /\d/.test(found) && /^-?\d*\.?\d*(?: ?b)?$/.test(found);
  return isDecimal ? [Number.parseFloat(found), "amount"] : undefined;
}

function holds(sign: CompareOperator, left: number, right: number): boolean {
  return { ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right }[sign];
}
