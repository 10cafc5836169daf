/**
 * Random searches of random logs, as in the contract, while this engine
 * joins and deletes what it has stored. Some hundred searches at each run; for
 * 10 000 of every kind, in a quarter of an hour:
 *
 *   LOGSVC_RANDOM_SEARCHES=10000 node --test packages/engine/src/sqlite/search-random.test.ts
 *
 * When an answer is wrong the failure names the log; `LOGSVC_RANDOM_LOG=17`
 * begins with that one.
 */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Random } from "../contract/engine-under-test.ts";
import { type RandomSearches, searchRandomly } from "../contract/random-search-contract.ts";
import { storedBytesSql } from "./block-format.ts";
import { openLogFile } from "./log-file.ts";
import { type PlannedBlock, planMerge, weightOf } from "./merge-plan.ts";
import type { SqliteEngineOptions } from "./sqlite-engine.ts";
import { type Disturbance, SteppedEngine } from "./testing/stepped-engine.ts";
import { openTestEngine, type TestEngine, temporaryFolder } from "./testing/test-engine.ts";

const searchesWanted = Number(process.env["LOGSVC_RANDOM_SEARCHES"] ?? 100);
const firstLog = Number(process.env["LOGSVC_RANDOM_LOG"] ?? 1);
const searchesALog = 50;

type Options = Partial<SqliteEngineOptions>;

/** How the logs of a test are searched. */
interface LogSearches extends Omit<RandomSearches, "searches" | "pause"> {
  /** What is counted. */
  readonly channel: string;
  readonly optionsOf: (log: number) => Options;
}

/** Searches one log after another; returns how often a channel was published on meanwhile. */
async function searchLogs(t: TestContext, { channel, optionsOf, ...searches }: LogSearches): Promise<number> {
  let published = 0;
  const count = () => {
    published++;
  };
  subscribe(channel, count);
  t.after(() => unsubscribe(channel, count));
  const logs = Math.ceil(searchesWanted / searchesALog);
  for (let seed = firstLog; seed < firstLog + logs; seed++) {
    const log = await openTestEngine(t, optionsOf(seed));
    const pause = mergesOf(log, seed);
    const checked = await searchRandomly(log, seed, { searches: searchesALog, pause, ...searches });
    if (checked.trimmed === 0) await checked.checkReading(log.engine);
    await log.engine.close();
  }
  t.diagnostic(`${published} messages on ${channel}`);
  return published;
}

/**
 * Has the blocks of a log merged by a few. Later on waits for the next merge
 * where there is something to merge, since the merger works only when nobody
 * else wants the processor; not for long, since it may wait for more itself.
 */
function mergesOf(log: TestEngine, seed: number): () => Promise<void> {
  let mergedWeightMax: number | undefined;
  return async () => {
    const blocks = plannedBlocks(log.folder);
    if (mergedWeightMax === undefined) {
      const weights = blocks.map(weightOf).sort((a, b) => a - b);
      const median = weights[weights.length >>> 1] ?? 0;
      mergedWeightMax = Math.max(1024, median * (mergedByMedian[seed % 3] ?? 1));
      await log.reopen({ mergedWeightMax });
    }
    if (planMerge(blocks, mergedWeightMax).join === undefined) return;
    const merged = Promise.withResolvers<void>();
    const note = () => merged.resolve();
    subscribe("logsvc:engine:merge", note);
    await Promise.race([merged.promise, setTimeout(300)]);
    unsubscribe("logsvc:engine:merge", note);
  };
}

/** Median blocks that a merged one is made of at the most. */
const mergedByMedian = [3, 8, 30];

/** A log's blocks, as the merger sees them. */
function plannedBlocks(folder: string): PlannedBlock[] {
  const database = new DatabaseSync(join(folder, "log.db"), { readOnly: true });
  const sql = `SELECT first_offset, count, raw_bytes, ${storedBytesSql} AS stored FROM blocks ORDER BY first_offset`;
  const rows = database.prepare(sql).all();
  database.close();
  return rows.map((row) => ({
    firstOffset: Number(row["first_offset"]),
    count: Number(row["count"]),
    rawBytes: Number(row["raw_bytes"]),
    storedBytes: Number(row["stored"]),
    period: 0,
  }));
}

test("random searches of logs whose blocks were merged, or are just now", async (t) => {
  const merges = await searchLogs(t, {
    channel: "logsvc:engine:merge",
    batchesMax: 0,
    optionsOf: () => ({}),
  });
  assert.ok(merges > 0, "blocks were merged");
});

test("random searches while blocks are written and merged", async (t) => {
  const merges = await searchLogs(t, {
    channel: "logsvc:engine:merge",
    batchesMax: 5,
    optionsOf: () => ({}),
  });
  assert.ok(merges > 0, "blocks were merged");
});

test("random searches while retention deletes blocks, merged ones too", async (t) => {
  // By age from the time on when all is written, and by size when each new batch takes an old one's place.
  const retentions = [{ ageMs: 150 }, { bytes: 128 * 1024 }];
  const trims = await searchLogs(t, {
    channel: "logsvc:engine:retention",
    batchesMax: 5,
    bucketsMax: 500,
    optionsOf: (log) => ({ retention: retentions[log % 2] ?? {}, retentionIntervalMs: 1 }),
  });
  assert.ok(trims > 0, "blocks were deleted");
});

/** For so many searches wanted there is one such log: they need no threads, and are the faster for it. */
const stepwise = 20;

/** Searches logs whose blocks change between the steps of each search. */
async function searchStepped(t: TestContext, disturbance: Disturbance): Promise<void> {
  for (let seed = firstLog; seed < firstLog + searchesWanted / stepwise; seed++) {
    const file = openLogFile(await temporaryFolder(t));
    // Nothing here is of any worth after a power failure.
    file.database.exec("PRAGMA synchronous = OFF");
    const engine = new SteppedEngine(file, new Random(seed), disturbance);
    await searchRandomly({ engine }, seed, { searches: searchesALog, batchesMax: 5, bucketsMax: 500 });
    file.close();
  }
}

test("random searches, each with merges between its steps", (t) =>
  searchStepped(t, { merges: 30, trims: 0 }));

test("random searches, each with merges and trims between its steps", (t) =>
  searchStepped(t, { merges: 30, trims: 5 }));
