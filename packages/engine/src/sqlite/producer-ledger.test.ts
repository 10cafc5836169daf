/** The house-keeping of the ledger; what it recognises is in the contract. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openLogFile } from "./log-file.ts";
import { ProducerLedger } from "./producer-ledger.ts";
import { temporaryFolder } from "./testing/test-engine.ts";

test("silent producers are looked at a few at a time, all of them in turn", async (t) => {
  const { database, close } = openLogFile(await temporaryFolder(t));
  t.after(close);
  const idleMs = 100;
  const ledger = new ProducerLedger(database, idleMs);
  const write = (name: string, nowMs: number, sequence?: number) => {
    const producer = ledger.producer(name, nowMs);
    if (sequence !== undefined) ledger.add(producer, sequence, sequence);
  };
  for (const [index, name] of ["a", "b", "c", "d"].entries()) write(name, 10, index + 1);
  write("e", 10);
  write("f", 10);
  write("g", 1000);
  ledger.flush();
  ledger.committed();
  const counts = () =>
    database
      .prepare("SELECT name FROM producers ORDER BY name")
      .all()
      .map((row) => row["name"])
      .join("");
  const found = [1, 2, 3, 4, 5].map(() => [ledger.deleteIdle(1050, 2), counts()]);
  assert.deepEqual(found, [
    [0, "abcdefg"],
    [0, "abcdefg"],
    [2, "abcdg"],
    [0, "abcdg"],
    [0, "abcdg"],
  ]);
  ledger.trim(3);
  assert.equal(ledger.deleteRuns(1) + ledger.deleteRuns(1) + ledger.deleteRuns(1), 2);
  const rest = [1, 2, 3].map(() => [ledger.deleteIdle(1050, 2), counts()]);
  assert.deepEqual(
    rest.at(-1)?.[1],
    "cdg",
    "those whose entries were deleted meanwhile go in the next round",
  );
});
