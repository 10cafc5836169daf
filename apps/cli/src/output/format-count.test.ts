import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatCount, formatDuration, formatNoun } from "./format-count.ts";
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
  // In as many columns as there are, but at least a bar of four.
  for (const [room, length] of [
    [20, 20],
    [3, 11],
    [100, 31],
  ] as const) {
    assert.equal(formatProgressBar(1, room).length, length);
  }
});

test("durations for people, none with sixty seconds", () => {
  const cases: [number, string][] = [
    [0, "0 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [59_949, "59.9 s"],
    [59_960, "1m 00s"],
    [65_000, "1m 05s"],
    [3_599_600, "1h 00m"],
    [7_380_000, "2h 03m"],
  ];
  for (const [durationMs, text] of cases) assert.equal(formatDuration(durationMs), text);
});
