/** Merging beside everything else that goes on: the log is the same, in fewer blocks. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import {
  batchOf,
  entriesOf,
  everything,
  messagesOf,
  queryAll,
  readToEnd,
} from "../contract/engine-under-test.ts";
import type { Engine, ReadEvent } from "../engine.ts";
import { openTestEngine } from "./testing/test-engine.ts";

/** What the channel of merging says. */
interface Merge {
  readonly blocks: number;
  readonly entries: number;
  readonly rawBytes: number;
  readonly storedBytes: number;
}

/** So that about a dozen blocks of one entry are joined. */
const small = { mergedWeightMax: 2048 };

/** What is published on a channel while the test runs; `until` waits for it. */
function listen<Message>(t: TestContext, channel: string) {
  const messages: Message[] = [];
  let wake: (() => void) | undefined;
  const note = (message: unknown) => {
    messages.push(message as Message);
    wake?.();
  };
  subscribe(channel, note);
  t.after(() => unsubscribe(channel, note));
  const until = async (holds: (messages: readonly Message[]) => boolean) => {
    while (!holds(messages)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { messages, until };
}

const total = (merges: readonly Merge[], key: keyof Merge) =>
  merges.reduce((sum, merge) => sum + merge[key], 0);

/** Appends so many entries, one after another, each in a block of its own. */
async function appendLonely(engine: Engine, name: string, count: number): Promise<void> {
  for (const entry of entriesOf(name, count)) await engine.append(batchOf([entry]));
}

/** The offsets of the entries that a reader is given. */
function offsetsOf(event: ReadEvent | undefined): number[] {
  assert.equal(event?.kind, "blocks");
  if (event?.kind !== "blocks") return [];
  const { blocks, from } = event;
  return blocks.flatMap((block, place) =>
    Array.from({ length: block.count }, (_, index) => Number(/[0-9]+$/.exec(block.idAt(index))?.[0])).slice(
      place === 0 ? from : 0,
    ),
  );
}

/** A statement beside the engine, on its open log. */
function alter(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, "log.db"), { timeout: 5_000 });
  database.exec(sql);
  database.close();
}

test("blocks are joined while entries come; ids, cursors, page tokens and times of arrival stay", async (t) => {
  const { engine, reopen } = await openTestEngine(t, { ...small, memoryBytesMax: 0 });
  const merges = listen<Merge>(t, "logsvc:engine:merge");
  const start = engine.head();
  await appendLonely(engine, "a", 20);
  const before = await readToEnd(engine, start);
  const page = await Array.fromAsync(engine.query({ filter: everything, order: "newest", limit: 10 }));
  const pageToken = page.at(-1)?.progress?.nextPageToken ?? "";
  await appendLonely(engine, "b", 60);
  await merges.until((all) => all.length >= 3);
  const after = await readToEnd(engine, start);
  assert.deepEqual(after.slice(0, 20), before);
  assert.equal(after.length, 80);
  const rest = await queryAll(engine, { filter: everything, order: "newest", limit: 50 });
  assert.equal(rest.length, 80);
  const steps = await Array.fromAsync(
    engine.query({ filter: everything, order: "newest", limit: 100, pageToken }),
  );
  const entries = steps.flatMap((step) => step.entries);
  assert.deepEqual(
    messagesOf(entries).filter((message) => message.startsWith("a")),
    messagesOf(before.slice(0, 10)).toReversed(),
    "the next page goes on where the one before ended",
  );
  const { blocks } = await engine.stats();
  assert.equal(blocks, 80 - total(merges.messages, "blocks") + merges.messages.length);
  assert.ok(blocks < 50, `${blocks} blocks`);
  for (const { rawBytes, storedBytes } of merges.messages) assert.ok(rawBytes > 0 && storedBytes > 0);
  assert.deepEqual(await readToEnd(await reopen(), start), after);
});

test("a reader in the middle of blocks that are joined gets every entry once", async (t) => {
  const { engine } = await openTestEngine(t, { ...small, memoryBytesMax: 0 });
  const merges = listen<Merge>(t, "logsvc:engine:merge");
  const events = engine.read(engine.head())[Symbol.asyncIterator]();
  const offsets: number[] = [];
  for (let call = 0; call < 20; call++) {
    for (let batch = 0; batch < 3; batch++) await engine.append(batchOf(entriesOf(`call ${call}`, 4)));
    if (call === 15) await merges.until((all) => all.length > 1);
    // It takes one block, or a joined one, and falls behind more and more.
    const { value } = await events.next();
    assert.equal(value?.kind, "blocks");
    offsets.push(...offsetsOf(value));
  }
  while (offsets.length < 240) offsets.push(...offsetsOf((await events.next()).value));
  await events.return?.();
  assert.deepEqual(
    offsets,
    Array.from({ length: 240 }, (_, index) => index + 1),
  );
});

test("what former runs have left is joined without a commit", async (t) => {
  const log = await openTestEngine(t);
  const start = log.engine.head();
  await appendLonely(log.engine, "entry", 40);
  assert.equal((await log.engine.stats()).blocks, 40, "too few to be joined, by default");
  const merges = listen<Merge>(t, "logsvc:engine:merge");
  const engine = await log.reopen(small);
  await merges.until((all) => all.length > 1);
  assert.equal((await readToEnd(engine, start)).length, 40);
});

