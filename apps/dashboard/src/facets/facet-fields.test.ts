import assert from "node:assert/strict";
import { test } from "node:test";
import { facetFields, facetValues, restText, toggleColumn } from "./facet-fields.ts";

const counted = (...pairs: readonly (readonly [string, bigint])[]): { value: string; count: bigint }[] =>
  pairs.map(([value, count]) => ({ value, count }));

test("level and service come first, then attributes by frequency, ids last", () => {
  const names = counted(["message", 9n], ["level", 9n], ["trace_id", 8n], ["method", 7n], ["status", 3n]);
  assert.deepEqual(
    facetFields(names).map(({ name }) => name),
    ["level", "service", "method", "status", "trace_id"],
  );
  assert.deepEqual(facetFields([]), [
    { name: "level", count: undefined },
    { name: "service", count: undefined },
  ]);
});

test("values have their share, and say how the filter takes them", () => {
  const listed = counted(["api", 10n], ["web", 5n], ["db", 1n]);
  assert.deepEqual(
    facetValues("service", listed, "service:=web -service:=db").map(({ value, share, standing }) => [
      value,
      share,
      standing,
    ]),
    [
      ["api", 1, "open"],
      ["web", 0.5, "chosen"],
      ["db", 0.1, "excluded"],
    ],
  );
  assert.deepEqual(facetValues("service", listed, "service:=gone").at(-1), {
    value: "gone",
    count: undefined,
    share: 0,
    standing: "chosen",
  });
});

test("what is not listed is said", () => {
  assert.equal(restText({ values: [1, 2], distinct: 2n, truncated: false }), "");
  assert.equal(restText({ values: [1, 2], distinct: 1202n, truncated: false }), "1,200 more");
  assert.equal(restText({ values: [1, 2], distinct: 100_002n, truncated: true }), "more than 100,000 more");
});

test("a column is added at the end, and taken away again", () => {
  assert.deepEqual(toggleColumn(["a"], "b"), ["a", "b"]);
  assert.deepEqual(toggleColumn(["a", "b"], "a"), ["b"]);
});
