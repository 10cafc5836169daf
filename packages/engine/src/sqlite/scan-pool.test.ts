/** Many searches on few threads: each gets its turns, and none does more than is wanted of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFilter } from "@logsvc/filter";
import { batchOf, entriesOf, entryOf, everything } from "../contract/engine-under-test.ts";
import type { Engine, QueryProgress } from "../engine.ts";
import { openTestEngine } from "./testing/test-engine.ts";

/** Matches nothing, and takes seconds for the entries of `fillSlowly`. */
const slowFilter = parseFilter(
  [10, 12, 14, 16, 18, 20].map((times) => `message:~"(a|b| ){${times}}[^ab ]"`).join(" OR "),
);

async function fillSlowly({ engine }: { engine: Engine }): Promise<void> {
  const message = "aab ".repeat(2000);
  for (let batch = 0; batch < 10; batch++) {
    await engine.append(batchOf(Array.from({ length: 200 }, () => entryOf({ message }))));
  }
}

const histogram = { buckets: 10, groups: 10 };

async function progressOf(engine: Engine, request: Parameters<Engine["query"]>[0]): Promise<QueryProgress> {
  const steps = await Array.fromAsync(engine.query(request));
  const progress = steps.at(-1)?.progress;
  assert.ok(progress?.complete);
  return progress;
}

test("short searches end while long ones that came first go on, and a cancelled one makes room", async (t) => {
  const log = await openTestEngine(t, { queryWorkers: 1 });
  await fillSlowly(log);
  const { engine } = log;
  const abort = new AbortController();
  let running = 7;
  const long = Array.from({ length: running }, () =>
    engine.count({ filter: slowFilter, ...histogram }, { signal: abort.signal }).finally(() => running--),
  );
  const outcomes = Promise.allSettled(long);
  for (let round = 0; round < 3; round++) {
    const { total } = await engine.count({ filter: everything, ...histogram });
    assert.equal(total, 2000);
    assert.ok(running > 0, "it waited for all of the long ones");
  }
  abort.abort();
  assert.ok((await outcomes).some(({ status }) => status === "rejected"));
  assert.equal((await engine.values({ filter: everything, field: "level", limit: 1 })).values.length, 1);
});

test("twenty searches at once on one thread all end, each with its own answer", async (t) => {
  const { engine } = await openTestEngine(t, { queryWorkers: 1 });
  await engine.append(batchOf(entriesOf("number", 5000)));
  const totals = await Promise.all(
    Array.from({ length: 20 }, async (_, digit) => {
      const filter = parseFilter(`message:~"number ${digit}[0-9]*$"`);
      return (await engine.count({ filter, ...histogram })).total;
    }),
  );
  const expected = Array.from(
    { length: 20 },
    (_, digit) =>
      Array.from({ length: 5000 }, (__, number) => number).filter((number) =>
        String(number).startsWith(String(digit)),
      ).length,
  );
  assert.deepEqual(totals, expected);
});

test("closing ends searches in the middle of their turns, and those that wait", async (t) => {
  const log = await openTestEngine(t, { queryWorkers: 1 });
  await fillSlowly(log);
  const { engine } = log;
  const long = Array.from({ length: 7 }, () => engine.count({ filter: slowFilter, ...histogram }));
  const begun = Promise.allSettled(long);
  // It ends when others have begun.
  await engine.count({ filter: everything, ...histogram });
  const waiting = Promise.allSettled(
    Array.from({ length: 30 }, () => engine.count({ filter: slowFilter, ...histogram })),
  );
  await engine.close();
  assert.ok((await begun).some(({ status }) => status === "rejected"));
  for (const { status } of await waiting) assert.equal(status, "rejected");
});

test("a short page looks at the end of a block only, and no more than once at each entry", async (t) => {
  const { engine } = await openTestEngine(t);
  await engine.append(batchOf(entriesOf("number", 12_000)));
  const request = { filter: everything, order: "newest", limit: 100 } as const;
  const first = await progressOf(engine, request);
  assert.ok(first.entriesScanned <= 256, `${first.entriesScanned} of 12 000 entries were looked at`);
  assert.ok(first.bytesScanned < first.entriesScanned * 64, `${first.bytesScanned} bytes were looked at`);
  // The page token lies in the middle of the block: what former pages had is passed over.
  const second = await progressOf(engine, { ...request, pageToken: first.nextPageToken });
  assert.ok(second.entriesScanned <= 512, `${second.entriesScanned} of 12 000 entries were looked at`);
  const all = await progressOf(engine, { ...request, filter: parseFilter("nothing_has_this") });
  assert.ok(all.entriesScanned === 0 || all.entriesScanned === 12_000);
});
