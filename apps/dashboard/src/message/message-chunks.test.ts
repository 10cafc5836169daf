import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAnsi } from "./ansi.ts";
import { chunkLinesMax, chunkSpans, clipText } from "./message-chunks.ts";

const textOf = (text: string): string =>
  chunkSpans(parseAnsi(text))
    .map((chunk) => chunk.spans.map((span) => span.text).join(""))
    .join("\n");

test("chunks, put together by line breaks, are the text", () => {
  const line = fc.constantFrom("a", "", "\u001b[31m", "b\u001b[0mc", "\n");
  fc.assert(
    fc.property(fc.array(line, { maxLength: 700 }), (lines) => {
      const text = lines.join("\n");
      const shown = parseAnsi(text)
        .map((span) => span.text)
        .join("");
      assert.equal(textOf(text), shown);
    }),
  );
});

test("a chunk has a bounded number of lines, and a long line stays whole", () => {
  const chunks = chunkSpans([{ text: Array.from({ length: 1_000 }, (_, i) => `line ${i}`).join("\n") }]);
  assert.equal(chunks.length, 10);
  assert.ok(chunks.every((chunk) => chunk.lines === chunkLinesMax));
  assert.equal(chunkSpans([{ text: "x".repeat(1_000_000) }]).length, 1);
});

test("a clipped text ends at a line end, or between two characters", () => {
  assert.deepEqual(clipText("short", 100), { text: "short", left: 0 });
  assert.deepEqual(clipText(`${"a".repeat(80)}\n${"b".repeat(80)}`, 100), { text: "a".repeat(80), left: 81 });
  assert.deepEqual(clipText("x".repeat(200), 100), { text: "x".repeat(100), left: 100 });
  assert.equal(clipText(`${"x".repeat(99)}${"😀".repeat(50)}`, 100).text, "x".repeat(99));
});
