/** What the contract's logs are too small for: many values, many buckets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "@logsvc/proto";
import { HistogramCounter } from "./histogram-counter.ts";
import { ValueCounter } from "./value-counter.ts";

const buckets = { start: 0n, interval: 10n, count: 10_000 };

test("with more values than fit, a second scan counts the most frequent ones exactly", () => {
  const counter = new HistogramCounter(buckets, { groupBy: "user", groups: 2 });
  const scan = () => {
    for (let user = 0; user < 500; user++) counter.add(`user ${user}`, user, 1);
    for (let bucket = 0; bucket < 100; bucket++) counter.add("often", bucket, 2);
    for (let bucket = 0; bucket < 100; bucket++) counter.add("sometimes", bucket);
  };
  scan();
  assert.equal(counter.needsSecondScan(), true);
  scan();
  assert.equal(counter.needsSecondScan(), false);
  const { series, total } = counter.result();
  assert.deepEqual(
    series.map(({ value, total, other }) => [value, total, other]),
    [
      ["often", 200, false],
      ["sometimes", 100, false],
      ["", 500, true],
    ],
  );
  assert.equal(total, 800);
  assert.deepEqual(
    series.map(({ counts }) => [counts[0], counts[99], counts[100], counts[499], counts[500]]),
    [
      [2, 2, 0, 0, 0],
      [1, 1, 0, 0, 0],
      [1, 1, 1, 1, 0],
    ],
  );
});

test("with few values one scan is enough", () => {
  const counter = new HistogramCounter(buckets, { groupBy: "user", groups: 1 });
  for (let user = 0; user < 100; user++) counter.add(`user ${user}`, user, user);
  assert.equal(counter.needsSecondScan(), false);
  assert.deepEqual(
    counter.result().series.map(({ value, total }) => [value, total]),
    [
      ["user 99", 99],
      ["", 4851],
    ],
  );
});

test("a time falls into the bucket that begins at or before it", () => {
  const counter = new HistogramCounter(buckets, { groupBy: undefined, groups: 0 });
  assert.deepEqual(
    [0n, 9n, 10n, 99_999n, 5n].map((time) => counter.bucketAt(time)),
    [0, 0, 1, 9999, 0],
  );
});

test("different values are counted up to the limits on their number and length", () => {
  const many = new ValueCounter();
  for (let value = 0; value <= limits.distinctValuesMax; value++) many.add(String(value));
  assert.equal(many.add("0"), true, "a known value is still counted");
  assert.deepEqual([many.distinct, many.truncated], [limits.distinctValuesMax, true]);
  assert.deepEqual(many.top(2), [
    { value: "0", count: 2 },
    { value: "1", count: 1 },
  ]);
  const long = new ValueCounter();
  const text = "x".repeat(limits.distinctValuesBytesMax / 8);
  for (let value = 0; value < 10; value++) long.add(`${value}${text}`);
  assert.equal(long.truncated, true);
  assert.ok(long.distinct < 5, `${long.distinct} long values are kept`);
});
