import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import type { FieldMatch, FilterNode } from "./filter-node.ts";
import { parseFilter } from "./filter-parser.ts";
import { compileText } from "./filter-predicate.ts";
import { regexpPattern, regexpSubject } from "./testing/regexp-patterns.ts";
import { needleOf } from "./text-needle.ts";
import { compileSearch, type TextColumn, TextReader } from "./text-search.ts";

function columnOf(texts: readonly string[], isText = true): TextColumn {
  let end = 0;
  const ends = Uint32Array.from(texts, (text) => (end += Buffer.byteLength(text)));
  return { bytes: Buffer.from(texts.join("")), ends, isText };
}

function matchOf(filter: string): FieldMatch {
  const node: FilterNode = parseFilter(filter);
  assert.ok(node.kind === "field");
  return node.match;
}

/** The candidates among texts, those that are certain with a `!`. */
function candidates(match: FieldMatch, column: TextColumn, from = 0, to = column.ends.length): string[] {
  const found: string[] = [];
  const search = compileSearch(match);
  assert.ok(search, JSON.stringify(match));
  search.forEachCandidate(column, from, to, (index, isCertain) => {
    found.push(isCertain ? `${index}!` : `${index}`);
  });
  return found;
}

const found: readonly (readonly [filter: string, texts: readonly string[], found: string])[] = [
  ["timeout", ["a TimeOut", "", "timeouts", "xtimeout timeout", "time", "out"], "0! 3!"],
  ["timeout", ["\u00e9timeout", "\u201ctimeout\u201d", "timeout"], "0 1 2!"],
  ["task", ["TASK", "ta\u017fk", "tas\u212a", "ta"], "0! 1! 2!"],
  ["time*", ["timeouts", "uptime"], "0!"],
  ["caf\u00e9-time", ["-time", "caf\u00c9-TIME", "x"], "0 1"],
  ["\u65e5\u672c", ["\u65e5\u672c!", "\u65e5\u672c\u8a9e", "\u65e5"], "0! 1"],
  ["aa", ["xa", "aa", "aaa", "a", "a"], "1!"],
  ["x:=abc", ["abc", "abcd", "ab", "c", "ABC"], "0!"],
  ["x:in(abc, ab)", ["abc", "ab", "c", "b"], "0 1"],
  ['~"status=5\\d\\d"', ["status=503", "status=5", "03", "status=404 status=500"], "0! 3!"],
  ['~"user-[0-9a-f]+"', ["user-", "0", "user-f", "User-1"], "2!"],
  ['~"(?i)user-[g-h]"', ["uSer-H", "u\u017fer-g", "user-\u00e9"], "0! 1!"],
  ['~"^GET /api/.*"', ["GET /api/x", "x GET /api/"], "0!"],
  ['~"took \\d+ms"', ["took 5s", "took 12ms", "took ms"], "0 1"],
  ['~"(?i)fail(ed|ure)"', ["FAILED", "fails", "fai", "led"], "0 1"],
  ['~"ab+c|abd"', ["abx", "abd", "ac", "abbc"], "0 1 3"],
  ['~"\\bdisk\\b"', ["disk", "disks", "\u00e9disk", "a disk!", "Disk"], "0! 2! 3!"],
  ['~"(?i)\\bdisk\\b"', ["\u017fdisk", "disks", "DISK", "dis\u212a", "disk_"], "0 1 2 3 4"],
];

test("candidates, and which of them are certain", () => {
  for (const [filter, texts, expected] of found) {
    const match = matchOf(filter);
    assert.equal(candidates(match, columnOf(texts)).join(" "), expected, filter);
    // Among other bytes nothing is certain, and nothing is left out.
    const records = candidates(
      match,
      columnOf(
        texts.map((text) => `1a${text}z`),
        false,
      ),
    );
    for (const one of expected.replaceAll("!", "").split(" ")) assert.ok(records.includes(one), filter);
    assert.ok(!records.join(" ").includes("!"), filter);
  }
});

test("conditions that there is no search for", () => {
  for (const filter of [
    "x:*",
    'x:""',
    "x:>5",
    "\u00c9\u00e9",
    '~"[0-9]+"',
    '~"a?b?"',
    '~"x.y"',
    "a",
    "e*",
    'x:in(a, "")',
  ]) {
    assert.equal(compileSearch(matchOf(filter)), undefined, filter);
  }
});

test("only the texts that are asked for are looked at", () => {
  const column = columnOf(["xx", "xx", "xx", "xx"]);
  assert.deepEqual(candidates(matchOf("xx"), column, 1, 3), ["1!", "2!"]);
  assert.deepEqual(candidates(matchOf("xx"), column, 2, 2), []);
});

test("texts longer than a piece, and pieces that end within a phrase", () => {
  const long = "y".repeat(20_000);
  const texts = [`${long} needle`, "needle", ...Array<string>(5000).fill("need"), `le ${long}`, "a needle"];
  assert.deepEqual(candidates(matchOf("needle"), columnOf(texts)), ["0!", "1!", "5003!"]);
});

test("what is thrown ends the search", () => {
  const stop = () => {
    throw new RangeError("enough");
  };
  assert.throws(
    () => compileSearch(matchOf("aa"))?.forEachCandidate(columnOf(["aa"]), 0, 1, stop),
    RangeError,
  );
});

