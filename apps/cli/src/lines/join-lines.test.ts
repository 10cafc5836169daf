import assert from "node:assert/strict";
import { test } from "node:test";
import { createSeededRandom } from "../testing/seeded-random.ts";
import { LineJoiner, type Multiline } from "./join-lines.ts";
import type { Line } from "./read-lines.ts";

function linesOf(texts: readonly string[]): Line[] {
  let end = 0;
  return texts.map((text) => {
    end += text.length + 1;
    return { text, end };
  });
}

function join(texts: readonly string[], multiline: Multiline = "auto", bytesMax = 10_000): string[] {
  const joiner = new LineJoiner({ multiline, bytesMax });
  return [...joiner.push(linesOf(texts)), ...joiner.flush()].map(({ text }) => text);
}

/** Each of these is one record. */
const traces = {
  node: ["Error: boom", "    at f (/a.js:1:2)", "    at g (/a.js:3:4) {", "  code: 'E',", "}"],
  java: [
    "2026-11-29 10:00:00 ERROR request failed",
    "java.lang.IllegalStateException: no".replace("java", "\tjava"),
    "\tat a.B.c(B.java:1)",
    "Caused by: java.io.IOException: gone",
    "\tat a.B.d(B.java:2)",
    "\t... 12 more",
  ],
  python: [
    "ERROR:root:failed",
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in f',
    "    g()",
    "KeyError: 'k'",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    "Traceback (most recent call last):",
    '  File "a.py", line 3, in h',
    "requests.exceptions.ConnectionError: refused",
  ],
  go: [
    "panic: runtime error: index out of range [5] with length 3",
    "",
    "goroutine 1 [running]:",
    "main.main()",
    "\t/tmp/main.go:8 +0x1d",
    "exit status 2",
  ],
  dotnet: [
    "System.Exception: no",
    "   at A.B() in a.cs:line 1",
    "   --- End of inner exception stack trace ---",
  ],
};

for (const [language, lines] of Object.entries(traces)) {
  test(`a trace of ${language} is one text, and its neighbours are others`, () => {
    assert.deepEqual(join(["before", ...lines, "after"]), ["before", lines.join("\n"), "after"]);
  });
}

test("off joins nothing, and JSON goes on nothing", () => {
  assert.deepEqual(join(["a", "  b"], "off"), ["a", "  b"]);
  assert.deepEqual(join(['{"a":1}', '{"b":1}', "  c"]), ['{"a":1}', '{"b":1}', "  c"]);
  const joiner = new LineJoiner({ multiline: "auto", bytesMax: 100 });
  assert.equal(joiner.push(linesOf(['{"a":1}'])).length, 1, "a line of JSON does not wait for the next one");
});

test("a pattern says which lines are first ones", () => {
  const lines = ["rest", "[1] a", "b", "", "c", "[2] d"];
  assert.deepEqual(join(lines, /^\[\d+\]/), ["rest", "[1] a\nb\n\nc", "[2] d"]);
});

test("blank lines at the end are no part of what is before", () => {
  assert.deepEqual(join(["a", "  b", "", "  c"]), ["a\n  b", "", "  c"]);
  assert.deepEqual(join(["[1]", "", ""], /^\[/), ["[1]", "", ""]);
});

test("parts of an overlong line are joined to nothing, and what is joined is bounded", () => {
  const joiner = new LineJoiner({ multiline: "auto", bytesMax: 100 });
  const lines: Line[] = [
    { text: "a", end: 2 },
    { text: " b", part: 1, end: 4 },
    { text: " c", part: 2, end: 7 },
    { text: " d", end: 10 },
  ];
  assert.deepEqual(
    [...joiner.push(lines), ...joiner.flush()].map(({ text }) => text),
    ["a", " b", " c", " d"],
  );
  assert.deepEqual(join(["aaaa", " bbb", " ccc", " ddd"], "auto", 10), ["aaaa\n bbb", " ccc\n ddd"]);
});

test("reading on at the end of any joined line finds the same ones", () => {
  const random = createSeededRandom(6);
  const pieces: [string, ...string[]] = ["z", ...Object.values(traces).flat(), "", "x", "{}", "[1] x", "  y"];
  const modes: [Multiline, Multiline] = ["auto", /^\[\d+\]/];
  for (let round = 0; round < 1000; round++) {
    const lines = linesOf(Array.from({ length: random.int(1, 30) }, () => random.pick(pieces)));
    const multiline = random.pick(modes);
    const joinFrom = (start: number): Line[] => {
      const joiner = new LineJoiner({ multiline, bytesMax: 300 });
      const joined = [...joiner.push(lines.filter(({ end }) => end > start)), ...joiner.flush()];
      return joined.filter(({ text }) => text.trim() !== "");
    };
    const all = joinFrom(0);
    for (const { end } of all)
      assert.deepEqual(
        joinFrom(end),
        all.filter((line) => line.end > end),
      );
  }
});
