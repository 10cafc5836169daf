import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@logsvc/proto";
import type { FieldMatch, FilterNode } from "./filter-node.ts";
import { parseFilter } from "./filter-parser.ts";
import { formatFilter } from "./filter-printer.ts";
import { FilterSyntaxError } from "./filter-syntax-error.ts";

const on = (field: string, match: FieldMatch): FilterNode => ({ kind: "field", field, match });
const phrase = (text: string, field = "message"): FilterNode => on(field, { kind: "phrase", text });
const and = (...nodes: FilterNode[]): FilterNode => ({ kind: "and", nodes });
const or = (...nodes: FilterNode[]): FilterNode => ({ kind: "or", nodes });
const not = (node: FilterNode): FilterNode => ({ kind: "not", node });
const [a, b, c] = [phrase("a"), phrase("b"), phrase("c")];

/** Text, its tree, and its print where that is not the text. */
const trees: [string, FilterNode, string?][] = [
  ["", { kind: "all" }, "*"],
  [" \n", { kind: "all" }, "*"],
  ["*", { kind: "all" }],
  ["timeout", phrase("timeout")],
  ['"connection reset"', phrase("connection reset")],
  ["'it is \"so\"'", phrase('it is "so"'), '"it is \\"so\\""'],
  ["`C:\\dir\\`", phrase("C:\\dir\\"), '"C:\\dir\\\\"'],
  ['"C:\\dir"', phrase("C:\\dir")],
  ["it's", phrase("it's")],
  ['"and" "in"', and(phrase("and"), phrase("in"))],
  ["time*", on("message", { kind: "prefix", text: "time" })],
  ['"unexpected fail"*', on("message", { kind: "prefix", text: "unexpected fail" })],
  ["field:word", phrase("word", "field")],
  ['field:"a phrase"', phrase("a phrase", "field")],
  ["field:=exact", on("field", { kind: "exact", text: "exact" })],
  ["field:= exact", on("field", { kind: "exact", text: "exact" }), "field:=exact"],
  ["field:!=exact", not(on("field", { kind: "exact", text: "exact" })), "-field:=exact"],
  ["field:!word", not(phrase("word", "field")), "-field:word"],
  ['field:=""', on("field", { kind: "exact", text: "" })],
  ["field:*", on("field", { kind: "present" })],
  ["message:*", on("message", { kind: "present" })],
  ['field:""', on("field", { kind: "absent" })],
  ['""', on("message", { kind: "absent" })],
  ["level:error", phrase("error", "level")],
  ["level:>=warn", on("level", { kind: "compare", operator: ">=", text: "warn" })],
  ["status:> 500", on("status", { kind: "compare", operator: ">", text: "500" }), "status:>500"],
  ["t:<-1.5s", on("t", { kind: "compare", operator: "<", text: "-1.5s" })],
  ["bytes:<=10KiB", on("bytes", { kind: "compare", operator: "<=", text: "10KiB" })],
  ['"http.status code":>=500', on("http.status code", { kind: "compare", operator: ">=", text: "500" })],
  ["k8s.io/pod-name:x", phrase("x", "k8s.io/pod-name")],
  ['f:in(a, "b c",d)', on("f", { kind: "in", texts: ["a", "b c", "d"] }), 'f:in(a, "b c", d)'],
  ["f:IN (-a)", on("f", { kind: "in", texts: ["-a"] }), "f:in(-a)"],
  ['in("a, b", in)', on("message", { kind: "in", texts: ["a, b", "in"] })],
  ['~"5\\d\\d"', on("message", { kind: "regexp", pattern: "5\\d\\d" })],
  ['~"5\\\\d"', on("message", { kind: "regexp", pattern: "5\\d" }), '~"5\\d"'],
  ['path:~"^/api"', on("path", { kind: "regexp", pattern: "^/api" })],
  ["path:~^/api", on("path", { kind: "regexp", pattern: "^/api" }), 'path:~"^/api"'],
  ['!~"x"', not(on("message", { kind: "regexp", pattern: "x" })), '-~"x"'],
  ['path:!~"x"', not(on("path", { kind: "regexp", pattern: "x" })), '-path:~"x"'],
  ["a b", and(a, b)],
  ["a AND b and c", and(a, b, c), "a b c"],
  ["a (b c)", and(a, b, c), "a b c"],
  ["a OR b c", or(a, and(b, c))],
  ["(a or b) c", and(or(a, b), c), "(a OR b) c"],
  ["-a OR b", or(not(a), b)],
  ["NOT a b", and(not(a), b), "-a b"],
  ["!(a b)", not(and(a, b)), "-(a b)"],
  ["not -a", not(not(a)), "--a"],
  ["((a))", a, "a"],
  [
    "f:(a OR -b* =C)",
    or(
      phrase("a", "f"),
      and(not(on("f", { kind: "prefix", text: "b" })), on("f", { kind: "exact", text: "C" })),
    ),
    "f:a OR -f:b* f:=C",
  ],
  [
    "f:(a (b OR g:c) *) d",
    and(phrase("a", "f"), or(phrase("b", "f"), phrase("c", "g")), on("f", { kind: "present" }), phrase("d")),
    "f:a (f:b OR g:c) f:* d",
  ],
  ["op:and x:in", and(phrase("and", "op"), phrase("in", "x")), 'op:and x:"in"'],
  ["url:http://h:80/?a=b,c", phrase("http://h:80/?a=b,c", "url")],
  [
    "10.0.0.1 /api/v1 user-id=5 a,b",
    and(phrase("10.0.0.1"), phrase("/api/v1"), phrase("user-id=5"), phrase("a,b")),
  ],
];

