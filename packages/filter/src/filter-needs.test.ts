import assert from "node:assert/strict";
import { test } from "node:test";
import { severityOf } from "@logsvc/proto";
import fc from "fast-check";
import { type FilterNeeds, filterNeeds } from "./filter-needs.ts";
import type { FieldMatch, FilterNode } from "./filter-node.ts";
import { parseFilter } from "./filter-parser.ts";
import { compileFilter, type FilterableEntry } from "./filter-predicate.ts";

/** Needs as text: words alone, `and` as a space, `or` as a bar. */
function print(needs: FilterNeeds): string {
  switch (needs.kind) {
    case "anything":
    case "nothing":
      return `<${needs.kind}>`;
    case "and":
      return needs.needs.map(print).join(" ");
    case "or":
      return `(${needs.needs.map(print).join("|")})`;
    case "word":
      return needs.word;
    case "field":
      return `<${needs.field}>`;
  }
}

const examples: readonly (readonly [string, string])[] = [
  ["", "<anything>"],
  ["-*", "<nothing>"],
  ["-* OR x", "x"],
  ["* OR x", "<anything>"],
  ["Connection", "connection"],
  ["x x", "x x"],
  ['"connection reset by"', "connection reset by"],
  ["time*", "<anything>"],
  ['"connection re"*', "connection"],
  ['"connection re "*', "connection re"],
  ["caf\u00e92go", "caf 2go"],
  ["/v1/api", "api v1"],
  ["user:=ann-b_1 OR path:in(/a/x, y)", "(ann b_1|a x|y)"],
  ["user:* bytes:>5 -x", "<anything>"],
  ["-(x OR -y)", "y"],
  ["-(x -y)", "<anything>"],
  ["level:error x", "<level> x"],
  ["level:audit", "<level> audit"],
  ["level:in(audit, error)", "<level>"],
  ["service:a -service:b", "<service>"],
  ["-(service:a OR level:error)", "<level> <service>"],
  ["ta\u017fk \u212aey", "task key"],
  ['~"GET /api/v1 "', "api v1"],
  ['~"^GET /api"', "get"],
  ['~" user=(ann|bob) .*[ ;]in$"', "(user ann in|user bob in)"],
  ['~"\\serror\\s+at [0-9]+ms"', "error at"],
  ['~" (a|b|c|d|e) (a|b|c|d) x "', "(a x|b x|c x|d x|e x)"],
  ['~"(?i) Disk (?:full )?"', "disk"],
  ['~"[^0-9A-Za-z_]x "', "<anything>"],
  ['~"a?b|c+d*"', "<anything>"],
  // With a zero in front it is no repetition.
  ['~" a{01}b "', "01 a b"],
  // What is repeated is the quotation's last character, or what stands before an empty one.
  ['~" x a\\Qbc\\E{0}d "', "x"],
  ['~" x ab\\Q\\E{0}d "', "ad x"],
];

test("what filters need", () => {
  for (const [filter, expected] of examples) {
    assert.equal(print(filterNeeds(parseFilter(filter))), expected, filter);
  }
});

test("needs have a bound", () => {
  const many = Array.from({ length: 1000 }, (_, index) => `w${index}`);
  assert.equal(print(filterNeeds(parseFilter(`"${many.join(" ")}"`))).split(" ").length, 8);
  assert.equal(print(filterNeeds(parseFilter(`x:in(${many.join(",")})`))), "<anything>");
});

test("conditions on one field are on one entry", () => {
  const needs = filterNeeds(parseFilter("service:* -service:web level:>=warn -level:fatal"));
  assert.ok(needs.kind === "and");
  const passing = needs.needs.map((need) => {
    assert.ok(need.kind === "field");
    return ["", "web", "api", "INFO", "WARN", "FATAL"].filter(need.matches);
  });
  assert.deepEqual(passing, [["WARN"], ["api", "INFO", "WARN", "FATAL"]]);
});

const pieces = [
  ..."abkKsS_1 -./\u00e9\u00c9\u00df\u0130\u0131\u03c3\u03c2\u65e5\u201c\u2019\u0301\0",
  "\u{1f600}",
  "\u212a",
  "\u017f",
  "ask",
  "ERROR",
];
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((parts) => parts.join(""));
const level = fc.constantFrom("ERROR", "INFO", "audit", "AUDIT", "a-b");

/** Conditions whose texts are mostly parts of `found`, in some case, so that many entries pass. */
function conditionOn(field: string, found: string): fc.Arbitrary<FilterNode> {
  const characters = Array.from(found);
  const part = fc
    .tuple(fc.nat(characters.length), fc.nat(characters.length), fc.constantFrom("", "upper", "lower"))
    .map(([from, to, to_case]) => {
      const taken = characters.slice(Math.min(from, to), Math.max(from, to)).join("");
      if (to_case === "") return taken;
      return Array.from(taken, (one) => {
        const other = to_case === "upper" ? one.toUpperCase() : one.toLowerCase();
        return other.length === one.length ? other : one;
      }).join("");
    });
  const wanted = fc.oneof(part, part, text);
  const match: fc.Arbitrary<FieldMatch> = fc.oneof(
    fc.record({
      kind: fc.constantFrom("phrase" as const, "prefix" as const, "exact" as const),
      text: wanted,
    }),
    fc.record({ kind: fc.constant("exact" as const), text: fc.constant(found) }),
    fc.record({ kind: fc.constant("in" as const), texts: fc.array(wanted, { maxLength: 3 }) }),
    fc.record({
      kind: fc.constant("compare" as const),
      operator: fc.constant(">=" as const),
      text: fc.constant("info"),
    }),
    fc.constantFrom({ kind: "present" as const }, { kind: "absent" as const }),
  );
  return match.map((one) => ({ kind: "field", field, match: { ...one } }));
}

