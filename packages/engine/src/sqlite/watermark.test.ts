/** What the disk says before the commits are known here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Watermark } from "./watermark.ts";

test("the log never begins behind the watermark: what is deleted there is a gap once it is known", () => {
  const watermark = new Watermark(1, 5);
  watermark.trim(9);
  assert.deepEqual([watermark.oldest, watermark.offset], [6, 5]);
  watermark.advance(8);
  watermark.trim(9);
  assert.deepEqual([watermark.oldest, watermark.offset], [9, 8]);
  watermark.trim(3);
  assert.equal(watermark.oldest, 9, "it never goes back");
});
