import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLeadingTime, parseTime } from "./parse-time.ts";

test("a time is told by its form and its magnitude", () => {
  const cases: [string | number, bigint | undefined][] = [
    ["2026-11-22T09:36:40.123456789Z", 1795340200123456789n],
    ["2026-11-22T09:36:40Z", 1795340200000000000n],
    ["2026-11-22 10:36:40,5 +0100", 1795340200500000000n],
    ["2026-11-22T04:06:40-05:30", 1795340200000000000n],
    ["2026-11-22T09:36:40.1234567891234Z", 1795340200123456789n],
    ["2026/11/22 09:36:40 UTC", 1795340200000000000n],
    [1795340200, 1795340200000000000n],
    [1795340200.25, 1795340200250000000n],
    [1795340200123, 1795340200123000000n],
    [1795340200123456, 1795340200123456000n],
    ["1795340200123456789", 1795340200123456789n],
    ["1795340200.123456789", 1795340200123456789n],
    ["1795340200123.5", 1795340200123500000n],
    [12.5, undefined],
    [0, undefined],
    [-1795340200, undefined],
    [Number.NaN, undefined],
    ["9999999999999999999", undefined],
    ["99999999999999999999999", undefined],
    ["2026-13-22T09:36:40Z", undefined],
    ["1969-11-22T09:36:40Z", undefined],
    ["2300-01-01T00:00:00Z", undefined],
    // Beyond 2262, where an int64 of nanoseconds ends.
    [9_223_372_036, 9_223_372_036_000_000_000n],
    [9_223_372_037, undefined],
    ["9223372037", undefined],
    ["99999999999.5", undefined],
    [99_999_999_999_999, undefined],
    ["9223372036.854775807", 9_223_372_036_854_775_807n],
    ["9223372036.854775808", undefined],
    ["12ms", undefined],
    ["", undefined],
    ["yesterday", undefined],
  ];
  for (const [value, expected] of cases) assert.equal(parseTime(value), expected, JSON.stringify(value));
});

test("a time without a zone is local", () => {
  const local = BigInt(new Date(2026, 10, 22, 9, 36, 40).getTime()) * 1_000_000n;
  assert.equal(parseTime("2026-11-22 09:36:40,123"), local + 123_000_000n);
});

test("a leading time is one that ends there", () => {
  assert.equal(parseLeadingTime("2026-11-22T09:36:40Z started"), 1795340200000000000n);
  assert.equal(parseLeadingTime("[2026-11-22T09:36:40.5Z] started"), 1795340200500000000n);
  assert.equal(parseLeadingTime("2026-11-22T09:36:40Zulu"), undefined);
  assert.equal(parseLeadingTime("at 2026-11-22T09:36:40Z"), undefined);
});
