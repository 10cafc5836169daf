import assert from "node:assert/strict";
import { test } from "node:test";
import { columnChoices, moveColumn, toggleColumn } from "./column-list.ts";

const names = [
  { value: "message", count: 9n },
  { value: "service", count: 9n },
  { value: "status", count: 5n },
  { value: "Path", count: 2n },
];

test("chosen columns come first, in their order; then the others by frequency", () => {
  assert.deepEqual(columnChoices(["gone", "status"], names, ""), [
    { name: "gone", chosen: true, count: undefined },
    { name: "status", chosen: true, count: 5 },
    { name: "service", chosen: false, count: 9 },
    { name: "Path", chosen: false, count: 2 },
  ]);
});

test("a search is by any part of a name, without regard to case", () => {
  assert.deepEqual(
    columnChoices(["status"], names, " pa ").map(({ name }) => name),
    ["Path"],
  );
});

test("columns are added at the end, taken away, and moved within their bounds", () => {
  assert.deepEqual(toggleColumn(["a"], "b"), ["a", "b"]);
  assert.deepEqual(toggleColumn(["a", "b"], "a"), ["b"]);
  assert.deepEqual(moveColumn(["a", "b", "c"], "c", -1), ["a", "c", "b"]);
  assert.deepEqual(moveColumn(["a", "b", "c"], "a", 1), ["b", "a", "c"]);
  assert.deepEqual(moveColumn(["a", "b"], "a", -1), ["a", "b"]);
  assert.deepEqual(moveColumn(["a", "b"], "b", 1), ["a", "b"]);
  assert.deepEqual(moveColumn(["a"], "x", 1), ["a"]);
});
