import assert from "node:assert/strict";
import { test } from "node:test";
import { toNanoseconds } from "./timestamp.ts";

const moment = 1_763_804_200_123_456_789n;

test("the unit of a time is told by its magnitude", () => {
  assert.equal(toNanoseconds(moment), moment);
  assert.equal(toNanoseconds(moment / 1_000n), moment - (moment % 1_000n));
  assert.equal(toNanoseconds(moment / 1_000_000n), moment - (moment % 1_000_000n));
  assert.equal(toNanoseconds(moment / 1_000_000_000n), moment - (moment % 1_000_000_000n));
});

test("each unit ends where the next one begins", () => {
  assert.equal(toNanoseconds(99_999_999_999n), 99_999_999_999_000_000_000n);
  assert.equal(toNanoseconds(100_000_000_000n), 100_000_000_000_000_000n);
  assert.equal(toNanoseconds(99_999_999_999_999n), 99_999_999_999_999_000_000n);
  assert.equal(toNanoseconds(100_000_000_000_000n), 100_000_000_000_000_000n);
  assert.equal(toNanoseconds(99_999_999_999_999_999n), 99_999_999_999_999_999_000n);
  assert.equal(toNanoseconds(100_000_000_000_000_000n), 100_000_000_000_000_000n);
});

test("zero stays zero", () => {
  assert.equal(toNanoseconds(0n), 0n);
});
