import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { faultOf, groupingOf, highlightFilter } from "./filter-highlight.ts";

test("a text is cut into pieces that cover it, whatever it is", () => {
  const property = fc.property(fc.string(), (text) => {
    const pieces = highlightFilter(text, faultOf(text));
    assert.equal(pieces.map((piece) => piece.text).join(""), text);
    assert.ok(pieces.every((piece) => text.startsWith(piece.text, piece.start)));
  });
  fc.assert(property);
});

test("the fault is where it is", () => {
  const marked = (text: string): string =>
    highlightFilter(text, faultOf(text))
      .map((piece) => (piece.faulty ? `[${piece.text}]` : piece.text))
      .join("");
  assert.equal(marked("a level:>=high b"), "a level:>=[high] b");
  assert.equal(marked('a "b c'), 'a ["b c]');
  assert.equal(marked("a b"), "a b");
  assert.equal(marked("x:~'a(?=b)'"), "x:~'a[(?=]b)'");
  assert.deepEqual(faultOf("a)"), { start: 1, end: 2, reason: "`)` without a `(` before it" });
  assert.equal(faultOf(""), undefined);
});

test("kinds", () => {
  const kinds = highlightFilter("-a NOT level:>=warn").filter(({ kind }) => kind !== "space");
  assert.deepEqual(
    kinds.map(({ text, kind }) => `${text} ${kind}`),
    ["- negation", "a word", "NOT negation", "level field", ": operator", ">= operator", "warn word"],
  );
});

test("the grouping is said where it may surprise", () => {
  assert.equal(groupingOf("a b OR c"), "(a AND b) OR c");
  assert.equal(groupingOf("-a b OR c"), "((NOT a) AND b) OR c");
  assert.equal(groupingOf("-a OR b"), "(NOT a) OR b");
  assert.equal(groupingOf("a OR b AND c"), "a OR (b AND c)");
  assert.equal(groupingOf("(a b) OR c"), undefined);
  assert.equal(groupingOf("a (b OR c)"), undefined);
  assert.equal(groupingOf("a OR b"), undefined);
  assert.equal(groupingOf("-a b"), undefined);
  assert.equal(groupingOf("a b OR ("), undefined);
});
