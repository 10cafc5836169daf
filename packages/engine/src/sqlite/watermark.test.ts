/** What the disk says before the commits are known here, and whom a commit wakes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Sleeper, Watermark } from "./watermark.ts";

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

test("a commit of nothing but repeats wakes nobody: their idle time would begin anew with each", async () => {
  const watermark = new Watermark(1, 5);
  const sleeper = new Sleeper(watermark, {});
  const sleep = sleeper.sleep();
  watermark.advance(5);
  assert.equal(watermark.isAwaited, true);
  watermark.advance(6);
  assert.equal(await sleep, "moved");
  sleeper.close();
});
