/**
 * Random searches of random logs: each answer equals brute force. A log's number
 * is all that its entries and searches depend on.
 */
import type { TestContext } from "node:test";
import { limits } from "@logsvc/proto";
import { CheckedLog, type SearchedLog } from "./checked-log.ts";
import { type ContractTest, type OpenEngine, Random } from "./engine-under-test.ts";
import { createRandomBatches } from "./random-entries.ts";
import { randomSearch } from "./random-searches.ts";

/** How a log is searched. */
export interface RandomSearches {
  /** Searches for each log. */
  readonly searches: number;
  /** Batches that are appended at the most while some searches run; 0: the log is at rest. */
  readonly batchesMax: number;
  /** Buckets of a histogram at the most. Default: as many as there may be, for which some logs are scanned twice. */
  readonly bucketsMax?: number;
  /** Awaited before each few searches. */
  readonly pause?: () => Promise<void>;
}

/** Fills a log and searches it. */
export async function searchRandomly(
  log: SearchedLog,
  seed: number,
  { searches, batchesMax, bucketsMax = limits.bucketsMax, pause }: RandomSearches,
): Promise<CheckedLog> {
  const random = new Random(seed);
  const nextBatch = createRandomBatches(random);
  const checked = new CheckedLog(log, `log ${seed}`);
  // Batches that are appended at once are stored together; those that are not, each for itself.
  for (let calls = 1 + random.below(random.of([4, 40, 40])); calls > 0; calls--) {
    const batches = Array.from({ length: random.of([1, 1, 1, 3]) }, nextBatch);
    await Promise.all(batches.map((batch) => checked.append(batch)));
  }
  for (let asked = 0; asked < searches; ) {
    const together = Math.min(searches - asked, random.of([1, 3, 8]));
    const source = { random, entries: checked.entries, bucketsMax };
    const batches = Array.from({ length: random.below(batchesMax + 1) }, nextBatch);
    await pause?.();
    await checked.ask(
      Array.from({ length: together }, () => randomSearch(source)),
      batches,
    );
    asked += together;
  }
  return checked;
}

/** Logs in each test: few, since opening one starts threads. */
const logsWanted = 2;

async function searchLogs(t: TestContext, open: OpenEngine, options: RandomSearches): Promise<void> {
  for (let seed = 1; seed <= logsWanted; seed++) {
    const log = await open(t);
    const checked = await searchRandomly(log, seed, options);
    await checked.checkReading(log.engine);
  }
}

/** Tests of every kind of search together. */
export const randomSearchContract: readonly ContractTest[] = [
  {
    name: "random searches of random logs are answered as brute force does",
    run: (t, open) => searchLogs(t, open, { searches: 50, batchesMax: 0 }),
  },
  {
    name: "random searches in the middle of ingest are answered as brute force does at some moment of it",
    run: (t, open) => searchLogs(t, open, { searches: 50, batchesMax: 5 }),
  },
];