test("joined blocks are joined again, up to their bound, and are packed as if at once", async (t) => {
  const log = await openTestEngine(t, small);
  const merges = listen<Merge>(t, "logsvc:engine:merge");
  const start = log.engine.head();
  await appendLonely(log.engine, "entry", 40);
  await merges.until((all) => all.length > 1);
  const before = await readToEnd(log.engine, start);
  const first = merges.messages.length;
  // 128 of them are one block; what came after the merger's last look may be a quarter of that without another one.
  const engine = await log.reopen({ mergedWeightMax: 16_384 });
  await appendLonely(engine, "more", 200);
  await merges.until((all) => all.slice(first).some(({ blocks, entries }) => entries > blocks));
  assert.deepEqual((await readToEnd(engine, start)).slice(0, 40), before);
});

test("a merge that fails is told and tried again; entries are accepted and found meanwhile", async (t) => {
  const { engine, folder } = await openTestEngine(t, small);
  const merges = listen<Merge>(t, "logsvc:engine:merge");
  const failures = listen<{ message: string }>(t, "logsvc:engine:failure");
  const start = engine.head();
  // What a full disk does to the one transaction: packed rows are refused, others are not.
  alter(
    folder,
    `CREATE TRIGGER refuse BEFORE INSERT ON blocks WHEN NEW.word_parts IS NOT NULL
     BEGIN SELECT RAISE(ABORT, 'no room for packed blocks'); END`,
  );
  await appendLonely(engine, "a", 30);
  await failures.until((all) => all.length > 0);
  assert.match(failures.messages[0]?.message ?? "", /no room for packed blocks/);
  await appendLonely(engine, "b", 10);
  assert.deepEqual([(await engine.stats()).blocks, merges.messages.length], [40, 0]);
  alter(folder, "DROP TRIGGER refuse");
  await merges.until((all) => all.length > 0);
  assert.equal((await readToEnd(engine, start)).length, 40);
});

test("a damaged block is told once and stays; those behind it are joined", async (t) => {
  const log = await openTestEngine(t);
  await appendLonely(log.engine, "entry", 60);
  await log.engine.close();
  alter(log.folder, "UPDATE blocks SET severities = x'0009abcb8a79' WHERE first_offset = 5");
  const merges = listen<Merge>(t, "logsvc:engine:merge");
  const failures = listen<{ message: string }>(t, "logsvc:engine:failure");
  const engine = await log.reopen(small);
  await merges.until((all) => all.length > 1);
  assert.deepEqual(
    failures.messages.map(({ message }) => /^block [0-9]+/.exec(message)?.[0]),
    ["block 5"],
  );
  assert.equal((await engine.stats()).entries, 60);
});

for (const count of [0, 2 ** 40]) {
  test(`a block whose count is damaged, to ${count}, is told once; those behind it are joined`, async (t) => {
    const log = await openTestEngine(t);
    await appendLonely(log.engine, "entry", 60);
    await log.engine.close();
    alter(log.folder, `UPDATE blocks SET count = ${count} WHERE first_offset = 30`);
    const merges = listen<Merge>(t, "logsvc:engine:merge");
    const failures = listen<{ message: string }>(t, "logsvc:engine:failure");
    const engine = await log.reopen(small);
    await appendLonely(engine, "more", 20);
    await merges.until((all) => total(all, "entries") > 40);
    assert.ok(failures.messages.length <= 1);
    for (const { message } of failures.messages) assert.match(message, /^block 30/);
  });
}

test("retention deletes joined blocks: gaps are exact, totals are right, a merge under way is dropped", async (t) => {
  const log = await openTestEngine(t, { mergedWeightMax: 1024, memoryBytesMax: 0 });
  const failures = listen(t, "logsvc:engine:failure");
  await appendLonely(log.engine, "old", 100);
  const engine = await log.reopen({ retention: { ageMs: 20 }, retentionIntervalMs: 1 });
  let seen = 0;
  let missed = 0;
  const writing = appendLonely(engine, "new", 400);
  for await (const event of engine.read(engine.head(), { signal: AbortSignal.timeout(20_000) })) {
    if (event.kind === "gap") missed += event.count;
    if (event.kind === "blocks") seen += event.blocks.reduce((sum, { count }) => sum + count, -event.from);
    if (seen + missed >= 400) break;
  }
  await writing;
  assert.equal(seen + missed, 400, "every entry is read or told to be missing");
  assert.deepEqual(failures.messages, []);
  while ((await engine.stats()).entries > 0) await new Promise(setImmediate);
  const { blocks, rawBytes, deleted } = await engine.stats();
  assert.deepEqual([blocks, rawBytes], [0, 0]);
  assert.ok(deleted >= 400);
  await engine.close();
  const database = new DatabaseSync(join(log.folder, "log.db"), { readOnly: true });
  assert.deepEqual(
    database.prepare("SELECT (SELECT count(*) FROM words) AS words, count(*) AS blocks FROM blocks").get(),
    Object.assign(Object.create(null), { words: 0, blocks: 0 }),
  );
  database.close();
});

test("closing ends a merge at once, and leaves nothing beside the log", async (t) => {
  const log = await openTestEngine(t);
  const start = log.engine.head();
  await appendLonely(log.engine, "entry", 60);
  for (let round = 0; round < 5; round++) {
    // Opening begins a merge; the moments in which it is closed differ.
    const engine = await log.reopen(small);
    for (let turn = 0; turn < round * 3; turn++) await engine.stats();
    await engine.close();
    assert.deepEqual((await readdir(log.folder)).toSorted(), ["log.db", "log.lock"]);
  }
  assert.equal((await readToEnd(await log.reopen(), start)).length, 60);
});