test("text to tree, and back", () => {
  for (const [text, tree, print = text] of trees) {
    assert.deepEqual(parseFilter(text), tree, text);
    assert.equal(formatFilter(tree), print, text);
    assert.deepEqual(parseFilter(print), tree, print);
  }
});

/** A text with the fault between « and », and what the reason must say. */
const faults: [string, RegExp][] = [
  ['a «"b c»', /quote is not closed; expected "/],
  ["f:«'x»", /quote is not closed; expected '/],
  ["a «AND»", /expected a condition after AND/],
  ["a «OR»", /expected a condition after OR/],
  ["«OR» a", /expected a condition, found `OR`/],
  ["a AND «OR» b", /expected a condition after AND, found `OR`/],
  ["«NOT»", /expected a condition after NOT/],
  ["a «-»", /expected a condition after -/],
  ["a «-» b", /directly before what it negates/],
  ["f:«!» x", /directly before what it negates/],
  ["a«)»", /without a `\(`/],
  ["«)»", /expected a condition, found `\)`/],
  ["«(»a", /not closed; expected `\)`/],
  ["a «()»", /empty parentheses/],
  ["f:«(»", /expected a condition after `\(`/],
  ["f:«in()»", /`in\(\)` is empty/],
  ["f:in«(»a", /not closed/],
  ["f:in(a «b»)", /expected `,` or `\)`/],
  ["f:in(a, «)»", /expected a value/],
  ["f:in(«*»)", /expected a value/],
  ["«f:» x", /directly after `f:`/],
  ["«f:»", /directly after `f:`/],
  ["«error:» refused", /put text that holds a colon in quotes/],
  ["«:»x", /expected a condition, found `:`/],
  ['«""»:x', /name is empty/],
  ["f:«=»", /a value after `=`/],
  ["f:=a«*»", /no `\*` after `=`/],
  ["f:>«)»", /a value after `>`/],
  ["level:>«loud»", /`loud` can't be compared; expected a level such as/],
  ["status:>=«high»", /expected a number, a duration such as/],
  ["size:>«10M»", /10M/],
  ["a«*»b", /at the end of a word/],
  ['«""*»', /nothing before `\*`/],
  ["«main(»)", /not a function/],
  ['«a"b"»', /other text without a space/],
  ['«{app="x"»}', /other text without a space/],
  ["a «|» stats", /no pipes/],
  ["«timestamp»:>5", /time is not in the filter/],
  ["«~»", /a regular expression in quotes/],
  ["~«*»", /unexpected `\*`/],
  ['~"a«(?=»b)"', /looking ahead or behind/],
  ['~"[(?=] «(?<!»b)"', /looking ahead or behind/],
  ['~"(a)«\\1»"', /reference to a group/],
  ['~"\\"\\\\. «(»a"', /not closed/],
  ["~`a«)»`", /without a `\(`/],
  ['~"x«[(a»"', /missing closing \]/],
  ['~"«*»a"', /missing argument/],
  ['~"a{2}b«{9,3}»"', /invalid repeat count/],
  ['~"«(?:.{1000}){2}.»"', /the limit is 1000/],
];

function faultOf(text: string): FilterSyntaxError {
  try {
    parseFilter(text);
  } catch (error) {
    if (error instanceof FilterSyntaxError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: `no error: ${text}` });
}

test("faults, with their exact range", () => {
  for (const [marked, reason] of faults) {
    const text = marked.replace(/[«»]/g, "");
    const fault = faultOf(text);
    const shown = `${text.slice(0, fault.start)}«${text.slice(fault.start, fault.end)}»${text.slice(fault.end)}`;
    assert.equal(shown, marked, fault.message);
    assert.match(fault.reason, reason, text);
    assert.equal(fault.message, `filter, character ${fault.start + 1}: ${fault.reason}`);
  }
});

test("the limits name themselves and the value", () => {
  assert.match(faultOf("a ".repeat(4097)).reason, /8194 bytes.*8192/);
  assert.match(faultOf("é".repeat(4097)).reason, /8194 bytes.*8192/);
  assert.match(faultOf("x".repeat(10_000_000)).reason, /10000000 bytes/);
  const deep = limits.filterDepthMax;
  assert.ok(parseFilter(`${"(".repeat(deep)}a${")".repeat(deep)}`));
  assert.match(faultOf(`${"(".repeat(deep + 1)}a`).reason, /deeper than the limit of 64/);
  assert.match(faultOf(`${"-".repeat(8000)}a`).reason, /deeper/);
  assert.match(faultOf(`${"f:!(".repeat(40)}a`).reason, /deeper/);
  assert.match(faultOf(`${"k".repeat(129)}:a`).reason, /129 bytes, the limit is 128/);
  assert.match(faultOf('~"a" '.repeat(17)).reason, /limit of 16/);
  assert.match(
    faultOf('~".{400}" ~".{400}" ~".{400}"').reason,
    /about 12\d\d steps together, the limit is 1000/,
  );
});

test("what parses prints within the limit, so that it can be read again", () => {
  assert.match(faultOf(`${"k".repeat(100)}:(${"a ".repeat(100)})`).reason, /written out in full/);
});
