import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RE2JS } from "re2js";
import { compileRegexp } from "./regexp.ts";
import { nativeRegexpOf, readRegexpStructure, regexpSizeOf } from "./regexp-structure.ts";
import { regexpLeaf, regexpPattern, regexpSubject } from "./testing/regexp-patterns.ts";

const nativeOf = (pattern: string): string | undefined =>
  nativeRegexpOf(readRegexpStructure(pattern))?.toString();

test("usual patterns run in RegExp", () => {
  const patterns = [
    "5\\d\\d",
    "^/api",
    "(?i)timeout|refused",
    "user=\\w+",
    "\\d+\\.\\d+\\.\\d+\\.\\d+",
    ".*foo.*",
  ];
  const more = [
    '"[^"]*"',
    "\\bfailed\\b",
    "^\\d+$",
    "took \\d+ms",
    "\\w+@\\w+",
    "[a-zA-Z]+Exception",
    "(GET|POST) /v\\d",
    "\\[\\w+\\]",
  ];
  for (const pattern of [...patterns, ...more]) assert.ok(nativeOf(pattern), pattern);
});

test("patterns that can backtrack, and those that RegExp reads otherwise, are left to RE2", () => {
  const backtracking = ["(x+x+)+y", "a.*b", "a(b|bb)*c", "x\\d+\\d", "a\\d+[.]", "(a?){20}a", "(a|b){9}c"];
  const different = [
    "(?m)^a",
    "a(?i)b",
    "(?i)\\bx",
    "\\B",
    "\\pL",
    "[[:alpha:]]",
    "\\Qa\\E",
    "[\\d-z]",
    "[a&&b]",
    "\\x41",
    "(?U)a+b",
  ];
  for (const pattern of [...backtracking, ...different]) assert.equal(nativeOf(pattern), undefined, pattern);
});

test("a number with a zero before it repeats nothing", () => {
  const matches = compileRegexp("a{01}b|c{1,02}d");
  for (const text of ["ab", "ccd"]) assert.ok(!matches(text), text);
  for (const text of ["a{01}b", "c{1,02}d"]) assert.ok(matches(text), text);
});

function re2Of(text: string): RE2JS | undefined {
  try {
    return RE2JS.compile(text);
  } catch {
    // Not a pattern: what becomes of it is the parser's tests' concern.
    return undefined;
  }
}

test("RegExp, where it is used, and RE2 agree", () => {
  let natives = 0;
  fc.assert(
    fc.property(regexpPattern, fc.array(regexpSubject, { minLength: 8, maxLength: 8 }), (text, subjects) => {
      const re2 = re2Of(text);
      if (re2 === undefined) return;
      if (nativeOf(text) !== undefined) natives++;
      const matches = compileRegexp(text);
      for (const characters of subjects) {
        const haystack = characters.join("");
        assert.equal(
          matches(haystack),
          re2.test(haystack),
          `${text} ${nativeOf(text)} on ${JSON.stringify(haystack)}`,
        );
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(natives > 400, `only ${natives} patterns were native`);
});

test("the size is known before RE2 compiles", () => {
  fc.assert(
    fc.property(regexpPattern, (text) => {
      const re2 = re2Of(text);
      if (re2 === undefined) return;
      const size = regexpSizeOf(readRegexpStructure(text).part);
      // Besides the parts there are a start, a match, and two for every group, which is copied 16 times at most here.
      const groups = text.split("(").length - 1;
      assert.ok(
        re2.programSize() <= 2 * size + 4 + 2 * groups * 16,
        `${text}: ${re2.programSize()}, read as ${size}`,
      );
    }),
    { numRuns: 500 },
  );
});

test("catastrophic patterns end on long texts", () => {
  const patterns = [
    "(x+x+)+y",
    "(a|aa)+$",
    "(a*)*b",
    "(.*a){10}b",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
    "a.*b.*c",
    "\\d+\\.\\d+x",
    "x\\d+y",
    "1\\.*1",
    '"[^"]*"x',
  ];
  const texts = ["x", "a", "1", "aA", "1.", '"a'].map((unit) => unit.repeat(100_000 / unit.length));
  texts.push(`x${"1".repeat(100_000)}`, `"${"a".repeat(100_000)}`);
  for (const text of patterns) {
    const matches = compileRegexp(text);
    for (const haystack of texts) matches(haystack);
  }
});

test("anything is either a pattern or refused with a range in it", () => {
  const anything = fc
    .array(
      fc.oneof(
        regexpLeaf,
        fc.constantFrom("(", ")", "[", "]", "\\", "*", "(?", "(?=", "\\1", "{9}", "{1001}", "|"),
      ),
    )
    .map((x) => x.join(""));
  fc.assert(
    fc.property(fc.oneof(anything, fc.string()), (text) => {
      try {
        compileRegexp(text)("abc");
      } catch (error) {
        assert.ok(error instanceof Error && error.name === "RegexpSyntaxError", String(error));
        const { start, end } = error as unknown as { start: number; end: number };
        assert.ok(start >= 0 && start <= end && end <= text.length, `${start} ${end} in ${text}`);
      }
    }),
    { numRuns: 1000 },
  );
});

test("what RE2 has not is refused at its place, with what to write instead", () => {
  const refused: readonly (readonly [pattern: string, start: number, end: number, reason: RegExp])[] = [
    ["ab(?!c)", 2, 5, /^`\(\?!`: looking ahead or behind .* write two conditions/],
    ["(?<=a)b", 0, 4, /^`\(\?<=`: looking/],
    ["(a)\\1", 3, 5, /^`\\1`: a reference to a group/],
    ["(?P<n>a)(?P=n)", 8, 12, /^`\(\?P=`: a reference to a group/],
    ["x(?>a)", 1, 4, /^`\(\?>`: .* write `\(\?:`/],
    ["ba++", 2, 4, /^`\+\+`: .* leave out the `\+`/],
    ["ba{2}+", 2, 6, /^`\{2\}\+`: .* leave out the `\+`/],
    ["a\\Z", 1, 3, /^`\\Z`: write `\\z` or `\$`/],
    ["\\u0041", 0, 2, /^`\\u`: .*`\\x\{…\}`/],
    ["a(?#b)", 1, 4, /^`\(\?#`: there are no comments/],
    ["(?x)a", 0, 3, /^`\(\?x`: there are no comments/],
  ];
  for (const [pattern, start, end, message] of refused) {
    assert.throws(() => compileRegexp(pattern), { name: "RegexpSyntaxError", start, end, message }, pattern);
  }
});
