import assert from "node:assert/strict";
import test from "node:test";
import type { LogEntryInit } from "@logsvc/client";
import { batchEntries } from "./batch-entries.ts";

const numbered = (count: number): LogEntryInit[] =>
  Array.from({ length: count }, (_, index) => ({ message: `${index}` }));

const messages = (batches: LogEntryInit[][]): string[][] =>
  batches.map((batch) => batch.map(({ message }) => message));

test("batches hold as many entries as they may, in order", async () => {
  const batches = await Array.fromAsync(batchEntries(numbered(5), { entriesMax: 2 }));
  assert.deepEqual(messages(batches), [["0", "1"], ["2", "3"], ["4"]]);
});

test("a batch stays below its bytes; a larger entry goes alone", async () => {
  const source = [
    { message: "a".repeat(400) },
    { message: "b".repeat(400) },
    { message: "c".repeat(5_000) },
    { message: "d", attributes: { key: "e".repeat(600) } },
    { message: "f".repeat(300) },
  ];
  const batches = await Array.fromAsync(batchEntries(source, { bytesMax: 1_100 }));
  assert.deepEqual(
    batches.map((batch) => batch.length),
    [2, 1, 1, 1],
  );
});

test("an entry does not wait longer than it may, and the one after it is not lost", async () => {
  const more = Promise.withResolvers<void>();
  async function* source() {
    yield { message: "first" };
    await more.promise;
    yield { message: "second" };
  }
  const batches = batchEntries(source(), { ageMsMax: 5 });
  assert.deepEqual((await batches.next()).value, [{ message: "first" }]);
  more.resolve();
  assert.deepEqual((await batches.next()).value, [{ message: "second" }]);
  assert.equal((await batches.next()).done, true);
});

test("what a source yields before it fails comes before its error", async () => {
  function* source() {
    yield { message: "a" };
    throw new Error("the file is gone");
  }
  const batches = batchEntries(source());
  assert.deepEqual((await batches.next()).value, [{ message: "a" }]);
  await assert.rejects(batches.next(), /the file is gone/);
});

test("leaving closes the source, also one that waits", async () => {
  let closed = 0;
  function* source() {
    try {
      yield* numbered(3);
    } finally {
      closed++;
    }
  }
  for await (const _ of batchEntries(source(), { entriesMax: 1 })) break;
  assert.equal(closed, 1);
  const never = Promise.withResolvers<IteratorResult<LogEntryInit>>();
  let steps = 0;
  const waiting: AsyncIterable<LogEntryInit> = {
    [Symbol.asyncIterator]: () => ({
      next: () => (++steps === 1 ? Promise.resolve({ done: false, value: { message: "a" } }) : never.promise),
      return: () => {
        closed++;
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
  for await (const _ of batchEntries(waiting, { ageMsMax: 1 })) break;
  assert.equal(closed, 2);
});

test("limits are checked", async () => {
  await assert.rejects(
    batchEntries([], { entriesMax: 0 }).next(),
    /entriesMax to be an integer from 1 to 100000, got 0/,
  );
  await assert.rejects(batchEntries([], { bytesMax: 2 ** 30 }).next(), /bytesMax .* got 1073741824/);
});
