/** When merging waits for a flood to pass, and when no longer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FloodGauge, floodWindowMs } from "./flood-gauge.ts";

const mebibyte = 1024 * 1024;

/** A gauge with a clock of the test's own; it writes so much every tenth of a second. */
function gaugeWith(behindMax: number) {
  let nowMs = 0;
  const gauge = new FloodGauge(behindMax, () => nowMs);
  const pass = (durationMs: number) => {
    nowMs += durationMs;
  };
  const write = (weight: number, steps: number) => {
    for (let step = 0; step < steps; step++) {
      pass(100);
      gauge.wrote(weight);
    }
  };
  return { gauge, pass, write };
}

test("much in a short time is a flood, as long as it goes on", () => {
  const { gauge, pass, write } = gaugeWith(1024 * mebibyte);
  write(4 * mebibyte, 10);
  assert.ok(gauge.isFlood);
  pass(2 * floodWindowMs);
  assert.ok(!gauge.isFlood, "nothing comes any more");
});

test("a steady stream is none, however long it lasts", () => {
  const { gauge, write } = gaugeWith(1024 * mebibyte);
  write(2 * mebibyte, 1_000);
  assert.ok(!gauge.isFlood);
});

test("a flood counts no longer when too much waits, until it was merged", () => {
  const { gauge, write } = gaugeWith(64 * mebibyte);
  write(4 * mebibyte, 16);
  assert.ok(!gauge.isFlood);
  gauge.merged(8 * mebibyte);
  assert.ok(gauge.isFlood);
  write(4 * mebibyte, 3);
  assert.ok(!gauge.isFlood);
  gauge.caughtUp(0);
  assert.ok(gauge.isFlood);
});
