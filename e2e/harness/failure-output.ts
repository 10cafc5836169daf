/** What a failed test shows beside its error: the words of the programs it ran. */
import type { TestContext } from "node:test";

/** Enough for a stack trace and what led to it. */
const charactersMax = 8000;

/** Shows the end of a program's output if the test has failed. Call it when the test is over. */
export function showIfFailed(t: TestContext, what: string, output: string): void {
  // Node has had `passed` since 21.7; its types do not know it yet.
  const hasFailed = "passed" in t && t.passed === false;
  if (hasFailed && output !== "") t.diagnostic(`${what}, standard error:\n${output.slice(-charactersMax)}`);
}