test("characters without upper and lower case, which a search takes as they are, fold to no other", () => {
  // Beyond there is none that has a case.
  const characters = Array.from({ length: 0x20000 }, (_, code) => String.fromCodePoint(code));
  const all = characters.filter((character) => character.isWellFormed() && character !== "\ufffd");
  const hasCase = (one: string) => one.toLowerCase() !== one || one.toUpperCase() !== one;
  const cased = all.filter(hasCase);
  const anyCased = new RegExp(`^[${cased.join("")}]$`, "iu");
  assert.ok(cased.length > 2000, `${cased.length}`);
  assert.deepEqual(
    all.filter((one) => !hasCase(one) && anyCased.test(one)),
    [],
  );
  const others = cased.filter((one) => one > "\x80");
  const taken = others.filter((one) => needleOf({ kind: "phrase", text: one + one }) !== undefined);
  assert.deepEqual(taken, ["\u017f", "\u212a"]);
});

/** Every text that matches is a candidate, and every certain one matches. */
function check(match: FieldMatch, texts: readonly string[]): number {
  if (compileSearch(match) === undefined) return 0;
  const matches = compileText(match);
  const all = candidates(match, columnOf(texts));
  const records = candidates(
    match,
    columnOf(
      texts.map((text) => `k\u0000${text}s`),
      false,
    ),
  );
  for (const [index, text] of texts.entries()) {
    const hint = `${JSON.stringify(match)} on ${JSON.stringify(texts)}, ${index}: ${all.join(" ")}`;
    const isCertain = all.includes(`${index}!`);
    if (matches(text))
      assert.ok((isCertain || all.includes(`${index}`)) && records.includes(`${index}`), hint);
    else assert.ok(!isCertain, hint);
  }
  return all.length;
}

const pieces = [
  ..."aabkKsS_ -.\u00e9\u0130\u65e5\u0301\0\ufffd",
  "\u{1f600}",
  "\u212a",
  "\u017f",
  "ask",
  "bb",
];
const text = fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((parts) => parts.join(""));

/** A part of a text, in some case. */
function partOf(found: string): fc.Arbitrary<string> {
  const characters = Array.from(found);
  const ends = fc.tuple(fc.nat(characters.length), fc.nat(characters.length));
  const change = fc.constantFrom<((one: string) => string)[]>(
    (one) => one,
    (one) => one.toUpperCase(),
    (one) => one.toLowerCase(),
  );
  return fc.tuple(ends, change).map(([[from, to], changed]) =>
    characters
      .slice(Math.min(from, to), Math.max(from, to))
      .map((one) => (changed(one).length === one.length ? changed(one) : one))
      .join(""),
  );
}

function matchOn(found: string): fc.Arbitrary<FieldMatch> {
  const part = partOf(found);
  return fc.oneof<fc.Arbitrary<FieldMatch>[]>(
    fc.record({ kind: fc.constantFrom("phrase" as const, "prefix" as const), text: part }),
    fc.record({ kind: fc.constant("exact" as const), text: fc.oneof(part, fc.constant(found)) }),
    fc.record({ kind: fc.constant("in" as const), texts: fc.array(part, { maxLength: 3 }) }),
  );
}

test("no matching text is left out, and none is certain that does not match", () => {
  let hits = 0;
  const texts = fc.array(text, { minLength: 1, maxLength: 12 });
  const both = texts.chain((all) => fc.tuple(fc.constant(all), matchOn(all[0] ?? "")));
  fc.assert(
    fc.property(both, ([all, match]) => {
      hits += check(match, all);
    }),
    { numRuns: 4000 },
  );
  assert.ok(hits > 500, `${hits} candidates`);
});

test("neither with regular expressions", () => {
  const literal = fc.constantFrom("as", "k ", "ab", "^aK", "sk$", "-1", "\\bab", "ab\\b", "(ab|k1)", "");
  const pattern = fc
    .tuple(fc.constantFrom("", "(?i)", "(?m)"), literal, regexpPattern, literal)
    .map((parts) => parts.join(""));
  const part = fc.oneof(
    fc.constantFrom("as", "k ", "ab", "AB", "aK", "sk", "-1", "\u017f\u212a"),
    regexpSubject.map((characters) => characters.slice(0, 3).join("")),
  );
  const texts = fc.array(
    fc.array(part, { maxLength: 4 }).map((parts) => parts.join("")),
    { minLength: 8, maxLength: 8 },
  );
  let hits = 0;
  fc.assert(
    fc.property(pattern, texts, (source, all) => {
      const match: FieldMatch = { kind: "regexp", pattern: source };
      if (isPattern(match)) hits += check(match, all);
    }),
    { numRuns: 4000 },
  );
  assert.ok(hits > 500, `${hits} candidates`);
});

function isPattern(match: FieldMatch): boolean {
  try {
    compileText(match);
    return true;
  } catch {
    // No pattern of RE2.
    return false;
  }
}

test("a reader gives the texts in whatever order", () => {
  const some = fc.array(fc.oneof(text, fc.constantFrom("plain ascii", "x".repeat(9000))), {
    minLength: 1,
  });
  fc.assert(
    fc.property(some, fc.array(fc.nat()), (texts, order) => {
      const reader = new TextReader(columnOf(texts));
      const rising = texts.map((_, index) => index);
      const places = [...rising, ...rising.toReversed(), ...order.map((index) => index % texts.length)];
      for (const index of places) assert.equal(reader.textAt(index), texts[index]);
    }),
    { numRuns: 300 },
  );
});
