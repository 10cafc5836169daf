/** Answers in order, whatever order they are ready in, and each way to end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AnswerQueue } from "./answer-queue.ts";

async function take<T>(queue: AnswerQueue<T>, into: T[] = []): Promise<T[]> {
  for await (const answer of queue) into.push(answer);
  return into;
}

test("answers come in the order of the pushes", async () => {
  const queue = new AnswerQueue<number>();
  const pending = Array.from({ length: 300 }, () => Promise.withResolvers<number>());
  let answered = 0;
  for (const { promise } of pending) queue.push(promise, () => (answered += 1));
  queue.complete();
  const taken = take(queue);
  for (const [index, { resolve }] of [...pending.entries()].reverse()) resolve(index);
  assert.deepEqual(
    await taken,
    pending.map((_, index) => index),
  );
  assert.equal(answered, 300);
});

test("a failed answer ends the iteration when its turn comes, and drops the later ones", async () => {
  const queue = new AnswerQueue<number>();
  let answered = 0;
  const onAnswered = (): void => {
    answered += 1;
  };
  const slow = Promise.withResolvers<number>();
  queue.push(slow.promise, onAnswered);
  queue.push(Promise.reject(new Error("disk full")), onAnswered);
  queue.push(Promise.reject(new Error("never told")), onAnswered);
  const into: number[] = [];
  const taken = take(queue, into);
  slow.resolve(1);
  await assert.rejects(taken, /disk full/);
  assert.deepEqual(into, [1]);
  assert.equal(answered, 3);
  assert.equal(queue.ended, true);
});

test("failing the queue waits for what is pending, aborting does not", async () => {
  const failing = new AnswerQueue<number>();
  const slow = Promise.withResolvers<number>();
  failing.push(slow.promise, () => undefined);
  failing.fail(new Error("not protobuf"));
  const into: number[] = [];
  const failed = take(failing, into);
  slow.resolve(7);
  await assert.rejects(failed, /not protobuf/);
  assert.deepEqual(into, [7]);

  const aborting = new AnswerQueue<number>();
  let answered = 0;
  const pending = Promise.withResolvers<number>();
  aborting.push(pending.promise, () => (answered += 1));
  const aborted = take(aborting);
  aborting.abort(new Error("deadline"));
  await assert.rejects(aborted, /deadline/);
  // Nobody waits for it any more, but its bytes are still in memory.
  assert.equal(answered, 0);
  pending.resolve(1);
  const late = Promise.resolve(2);
  aborting.push(late, () => (answered += 1));
  await Promise.all([pending.promise, late]);
  assert.equal(answered, 2);
});
