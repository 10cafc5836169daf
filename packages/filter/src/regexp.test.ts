import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RE2JS } from "re2js";
import { compileRegexp } from "./regexp.ts";
import { nativeRegexpOf, readRegexpStructure, regexpSizeOf } from "./regexp-structure.ts";

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

const leaf = fc.constantFrom(
  ..."abkKsSß1 .^$-".split(""),
  ...[
    "\\d",
    "\\D",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\.",
    "\\-",
    "\\n",
    "\\b",
    "\\B",
    "\\A",
    "\\z",
    "\u212A",
    "\u017F",
    "İ",
    "ς",
    "😀",
    "\\{",
  ],
  ...[
    "[ab]",
    "[^ab]",
    "[a-k]",
    "[^a-k1]",
    "[\\w.-]",
    "[-.]",
    '[^\\s"]',
    "[\\d\\n]",
    "[\\]\\[^]",
    '[\\.\\"]',
    "[κ-ω]",
    "[\\d-z]",
    "[[:alpha:]]",
  ],
  ...["\\pL", "\\x41", "\\Qa.\\E", "(?i)", "(?-i:k)", "{", "}", "]"],
);

const pattern = fc
  .tuple(
    fc.constantFrom("", "", "(?i)", "(?s)", "(?is)"),
    fc.letrec<{ part: string }>((tie) => ({
      part: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        leaf,
        fc
          .tuple(tie("part"), fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{2,}", "+?", "{0}"))
          .map(([x, sign]) => x + sign),
        fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")),
        fc.array(tie("part"), { minLength: 1, maxLength: 3 }).map((parts) => `(${parts.join("|")})`),
        tie("part").map((x) => `(?:${x})`),
        tie("part").map((x) => `(?P<n>${x})`),
      ),
    })).part,
  )
  .map(([flags, part]) => flags + part);

const subject = fc.array(
  fc.constantFrom(...'aabbkKsSß1. -^{]"\n\rAZλΩ', "\u212A", "\u017F", "İ", "i", "ς", "Σ", "😀", "\u2028"),
  { maxLength: 12 },
);

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
    fc.property(pattern, fc.array(subject, { minLength: 8, maxLength: 8 }), (text, subjects) => {
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
    fc.property(pattern, (text) => {
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
        leaf,
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
