import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLogfmt } from "./parse-logfmt.ts";

test("pairs, quoted and not", () => {
  assert.deepEqual(parseLogfmt(String.raw`level=info msg="a \"b\" \u00e9\n" empty= path=/a?b=c `), [
    ["level", "info"],
    ["msg", 'a "b" é\n'],
    ["empty", ""],
    ["path", "/a?b=c"],
  ]);
  assert.deepEqual(parseLogfmt(String.raw`msg="bell \x07"`), [["msg", String.raw`bell \x07`]]);
});

test("prose with an equals sign is not logfmt", () => {
  for (const line of ["user uid=0 logged in", "x = 1", "=1", 'a="open', 'a="b"c d=e', "", "a=1 b"]) {
    assert.equal(parseLogfmt(line), undefined, line);
  }
});
