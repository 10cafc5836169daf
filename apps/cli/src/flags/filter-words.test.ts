import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, exitCodes } from "../exit-code.ts";
import { readFilter } from "./filter-words.ts";

test("words are joined", () => {
  assert.equal(readFilter(["level:error", "timeout"]), "level:error timeout");
  assert.equal(readFilter([]), "");
});

test("a mistake is shown under the character", () => {
  assert.throws(
    () => readFilter(["level:error", "(a", "OR"]),
    (error) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.exitCode, exitCodes.usage);
      const [, line = "", mark = ""] = error.message.split("\n");
      assert.equal(line, "  level:error (a OR");
      assert.match(mark, /^ +\^+$/);
      return true;
    },
  );
  assert.throws(() => readFilter(['a\n"open']), /\n {2}a "open\n {4}\^/);
});
