/**
 * Random searches of random logs: each answer equals brute force. A log's number
 * is all that its entries and searches depend on.
 */
import type { TestContext } from "node:test";
import { limits } from "@logsvc/proto";
import { CheckedLog } from "./checked-log.ts";
import { type ContractTest, type EngineUnderTest, type OpenEngine, Random } from "./engine-under-test.ts";
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

/** Fills a log and searches it. Returns how many entries were deleted meanwhile. */
export async function searchRandomly(
  log: EngineUnderTest,
  seed: number,
  { searches, batchesMax, bucketsMax = limits.bucketsMax, pause }: RandomSearches,
): Promise<number> {
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
  if (checked.trimmed === 0) await checked.checkReading();
  return checked.trimmed;
}

const logs = 2;

async function searchLogs(t: TestContext, open: OpenEngine, options: RandomSearches): Promise<void> {
  for (let seed = 1; seed <= logs; seed++) await searchRandomly(await open(t), seed, options);
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
