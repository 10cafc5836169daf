/** Comparing logs of many thousand lines, with an error that a person can read. */
import assert from "node:assert/strict";

/** Fails unless both are the same lines in the same order, and names the first that is not. */
export function assertSameLines(actual: readonly string[], expected: readonly string[]): void {
  const index = expected.findIndex((line, at) => actual[at] !== line);
  if (index === -1 && actual.length === expected.length) return;
  const at = index === -1 ? expected.length : index;
  const there = new Set(actual);
  const repeated = actual.length - there.size;
  const missing = expected.filter((line) => !there.has(line)).length;
  assert.fail(
    `${actual.length} of ${expected.length} lines, ${missing} missing, ${repeated} repeated; the first difference is line ${at}:\n` +
      `expected ${JSON.stringify(expected[at])}\n     got ${JSON.stringify(actual[at])}`,
  );
}
