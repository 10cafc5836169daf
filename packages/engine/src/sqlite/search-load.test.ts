/** Searches beside other work: pages while the log changes under them, cancelled searches, many at once. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { parseFilter } from "@logsvc/filter";
import {
  batchOf,
  entryOf,
  epoch,
  everything,
  firstOf,
  messagesOf,
  Random,
} from "../contract/engine-under-test.ts";
import type { Engine, QueryRequest } from "../engine.ts";
import { openTestEngine } from "./testing/test-engine.ts";

/** Milliseconds. What would hang fails after so long. */
const timeout = 60_000;

/** Counts what is published on a channel while the test runs. */
function counterOf(t: TestContext, channel: string): () => number {
  let count = 0;
  const note = () => {
    count++;
  };
  subscribe(channel, note);
  t.after(() => unsubscribe(channel, note));
  return () => count;
}

/** A page: its entries' times and ids, and the next page's token. */
async function pageOf(engine: Engine, request: QueryRequest) {
  const steps = await Array.fromAsync(engine.query(request));
  const entries = steps.flatMap((step) => step.entries);
  return { entries, pageToken: steps.at(-1)?.progress?.nextPageToken ?? "" };
}

for (const order of ["newest", "oldest"] as const) {
  test(`pages, ${order} first, give each entry once while others come and blocks are merged`, {
    timeout,
  }, async (t) => {
    const { engine } = await openTestEngine(t, { mergedWeightMax: 4096 });
    const merges = counterOf(t, "logsvc:engine:merge");
    const random = new Random(1);
    const batch = () =>
      batchOf(
        Array.from({ length: 1 + random.below(5) }, () =>
          entryOf({ timestamp: epoch + BigInt(random.below(100)) }),
        ),
      );
    const ids: string[] = [];
    for (let call = 0; call < 150; call++) {
      const stored = await engine.append(batch());
      for (let index = 0; stored.idAt(index) !== stored.lastId; index++) ids.push(stored.idAt(index));
      ids.push(stored.lastId);
    }
    const read: string[] = [];
    const times: bigint[] = [];
    let pageToken = "";
    do {
      const mergesBefore = merges();
      const [page] = await Promise.all([
        pageOf(engine, { filter: everything, order, limit: 60, pageToken }),
        engine.append(batch()),
      ]);
      read.push(...page.entries.map(({ id }) => id));
      times.push(...page.entries.map(({ entry }) => entry?.timestamp ?? 0n));
      pageToken = page.pageToken;
      // What was in one block for this page is in another for the next.
      while (merges() === mergesBefore) await engine.append(batch());
    } while (pageToken !== "");
    const found = new Set(read);
    assert.equal(found.size, read.length, "no entry comes twice");
    assert.deepEqual(
      ids.filter((id) => !found.has(id)),
      [],
      "all that was there at first comes",
    );
    const sorted = times.toSorted((a, b) => Number(order === "newest" ? b - a : a - b));
    assert.deepEqual(times, sorted);
  });
}

const longMessage = (number: number) => `# ${"over the lazy dog ".repeat(40)}${number}`;

/** A log of which every search takes some time, and the thread that searches it. */
async function openLongLog(t: TestContext, count: number): Promise<{ engine: Engine; thread: () => Worker }> {
  const threads: Worker[] = [];
  const note = (worker: Worker) => threads.push(worker);
  process.on("worker", note);
  t.after(() => process.off("worker", note));
  const { engine } = await openTestEngine(t, { queryWorkers: 1 });
  for (let first = 0; first < count; first += 5000) {
    const numbers = Array.from({ length: 5000 }, (_, index) => first + index);
    const entries = numbers.map((each) =>
      entryOf({ message: longMessage(each), timestamp: epoch + BigInt(each) }),
    );
    await engine.append(batchOf(entries));
  }
  const thread = () => {
    const found = threads.find(({ threadName }) => threadName === "logsvc searches");
    assert.ok(found, "the searching thread was started");
    return found;
  };
  return { engine, thread };
}

/** Fails at the end of each message only: a tenth of a millisecond for each. */
const slow = parseFilter('~"(?:.{0,20}o.{0,20}e){4}.*#" OR ~"(?:.{0,20}e.{0,20}o){4}.*#"');

/** Waits until a thread has nothing to do, for at most 5 s. */
async function untilIdle({ performance }: Worker): Promise<void> {
  const deadline = Date.now() + 5_000;
  for (let utilization = 1; utilization > 0.5; ) {
    assert.ok(Date.now() < deadline, "the thread still works");
    const before = performance.eventLoopUtilization();
    await setTimeout(20);
    utilization = performance.eventLoopUtilization(performance.eventLoopUtilization(), before).utilization;
  }
}

test("searches that are cancelled, or read no further, stop working", { timeout }, async (t) => {
  const { engine, thread } = await openLongLog(t, 100_000);
  const abort = new AbortController();
  const { signal } = abort;
  const query = { filter: slow, order: "newest", limit: 1 } as const;
  const begin = () => [
    Array.fromAsync(engine.query(query, { signal })),
    engine.count({ filter: slow, buckets: 10, groups: 10 }, { signal }),
    engine.values({ filter: slow, limit: 10 }, { signal }),
    engine.backlog({ filter: slow, limit: 10 }, { signal }),
  ];
  const unread = firstOf(engine.query(query));
  const ended = Promise.allSettled([...begin(), ...begin()]);
  assert.equal((await unread)?.progress?.complete, false, "it would go on for long");
  abort.abort(new Error("enough"));
  for (const each of await ended) {
    assert.equal(each.status === "rejected" && each.reason, signal.reason);
  }
  // The eight of them would take 20 s or more.
  await untilIdle(thread());
});

test("twenty searches at once all end, with their answers, and a short one does not wait for all", {
  timeout,
}, async (t) => {
  const count = 30_000;
  const { engine } = await openLongLog(t, count);
  const ended: string[] = [];
  const search = async (index: number) => {
    const text = `dog ${1000 + index}`;
    const filter = parseFilter(`~"(?:o.{0,9}e.*){9}${text}\\d*$"`);
    const expected = Array.from({ length: count }, (_, number) => number).filter((number) =>
      longMessage(number).includes(text),
    );
    if (index % 2 === 0) {
      const { total } = await engine.count({ filter, buckets: 10, groups: 0 });
      assert.equal(total, expected.length);
    } else {
      const { entries } = await pageOf(engine, { filter, order: "oldest", limit: 1000 });
      assert.deepEqual(messagesOf(entries), expected.map(longMessage));
    }
    ended.push(text);
  };
  const searches = Array.from({ length: 20 }, (_, index) => search(index));
  const short = pageOf(engine, { filter: everything, order: "newest", limit: 1 });
  const { entries } = await short;
  assert.deepEqual(messagesOf(entries), [longMessage(count - 1)]);
  assert.ok(ended.length < 20, "the short one is not the last");
  await Promise.all(searches);
});
