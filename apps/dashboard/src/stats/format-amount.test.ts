import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAmount, formatBytes, formatCount, formatDuration } from "./format-amount.ts";

test("bytes", () => {
  assert.deepEqual([0, 1, 999, 1_000, 1_048_576, 1_572_864, 5 * 1024 ** 4].map(formatBytes), [
    "0 B",
    "1 B",
    "999 B",
    "0.98 KiB",
    "1 MiB",
    "1.5 MiB",
    "5 TiB",
  ]);
});

test("counts and rates", () => {
  assert.equal(formatCount(1_234_567.4), "1,234,567");
  assert.deepEqual([0, 0.001, 0.25, 12.54, 999.4, 1_234.5, 1_234_567, 12_345_678_901].map(formatAmount), [
    "0",
    "< 0.01",
    "0.25",
    "12.5",
    "999",
    "1,235",
    "1.23M",
    "12.3G",
  ]);
});

test("durations", () => {
  assert.deepEqual([0.25, 3.456, 250, 1_000, 61_000, 3_600_000, 273_600_000].map(formatDuration), [
    "250 µs",
    "3.46 ms",
    "250 ms",
    "1 s",
    "1 min 1 s",
    "1 h",
    "3 d 4 h",
  ]);
});
