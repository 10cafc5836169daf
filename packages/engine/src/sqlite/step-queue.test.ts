/** What waits for clients that do not read has a bound, and only the one that has most is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rejectsWith } from "../contract/engine-under-test.ts";
import { StepQueue, WaitingSteps } from "./step-queue.ts";

const stepOf = (bytes: number) => ({
  entries: { bytes: new Uint8Array(bytes), offsets: new Float64Array() },
});

test("steps come in order, and the queue ends when the search does", async () => {
  const waiting = new WaitingSteps(100);
  const queue = new StepQueue<{ readonly entries?: undefined; readonly name: string }>(waiting);
  const { promise, resolve } = Promise.withResolvers<void>();
  queue.follow(promise);
  queue.push({ name: "a" });
  const names: string[] = [];
  for await (const { name } of queue) {
    names.push(name);
    if (name === "a") queue.push({ name: "b" });
    else resolve();
  }
  assert.deepEqual(names, ["a", "b"]);
});

test("a search's error comes at once, before what waits", async () => {
  const queue = new StepQueue(new WaitingSteps(100));
  queue.push(stepOf(10));
  queue.follow(Promise.reject(new Error("no longer wanted")));
  await new Promise(setImmediate);
  await assert.rejects(Array.fromAsync(queue), /no longer wanted/);
});

test("beyond the bound the search that has most waiting is refused, the others go on", async () => {
  const waiting = new WaitingSteps(100);
  const [slow, other, third] = [new StepQueue(waiting), new StepQueue(waiting), new StepQueue(waiting)];
  slow.push(stepOf(60));
  other.push(stepOf(40));
  third.push(stepOf(10));
  assert.deepEqual([slow.signal.aborted, other.signal.aborted], [true, false]);
  const { message } = await rejectsWith("unavailable", () => Array.fromAsync(slow));
  assert.match(message, /have 110 bytes, at most 100 may wait; this search has the most, 60$/);
  // What was refused waits no more: there is room again.
  other.push(stepOf(50));
  for (const [queue, steps] of [
    [other, 2],
    [third, 1],
  ] as const) {
    queue.follow(Promise.resolve());
    assert.equal((await Array.fromAsync(queue)).length, steps);
  }
  assert.deepEqual([slow.bytes, other.bytes, third.bytes], [0, 0, 0]);
});

test("a search that is over and not read yet is refused aloud, not cut short", async () => {
  const waiting = new WaitingSteps(100);
  const [over, other] = [new StepQueue(waiting), new StepQueue(waiting)];
  over.push(stepOf(30));
  over.push(stepOf(60));
  over.follow(Promise.resolve());
  const steps = over[Symbol.asyncIterator]();
  assert.equal((await steps.next()).value?.entries?.bytes.length, 30);
  other.push(stepOf(50));
  await rejectsWith("unavailable", () => steps.next());
});

test("what is taken, and what nobody asks for any more, makes room", async () => {
  const waiting = new WaitingSteps(100);
  const queue = new StepQueue(waiting);
  for (let round = 0; round < 5; round++) {
    queue.push(stepOf(80));
    const { value } = await queue[Symbol.asyncIterator]().next();
    assert.equal(value?.entries?.bytes.length, 80);
  }
  const left = new StepQueue(waiting);
  left.push(stepOf(10));
  left.push(stepOf(80));
  for await (const _ of left) break;
  assert.ok(left.signal.aborted, "its search can stop");
  const next = new StepQueue(waiting);
  next.push(stepOf(100));
  next.follow(Promise.resolve());
  assert.equal((await Array.fromAsync(next)).length, 1);
});
