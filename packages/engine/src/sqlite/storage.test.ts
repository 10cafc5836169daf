/** What only this engine has: retention, memory, failures of the disk and of threads. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { limits } from "@logsvc/proto";
import {
  batchOf,
  entriesOf,
  entryOf,
  everything,
  firstOf,
  messagesOf,
  queryAll,
  readEntries,
  readToEnd,
  rejectsWith,
} from "../contract/engine-under-test.ts";
import type { Engine } from "../engine.ts";
import { EngineError } from "../engine-error.ts";
import { openLogFileForReading } from "./log-file.ts";
import { openSqliteEngine } from "./sqlite-engine.ts";
import { openTestEngine } from "./testing/test-engine.ts";

/** Changes a closed log's file behind the engine's back. */
function alter(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, "log.db"));
  database.exec(sql);
  database.close();
}

/** Waits until something holds, for at most 20 s. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `${what}, within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What is published on a channel while the test runs. */
function published(t: TestContext, channel: string): unknown[] {
  const messages: unknown[] = [];
  const note = (message: unknown) => messages.push(message);
  subscribe(channel, note);
  t.after(() => unsubscribe(channel, note));
  return messages;
}

/** 100 KB, of which 50 remain when compressed. */
function bulky(name: string): ReturnType<typeof entryOf> {
  return entryOf({
    message: name + Buffer.from(crypto.getRandomValues(new Uint8Array(50_000))).toString("hex"),
  });
}

