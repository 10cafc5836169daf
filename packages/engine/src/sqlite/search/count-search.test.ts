/** Histograms of everything are counted from what blocks have counted themselves, and are exact. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { LogEntry } from "@logsvc/proto";
import { entryOf, epoch, Random } from "../../contract/engine-under-test.ts";
import { EngineError } from "../../engine-error.ts";
import { blockValues, insertBlockSql } from "../block-format.ts";
import { BlockReader } from "../block-reader.ts";
import { openLogFile, openLogFileForReading } from "../log-file.ts";
import { packBlocks } from "../packed-block.ts";
import { imageOf } from "../testing/block-images.ts";
import { temporaryFolder } from "../testing/test-engine.ts";
import { countEntries } from "./count-search.ts";
import type { SearchRequest } from "./search-context.ts";

const millisecond = 1_000_000n;
const second = 1_000n * millisecond;

/** A log of one packed block whose times and severities can't be read. */
async function openTallied(t: TestContext, entries: readonly LogEntry[]): Promise<BlockReader> {
  const folder = await temporaryFolder(t);
  const { database, close } = openLogFile(folder);
  t.after(close);
  const { block } = packBlocks([imageOf(entries, 1, 1n)]);
  const bytes = new Uint8Array(1);
  const damaged = { ...block, times: bytes, severities: bytes };
  database.prepare(insertBlockSql).run(...blockValues(damaged));
  const reader = new BlockReader(openLogFileForReading(folder));
  t.after(() => reader.close());
  return reader;
}

function count(reader: BlockReader, request: Partial<SearchRequest<"count">>) {
  const search = countEntries(
    { filter: { kind: "all" }, buckets: 10_000, groups: 10, watermark: 1_000_000, ...request },
    {
      reader,
      checkWanted: () => undefined,
      isTurnOver: () => false,
      isTurnOverdue: () => false,
      keep: () => undefined,
      step: () => undefined,
    },
  );
  for (let step = search.next(); ; step = search.next()) if (step.done === true) return step.value;
}

/** How many of these times lie in each bucket. */
function expectedCounts(
  entries: readonly LogEntry[],
  start: bigint,
  interval: bigint,
  length: number,
): number[] {
  const counts = Array.from({ length }, () => 0);
  for (const { timestamp } of entries) {
    const bucket = Number((timestamp - start) / interval);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

test("counts by time and level come from the tally, exactly, where buckets are multiples of its unit", async (t) => {
  const random = new Random(1);
  for (let round = 0; round < 6; round++) {
    // Up to 64 units are touched: 10 ms each.
    const origin = epoch + BigInt(random.below(1e9));
    const entries = Array.from({ length: 500 }, () =>
      entryOf({
        level: random.of(["INFO", "INFO", "WARN", "ERROR"]),
        timestamp: origin + BigInt(random.below(600e6)),
      }),
    );
    const reader = await openTallied(t, entries);
    for (const factor of [1n, 2n, 3n, 7n, 50n, 64n, 100n, 10n ** 9n]) {
      const interval = 10n * millisecond * factor;
      // A range that begins and ends anywhere outside of the block.
      const range =
        random.below(2) === 0 || factor > 100n
          ? {}
          : { start: origin - BigInt(random.below(1e9)), end: origin + second };
      const plain = count(reader, { ...range, interval });
      const [series] = plain.series;
      assert.ok(series !== undefined && plain.series.length === 1);
      assert.deepEqual(series.counts, expectedCounts(entries, plain.start, interval, series.counts.length));
      const levels = count(reader, { ...range, interval, groupBy: "level" });
      assert.equal(levels.total, 500);
      assert.deepEqual(
        levels.series.map(({ value }) => value),
        ["ERROR", "WARN", "INFO"],
      );
      for (const { value, counts } of levels.series) {
        const known = entries.filter(({ level }) => level === value);
        assert.deepEqual(counts, expectedCounts(known, levels.start, interval, counts.length));
      }
    }
  }
});

test("where the tally is not enough the times are read", async (t) => {
  const entries = Array.from({ length: 100 }, (_, index) =>
    entryOf({ level: index === 0 ? "audit" : "INFO", timestamp: epoch + BigInt(index) * 5n * millisecond }),
  );
  const reader = await openTallied(t, entries);
  const interval = 20n * millisecond;
  assert.equal(count(reader, { interval }).total, 100);
  const inadequate: Partial<SearchRequest<"count">>[] = [
    { interval: 15n * millisecond },
    { interval: 7n * millisecond },
    { interval, groupBy: "service" },
    // The tally does not know what an unknown level's name is.
    { interval, groupBy: "level" },
    { interval, start: epoch + 1n },
    { interval, end: epoch + 495n * millisecond },
    { interval, watermark: 99 },
    { interval, filter: { kind: "field", field: "level", match: { kind: "exact", text: "INFO" } } },
  ];
  for (const request of inadequate) {
    assert.throws(
      () => count(reader, request),
      (error) =>
        error instanceof EngineError &&
        error.code === "corrupt" &&
        /column (times|severities|origins)/.test(error.message),
    );
  }
});
