import assert from "node:assert/strict";
import { test } from "node:test";
import { amountOf, durationOf, parseComparable } from "./comparable.ts";

const amounts: [string, number][] = [
  ["0", 0],
  ["500", 500],
  ["-1.5", -1.5],
  ["+.5", 0.5],
  ["5.", 5],
  ["6e3", 6000],
  ["1E-2", 0.01],
  ["10B", 10],
  ["1.5KB", 1500],
  ["10KiB", 10_240],
  ["10 kib", 10_240],
  ["2mb", 2e6],
  ["1GiB", 2 ** 30],
  ["3TB", 3e12],
];

const durations: [string, number][] = [
  ["1ns", 1],
  ["2us", 2000],
  ["2\u00b5s", 2000],
  ["2\u03bcs", 2000],
  ["1.5ms", 1.5e6],
  ["1.5s", 1.5e9],
  ["250 ms", 250e6],
  ["1h30m", 5400e9],
  ["2m30.5s", 150.5e9],
  ["-3s", -3e9],
  ["1d", 86_400e9],
  ["1w", 604_800e9],
];

test("numbers and sizes", () => {
  for (const [text, value] of amounts) {
    assert.equal(amountOf(text), value, text);
    assert.deepEqual(parseComparable(text), { sort: "amount", value }, text);
  }
});

test("durations, which no number is", () => {
  for (const [text, value] of durations) {
    assert.equal(durationOf(text), value, text);
    assert.equal(amountOf(text), Number.NaN, text);
    assert.deepEqual(parseComparable(text), { sort: "duration", value }, text);
  }
  assert.equal(durationOf("5"), Number.NaN);
});

test("everything else is no value", () => {
  const others = [
    "",
    " ",
    ".",
    "-",
    "e5",
    "1e",
    "0x1F",
    "NaN",
    "Infinity",
    "1,000",
    "10M",
    "5K",
    "1H",
    "1S",
    "1m2",
    "s",
  ];
  for (const text of [...others, "KB", "--1", "1  s", " 1", "1_000", "9".repeat(65), "constructor"]) {
    assert.equal(parseComparable(text), undefined, text);
  }
});
