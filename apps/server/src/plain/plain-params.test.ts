/** Times as people type them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tailParams } from "./plain-params.ts";

const second = 1_000_000_000n;

for (const [text, expected] of [
  ["", 0n],
  ["1764000000", 1_764_000_000n],
  ["1764000000000", 1_764_000_000_000n],
  ["2026-11-22", 1_795_305_600n * second],
  ["2026-11-22T09:36:40Z", 1_795_340_200n * second],
  ["2026-11-22T09:36:40.123456789Z", 1_795_340_200n * second + 123_456_789n],
  ["2026-11-22T11:36:40+02:00", 1_795_340_200n * second],
  // A "+" that was not escaped.
  ["2026-11-22T11:36:40 02:00", 1_795_340_200n * second],
  ["2026-11-22 09:36", 1_795_340_160n * second],
  // Before 1973 nanoseconds would be taken for microseconds.
  ["1971-01-01", 31_536_000n],
] as const) {
  test(`time: ${text || "none"}`, () => {
    assert.equal(tailParams({ since: text }).since, expected);
  });
}

test("time: so long ago", () => {
  for (const [text, ago] of [
    ["90s", 90n * second],
    ["1h30m", 5_400n * second],
    ["1.5h", 5_400n * second],
    ["2d", 172_800n * second],
    ["250ms", second / 4n],
  ] as const) {
    const before = BigInt(Date.now()) * 1_000_000n;
    const { since } = tailParams({ since: text });
    const after = BigInt(Date.now()) * 1_000_000n;
    assert(since >= before - ago && since <= after - ago, text);
  }
});

test("time: what is none", () => {
  for (const since of [
    "-1",
    "1h30",
    "h",
    "2026-13-01",
    "2026-11-22T25:00Z",
    "2026-02-30",
    "tomorrow",
    "1e9",
    `${"9".repeat(400)}w`,
  ]) {
    assert.throws(() => tailParams({ since }), /^RequestError: since: expected/, since);
  }
});
