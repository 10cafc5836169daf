import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTime, formatTimeStep } from "./format-time.ts";

const time = 1795340200123456789n;
const second = 1_000_000_000n;

test("times have the digits that tell them apart", () => {
  assert.equal(formatTime(time, true), "2026-11-22 09:36:40.123Z");
  assert.equal(formatTimeStep(time, 1000n, true), "2026-11-22 09:36:40.123Z");
  assert.equal(formatTimeStep(time, second / 2n, true), "2026-11-22 09:36:40.123Z");
  assert.equal(formatTimeStep(time, second, true), "2026-11-22 09:36:40Z");
  assert.equal(formatTimeStep(time, 3600n * second, true), "2026-11-22 09:36Z");
  assert.match(formatTimeStep(time, 60n * second, false), /^2026-11-2\d \d\d:\d\d$/);
});
