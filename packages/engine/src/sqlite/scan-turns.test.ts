import assert from "node:assert/strict";
import { test } from "node:test";
import { ScanTurns } from "./scan-turns.ts";

function jobOf(id: number, keptBytes = 0) {
  return { id, turns: 0, kept: { bytes: keptBytes }, cancelled: new Int32Array(1) };
}

/** Gives turns, and returns whose they were. */
function turnsOf(turns: ScanTurns<ReturnType<typeof jobOf>>, count: number): number[] {
  return Array.from({ length: count }, () => {
    const job = turns.next();
    assert.ok(job);
    job.turns++;
    turns.add(job);
    return job.id;
  });
}

test("every second turn is that of the job that has waited longest", () => {
  const turns = new ScanTurns<ReturnType<typeof jobOf>>(100);
  const long = { ...jobOf(1), turns: 1000 };
  for (const job of [long, jobOf(2), jobOf(3)]) turns.add(job);
  assert.deepEqual(turnsOf(turns, 6), [2, 1, 3, 2, 3, 1]);
});

test("jobs that keep much together go on one after another, cancelled ones first", () => {
  const turns = new ScanTurns<ReturnType<typeof jobOf>>(100);
  const [first, second, third] = [jobOf(1, 50), jobOf(2, 60), jobOf(3)];
  for (const job of [third, second, first]) turns.add(job);
  assert.deepEqual(turnsOf(turns, 3), [1, 1, 1]);
  second.cancelled[0] = 1;
  assert.equal(turns.next(), second);
  // Without it there is room for all.
  assert.deepEqual(turnsOf(turns, 2).toSorted(), [1, 3]);
});