const fields = ["message", "level", "service", "trace_id", "x"] as const;

function textIn(entry: FilterableEntry, field: string): string {
  const { level, message, service, traceId, attributes } = entry;
  return { level, message, service, trace_id: traceId }[field] ?? attributes[field] ?? "";
}

function filterOn(entry: FilterableEntry, depth: number): fc.Arbitrary<FilterNode> {
  const condition = fc.constantFrom(...fields).chain((field) => conditionOn(field, textIn(entry, field)));
  if (depth === 0) return condition;
  const inner = filterOn(entry, depth - 1);
  return fc.oneof<fc.Arbitrary<FilterNode>[]>(
    condition,
    inner.map((node) => ({ kind: "not", node })),
    fc.record({
      kind: fc.constantFrom("and" as const, "or" as const),
      nodes: fc.array(inner, { maxLength: 3 }),
    }),
  );
}

const entryAndFilter = fc
  .record({ level, message: text, service: text, traceId: text, x: text })
  .map(({ x, ...rest }): FilterableEntry => ({ ...rest, spanId: "", attributes: { x } }))
  .chain((entry) => fc.tuple(fc.constant(entry), filterOn(entry, 2)));

/** The words of a text, byte by byte. */
function wordsOf(found: string): string[] {
  const words: string[] = [];
  let word = "";
  const bytes = [...new TextEncoder().encode(found), 0];
  for (let at = 0; at < bytes.length; at++) {
    const [first = 0, second, third] = bytes.slice(at, at + 3);
    const character = String.fromCharCode(first);
    if (/^[0-9A-Za-z_]$/.test(character)) word += character.toLowerCase();
    else if (first === 0xc5 && second === 0xbf) word += "s";
    else if (first === 0xe2 && second === 0x84 && third === 0xaa) word += "k";
    else {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    at += first === 0xc5 ? 1 : first === 0xe2 ? 2 : 0;
  }
  return words;
}

/** Whether a block of this one entry has what is needed. */
function meets(entry: FilterableEntry, needs: FilterNeeds): boolean {
  switch (needs.kind) {
    case "anything":
      return true;
    case "nothing":
      return false;
    case "and":
      return needs.needs.every((need) => meets(entry, need));
    case "or":
      return needs.needs.some((need) => meets(entry, need));
    case "word": {
      const { level, message, service, traceId, attributes } = entry;
      const texts = [message, service, traceId, ...Object.values(attributes)];
      if (severityOf(level) === 0) texts.push(level);
      return texts.flatMap(wordsOf).includes(needs.word);
    }
    case "field":
      return needs.matches(needs.field === "level" ? entry.level : entry.service);
  }
}

test("an entry that passes has what the filter needs", () => {
  let skipped = 0;
  let passed = 0;
  fc.assert(
    fc.property(entryAndFilter, ([entry, filter]) => {
      const needs = filterNeeds(filter);
      if (!meets(entry, needs)) skipped++;
      if (!compileFilter(filter)(entry)) return;
      if (needs.kind !== "anything") passed++;
      assert.ok(meets(entry, needs), print(needs));
    }),
    { numRuns: 5000 },
  );
  assert.ok(skipped > 500 && passed > 500, `${skipped} skipped, ${passed} passed`);
});

test("an entry that a regular expression passes has its words", () => {
  const cores = [
    "ask",
    "ab",
    "(ask|ab)",
    "(?i:ask)",
    "as{1,2}k",
    "\u017fk",
    "k a",
    "( ab){2,3}",
    "[ab]b",
    "(a ){0,1}",
    "",
  ];
  const plain = [" ", " ", "^", "$", "\\s+"];
  const odd = ["\\W", "-", "\\b", "[^a-z]", "[ -]*", "(^| )", "( |$)", "(?m)$", "(?i)", "k?", "."];
  const fences = [...plain, ...plain, ...odd];
  const pattern = fc.tuple(
    fc.constantFrom("", "(?i)"),
    fc.array(fc.tuple(fc.constantFrom(...fences), fc.constantFrom(...cores)), { minLength: 1, maxLength: 2 }),
    fc.constantFrom(...fences),
  );
  const word = fc.constantFrom("ask", "ask", "ASK", "ab", "a", "s", "k", "\u017f", "\u212a", "");
  const subject = fc.array(fc.tuple(word, fc.constantFrom("", " ", " ", "-", "\n")), { maxLength: 3 });
  const subjects = fc.array(subject, { minLength: 12, maxLength: 12 });
  let passed = 0;
  fc.assert(
    fc.property(pattern, subjects, ([flags, atoms, last], texts) => {
      const source = flags + atoms.flat().join("") + last;
      const filter = nodeOf(source);
      if (filter === undefined) return;
      const needs = filterNeeds(filter);
      const matches = compileFilter(filter);
      for (const characters of texts) {
        const entry = { level: "INFO", service: "", traceId: "", spanId: "", attributes: {} };
        const one = { ...entry, message: characters.flat().join("") };
        if (!matches(one)) continue;
        if (needs.kind !== "anything") passed++;
        assert.ok(meets(one, needs), `${source} on ${JSON.stringify(one.message)}: ${print(needs)}`);
      }
    }),
    { numRuns: 5000 },
  );
  assert.ok(passed > 100, `${passed} passed`);
});

function nodeOf(pattern: string): FilterNode | undefined {
  const node: FilterNode = { kind: "field", field: "message", match: { kind: "regexp", pattern } };
  try {
    compileFilter(node);
    return node;
  } catch {
    // No pattern of RE2.
    return undefined;
  }
}
