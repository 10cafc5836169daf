import assert from "node:assert/strict";
import { test } from "node:test";
import { levelNames, normalizeLevel, severities, severityOf } from "./severity.ts";

const spellings: readonly (readonly [string, string, number])[] = [
  ["info", "INFO", 9],
  ["", "INFO", 9],
  ["warning", "WARN", 13],
  ["Err", "ERROR", 17],
  ["CRITICAL", "FATAL", 21],
  [" debug ", "DEBUG", 5],
  ["notice", "INFO", 9],
  ["emerg", "FATAL", 21],
  ["10", "TRACE", 1],
  ["60", "FATAL", 21],
  ["warn3", "WARN", 13],
];

for (const [sent, name, severity] of spellings) {
  test(`the level "${sent}" is ${name}, severity ${severity}`, () => {
    assert.equal(normalizeLevel(sent), name);
    assert.equal(sent === "" ? severityOf(name) : severityOf(sent), severity);
  });
}

test("an unknown level is kept as sent, with severity 0", () => {
  for (const level of ["audit", "constructor", "__proto__", "35", "toString"]) {
    assert.equal(normalizeLevel(level), level);
    assert.equal(severityOf(level), 0);
  }
});

test("severities rise with the names", () => {
  const numbers = levelNames.map((name) => severities[name]);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
});
