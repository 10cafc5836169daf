import assert from "node:assert/strict";
import { test } from "node:test";
import { tokenizeFilter } from "./filter-lexer.ts";

const kinds = (text: string): string[] =>
  tokenizeFilter(text)
    .filter((token) => token.kind !== "space")
    .map((token) => `${token.kind} ${text.slice(token.start, token.end)}`);

const cases: [string, string[]][] = [
  ["time* or x", ["word time", "star *", "keyword or", "word x"]],
  [
    'level:>=warn -"a b"',
    ["field level", "operator :", "operator >=", "word warn", "operator -", 'phrase "a b"'],
  ],
  ["url:http://x:80/?a=b", ["field url", "operator :", "word http://x:80/?a=b"]],
  ["t:-5 t:>-5", ["field t", "operator :", "word -5", "field t", "operator :", "operator >", "word -5"]],
  [
    "a:in(b, 'c d',e)",
    [
      "field a",
      "operator :",
      "keyword in",
      "paren (",
      "word b",
      "comma ,",
      "phrase 'c d'",
      "comma ,",
      "word e",
      "paren )",
    ],
  ],
  ["a,b in", ["word a,b", "word in"]],
  ['p:!~"^/a" ~x+', ["field p", "operator :", "operator !~", 'regexp "^/a"', "operator ~", "regexp x+"]],
  ['"a b":and', ['field "a b"', "operator :", "word and"]],
  ["not:x NOT x", ["field not", "operator :", "word x", "keyword NOT", "word x"]],
  ['"a\\"b\\\\" "c', ['phrase "a\\"b\\\\"', 'error "c']],
  ["`a\\` x", ["phrase `a\\`", "word x"]],
  ["it's 10.0.0.1 user-id=5 a|b", ["word it's", "word 10.0.0.1", "word user-id=5", "word a|b"]],
  ["a | b", ["word a", "error |", "word b"]],
  [
    "f:!(a !b)",
    ["field f", "operator :", "operator !", "paren (", "word a", "operator !", "word b", "paren )"],
  ],
];

test("tokens by context", () => {
  for (const [text, expected] of cases) assert.deepEqual(kinds(text), expected, text);
});

test("a long text is cut in one pass", () => {
  const text = `${"(".repeat(50_000)}${"a:".repeat(50_000)}${'"'.repeat(50_001)}`;
  assert.equal(tokenizeFilter(text).at(-1)?.end, text.length);
});