test("retention by age deletes whole blocks; readers are told of the gap, offsets go on", async (t) => {
  const log = await openTestEngine(t);
  const trims = published(t, "logsvc:engine:retention");
  const start = log.engine.head();
  const batch = batchOf(entriesOf("old", 10), "p", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const bytes = batch.bytes.length;
  const { firstId } = await log.engine.append(batch);
  const middle = (await readToEnd(log.engine, start))[3]?.cursor ?? "";
  const head = log.engine.head();
  const engine = await log.reopen({ retention: { ageMs: 1 }, retentionIntervalMs: 5 });
  await until("the old entries are deleted", async () => (await engine.stats()).entries === 0);
  assert.deepEqual(trims, [{ blocks: 1, entries: 10, bytes }]);
  assert.equal((await engine.stats()).deleted, 10);
  assert.deepEqual(await firstOf(engine.read(start)), { kind: "gap", from: start, to: head, count: 10 });
  assert.deepEqual(await firstOf(engine.read(middle)), { kind: "gap", from: middle, to: head, count: 6 });
  assert.equal(engine.lag(start), 0);
  assert.equal(await engine.cursorAtTime(0n), head);
  await rejectsWith("not_found", () => engine.around({ id: firstId, before: 1, after: 1 }));
  // Their sequences are known to be used, but not for what.
  const again = await engine.append(batchOf(entriesOf("again", 2), "p", [4, 11]));
  assert.deepEqual([again.isDuplicate(0), again.idAt(0), again.isDuplicate(1)], [true, "", false]);
  assert.notEqual(again.idAt(1), firstId);
});

test("offsets are not used again when all was deleted before a restart", async (t) => {
  const log = await openTestEngine(t, { retention: { ageMs: 1 }, retentionIntervalMs: 5 });
  const { lastId } = await log.engine.append(batchOf(entriesOf("old", 3)));
  await until("all is deleted", async () => (await log.engine.stats()).entries === 0);
  const head = log.engine.head();
  const engine = await log.reopen();
  assert.equal(engine.head(), head);
  const { firstId } = await engine.append(batchOf(entriesOf("new", 1)));
  const offsetOf = (id: string) => Number(/[0-9]+$/.exec(id)?.[0]);
  assert.equal(offsetOf(firstId), offsetOf(lastId) + 1);
});

test("a producer that is long silent and has nothing stored is forgotten", async (t) => {
  const log = await openTestEngine(t, { retention: { ageMs: 1 }, retentionIntervalMs: 5, producerIdleMs: 0 });
  await log.engine.append(batchOf(entriesOf("old", 3), "p", [1, 2, 3]));
  await until("all is deleted", async () => (await log.engine.stats()).entries === 0);
  await until("the producer is forgotten", async () => {
    const { duplicates } = await log.engine.append(batchOf([entryOf()], "p", [1]));
    return duplicates === 0;
  });
});

test("retention by size keeps the file in bounds, and the newest entries", async (t) => {
  const bytes = 4 * 1024 * 1024;
  const { engine } = await openTestEngine(t, { retention: { bytes }, retentionIntervalMs: 5 });
  for (let call = 0; call < 60; call++)
    await engine.append(batchOf([1, 2, 3].map(() => bulky(`call ${call} `))));
  await until("the file is small enough", async () => (await engine.stats()).diskBytes < bytes * 1.5);
  const kept = await readToEnd(engine, await engine.cursorAtTime(0n));
  assert.ok(kept.length > 40 && kept.length < 100, `${kept.length} of 180 entries are kept`);
  assert.match(kept.at(-1)?.entry.message ?? "", /^call 59 /);
  assert.equal((await engine.stats()).deleted, 180 - kept.length);
});

test("retention keeps up with a flood: more always waits than one transaction takes", async (t) => {
  const bytes = 1024 * 1024;
  const { engine } = await openTestEngine(t, { retention: { bytes }, retentionIntervalMs: 1 });
  const trims = published(t, "logsvc:engine:retention");
  const batch = batchOf(Array.from({ length: 10 }, (_, index) => bulky(`entry ${index} `)));
  let calls = 0;
  const write = async () => {
    for (; trims.length === 0 && calls < 150; calls++) {
      const { ends, timestamps, severities } = batch;
      await engine.append({
        ...batch,
        bytes: batch.bytes.slice(),
        ends: ends.slice(),
        timestamps: timestamps.slice(),
        severities: severities.slice(),
      });
    }
  };
  await Promise.all(Array.from({ length: 50 }, write));
  assert.ok(trims.length > 0, `nothing was deleted while ${calls} MB were written`);
});

test("a bound on age that lies before 1970 deletes nothing, and fails nothing", async (t) => {
  const failures = published(t, "logsvc:engine:failure");
  const retention = { ageMs: Number.MAX_SAFE_INTEGER };
  const { engine } = await openTestEngine(t, { retention, retentionIntervalMs: 1 });
  for (let call = 0; call < 5; call++) await engine.append(batchOf([entryOf()]));
  assert.deepEqual([failures, (await engine.stats()).entries], [[], 5]);
});

test("the greatest sequence there is, deleted, is still known, and harms no other producer", async (t) => {
  const log = await openTestEngine(t);
  const sequences = [limits.sequenceMax];
  await log.engine.append(batchOf([entryOf()], "p", sequences));
  const engine = await log.reopen({ retention: { ageMs: 1 }, retentionIntervalMs: 5 });
  await until("it is deleted", async () => (await engine.stats()).entries === 0);
  const [again, other] = await Promise.all([
    engine.append(batchOf([entryOf()], "p", sequences)),
    engine.append(batchOf([entryOf()], "q", sequences)),
  ]);
  assert.deepEqual([again.duplicates, again.idAt(0), other.duplicates], [1, "", 0]);
});

test("a page does not read the blocks that former pages have used up", async (t) => {
  const { engine } = await openTestEngine(t);
  for (const entry of entriesOf("entry", 30)) await engine.append(batchOf([entry]));
  for (const order of ["newest", "oldest"] as const) {
    let pageToken = "";
    for (let page = 0; page < 3; page++) {
      const steps = await Array.fromAsync(engine.query({ filter: everything, order, limit: 10, pageToken }));
      const progress = steps.at(-1)?.progress;
      pageToken = progress?.nextPageToken ?? "";
      assert.equal(progress?.matches, 10);
      assert.ok(progress.blocksScanned <= 11, `${progress.blocksScanned} blocks for page ${page}, ${order}`);
      assert.equal(progress.blocksTotal, 30);
    }
  }
});

test("a reader whose blocks are deleted meanwhile sees a gap and then goes on", async (t) => {
  const log = await openTestEngine(t, { retention: { ageMs: 1 }, retentionIntervalMs: 1, memoryBytesMax: 0 });
  const { engine } = log;
  let last = 0;
  let missed = 0;
  let seen = 0;
  const writing = (async () => {
    for (let call = 0; call < 200; call++) await engine.append(batchOf(entriesOf("entry", 5)));
  })();
  for await (const event of engine.read(engine.head(), { signal: AbortSignal.timeout(20_000) })) {
    if (event.kind === "gap") missed += event.count;
    if (event.kind !== "blocks") continue;
    seen += event.blocks.reduce((sum, { count }) => sum + count, -event.from);
    const newest = event.blocks.at(-1);
    last = Number(/[0-9]+$/.exec(newest?.idAt(newest.count - 1) ?? "")?.[0]);
    assert.equal(seen + missed, last, "every entry is read or told to be missing");
    if (last === 1000) break;
    if (missed > 0 && seen + missed > 990) break;
  }
  await writing;
});

test("blocks beyond the memory's bound are read from the disk, those within are shared", async (t) => {
  const { engine } = await openTestEngine(t, { memoryBytesMax: 1_000_000 });
  const start = engine.head();
  const reader = readEntries(engine, start, 30);
  for (let call = 0; call < 30; call++) await engine.append(batchOf([bulky(`call ${call} `)]));
  await reader;
  const read = await readToEnd(engine, start);
  assert.deepEqual(
    messagesOf(read).map((message) => message.slice(0, 7).trim()),
    Array.from({ length: 30 }, (_, call) => `call ${call}`),
  );
  const blockAt = async (cursor: string) => {
    const event = await firstOf(engine.read(cursor));
    return event?.kind === "blocks" ? event.blocks[0] : undefined;
  };
  const [old, young] = [start, read.at(-2)?.cursor ?? ""];
  assert.equal(await blockAt(young), await blockAt(young), "the newest block is kept");
  assert.notEqual(await blockAt(old), await blockAt(old), "the oldest is not");
});

test("blocks are kept in memory only while somebody reads at the head", async (t) => {
  const { engine } = await openTestEngine(t);
  const blockAt = async (cursor: string) => {
    const event = await firstOf(engine.read(cursor));
    return event?.kind === "blocks" ? event.blocks[0] : undefined;
  };
  const unread = engine.head();
  await engine.append(batchOf(entriesOf("unread", 1)));
  const reader = firstOf(engine.read(engine.head()));
  const read = engine.head();
  await engine.append(batchOf(entriesOf("read", 1)));
  await reader;
  assert.notEqual(await blockAt(unread), await blockAt(unread));
  assert.equal(await blockAt(read), await blockAt(read));
  assert.deepEqual(messagesOf(await readToEnd(engine, unread)), ["unread 0", "read 0"]);
});

test("when the disk is full appends are refused, what is there is read, and later appends work", async (t) => {
  const log = await openTestEngine(t, { fileBytesMax: 2 * 1024 * 1024 });
  const failures = published(t, "logsvc:engine:failure");
  const start = log.engine.head();
  let stored = 0;
  const error = await rejectsWith("unavailable", async () => {
    for (; stored < 100; stored++)
      await log.engine.append(batchOf([bulky(`call ${stored} `)], "p", [stored + 1]));
  });
  assert.match(error.message, /full/);
  assert.equal(error.retryable, true);
  assert.equal(failures.length, 1);
  assert.ok(stored > 5 && stored < 50, `${stored} entries were stored`);
  assert.equal((await readToEnd(log.engine, start)).length, stored);
  const small = await log.engine.append(batchOf(entriesOf("small", 1), "q", [1]));
  assert.equal(small.duplicates, 0, "what fits is still stored");
  const engine = await log.reopen({ fileBytesMax: 64 * 1024 * 1024 });
  const again = await engine.append(batchOf([bulky("again "), bulky("again ")], "p", [stored, stored + 1]));
  assert.deepEqual(
    [again.isDuplicate(0), again.isDuplicate(1)],
    [true, false],
    "nothing refused was remembered",
  );
  assert.equal((await readToEnd(engine, start)).length, stored + 2);
});

test("what a producer sent after a batch that was not stored is not stored before it", async (t) => {
  const { engine } = await openTestEngine(t, { fileBytesMax: 2 * 1024 * 1024 });
  const start = engine.head();
  const outcome = (append: Promise<unknown>): Promise<string> =>
    append.then(
      () => "stored",
      (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
    );
  // More than one transaction takes, so the others have a later one, for which there is room on the disk.
  const large = Array.from({ length: 170 }, (_, index) => bulky(`large ${index} `));
  const outcomes = await Promise.all([
    outcome(engine.append(batchOf(entriesOf("before", 1), "p", [1]))),
    outcome(
      engine.append(
        batchOf(
          large,
          "p",
          [...large.keys()].map((index) => index + 2),
        ),
      ),
    ),
    outcome(engine.append(batchOf(entriesOf("after", 1), "p", [172]))),
    outcome(engine.append(batchOf(entriesOf("another's", 1), "q", [1]))),
    outcome(engine.append(batchOf(entriesOf("nobody's", 1)))),
  ]);
  assert.deepEqual(outcomes.slice(1), ["unavailable", "unavailable", "stored", "stored"]);
  // Whoever heard of it decides what comes next: after the turn in which they all did.
  await new Promise((resolve) => setImmediate(resolve));
  await engine.append(batchOf(entriesOf("instead", 1), "p", [2]));
  await engine.append(batchOf(entriesOf("after", 1), "p", [172]));
  const messages = messagesOf(await readToEnd(engine, start)).filter((message) => message !== "before 0");
  assert.deepEqual(messages, ["another's 0", "nobody's 0", "instead 0", "after 0"]);
});

test("the WAL stays in its bounds while readers take turns without a pause between them", async (t) => {
  const { engine, folder } = await openTestEngine(t);
  const entries = Array.from({ length: 9 }, (_, index) => bulky(`entry ${index}`));
  const readers = [0, 1].map(() => openLogFileForReading(folder));
  t.after(() => {
    for (const reader of readers) reader.close();
  });
  let isWriting = true;
  const reading = (async () => {
    for (let turn = 0; isWriting; turn++) {
      const [next, last] = turn % 2 === 0 ? readers : readers.toReversed();
      next?.exec("BEGIN; SELECT next_offset FROM log");
      if (last?.isTransaction) last.exec("ROLLBACK");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  let walBytes = 0;
  for (let call = 0; call < 220; call++) {
    await engine.append(batchOf(entries));
    walBytes = Math.max(walBytes, statSync(join(folder, "log.db-wal")).size);
  }
  isWriting = false;
  await reading;
  for (const reader of readers) if (reader.isTransaction) reader.exec("ROLLBACK");
  assert.ok(walBytes < 80 * 1024 * 1024, `${walBytes} bytes`);
});

test("a damaged block is corrupt wherever it is read, and the others are not", async (t) => {
  const log = await openTestEngine(t);
  const start = log.engine.head();
  for (const name of ["a", "b", "c"]) await log.engine.append(batchOf(entriesOf(name, 2)));
  const third = (await readToEnd(log.engine, start))[3]?.cursor ?? "";
  await log.engine.close();
  alter(
    log.folder,
    "UPDATE blocks SET entries = CAST(substr(entries, 1, 20) || x'00' || substr(entries, 22) AS BLOB) WHERE first_offset = 3",
  );
  const engine = await log.reopen();
  const { message } = await rejectsWith("corrupt", () => readToEnd(engine, start));
  assert.match(message, /^block 3 \(entries 3 to 4\): the checksum of its column entries/);
  await rejectsWith("corrupt", () => queryAll(engine, { filter: everything, order: "newest", limit: 10 }));
  assert.deepEqual(messagesOf(await readToEnd(engine, third)), ["c 0", "c 1"]);
  assert.equal(
    (await engine.count({ filter: everything, buckets: 10, groups: 10, groupBy: "level" })).total,
    6,
  );
});

test("a block that is missing in the middle is corrupt, not skipped", async (t) => {
  const log = await openTestEngine(t);
  const start = log.engine.head();
  for (const name of ["a", "b", "c"]) await log.engine.append(batchOf(entriesOf(name, 2)));
  await log.engine.close();
  alter(log.folder, "DELETE FROM blocks WHERE first_offset = 3");
  await rejectsWith("corrupt", async () => readToEnd(await log.reopen(), start));
});

/** Opens an engine, and hands out its writer's thread. */
async function engineAndWriter(t: TestContext): Promise<{ engine: Engine; writer: Worker }> {
  const made: Worker[] = [];
  const note = (worker: Worker) => made.push(worker);
  process.on("worker", note);
  const { engine } = await openTestEngine(t);
  process.off("worker", note);
  const [writer] = made;
  assert.ok(writer, "the writer's thread was started");
  return { engine, writer };
}

test("when the writer's thread dies, everything that waits and comes is refused, and nothing hangs", async (t) => {
  const failures = published(t, "logsvc:engine:failure");
  const { engine, writer } = await engineAndWriter(t);
  const exited = once(writer, "exit");
  const waiting = rejectsWith("unavailable", () => firstOf(engine.read(engine.head())));
  const terminated = writer.terminate();
  const pending = rejectsWith("unavailable", () => engine.append(batchOf([entryOf()])));
  await Promise.all([terminated, exited, pending, waiting]);
  const { message } = await rejectsWith("unavailable", () => engine.append(batchOf([entryOf()])));
  assert.match(message, /the log's writer has failed/);
  await rejectsWith("unavailable", () => engine.stats());
  assert.equal(failures.length, 1);
  await engine.close();
});

test("commits are published", async (t) => {
  const commits = published(t, "logsvc:engine:commit");
  const { engine } = await openTestEngine(t);
  const batch = batchOf(entriesOf("a", 3));
  const bytes = batch.bytes.length;
  await engine.append(batch);
  assert.equal(commits.length, 1);
  assert.partialDeepStrictEqual(commits[0], { entries: 3, bytes });
});

test("options out of their range are refused with what was expected", async () => {
  for (const bad of [
    { memoryBytesMax: -1 },
    { queryWorkers: 0 },
    { retention: { ageMs: Number.NaN } },
    { retentionIntervalMs: 2 ** 31 },
    { fileBytesMax: 1 },
  ]) {
    await assert.rejects(
      openSqliteEngine({ path: "unused", ...bad }),
      /RangeError: Expected `.*` to be a whole number (of at least|from 1 to)/,
    );
  }
  await assert.rejects(openSqliteEngine({ path: "" }), RangeError);
});
