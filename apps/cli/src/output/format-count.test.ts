import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatCount, formatNoun } from "./format-count.ts";
import { formatProgressBar } from "./progress-bar.ts";

test("counts, sizes and bars for people", () => {
  assert.deepEqual([0, 999, 1000, 1_234_567].map(formatCount), ["0", "999", "1 000", "1 234 567"]);
  assert.deepEqual([0, 999, 1000, 12_345_678, 999_999_999].map(formatBytes), [
    "0 B",
    "999 B",
    "1.0 kB",
    "12.3 MB",
    "1.0 GB",
  ]);
  assert.equal(formatNoun(1, "entry", "entries"), "1 entry");
  assert.equal(formatNoun(2000, "entry", "entries"), "2 000 entries");
  assert.equal(formatProgressBar(0.5), `▕${"█".repeat(12)}${" ".repeat(12)}▏ 50 %`);
  assert.equal(formatProgressBar(7), `▕${"█".repeat(24)}▏100 %`);
});
