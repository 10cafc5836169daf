/** Searches tell how much they keep while they pause: by it a thread bounds its memory. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { parseFilter } from "@logsvc/filter";
import { entriesOf } from "../../contract/engine-under-test.ts";
import { blockValues, insertBlockSql } from "../block-format.ts";
import { BlockReader } from "../block-reader.ts";
import { openLogFile, openLogFileForReading } from "../log-file.ts";
import { packBlocks } from "../packed-block.ts";
import type { SearchJob } from "../scan-jobs.ts";
import { imageOf } from "../testing/block-images.ts";
import { temporaryFolder } from "../testing/test-engine.ts";
import { startSearch } from "./start-search.ts";

/** A log of one packed block of so many entries. */
async function openLog(t: TestContext, count: number): Promise<BlockReader> {
  const folder = await temporaryFolder(t);
  const { database, close } = openLogFile(folder);
  t.after(close);
  const { block } = packBlocks([imageOf(entriesOf("number", count), 1, 1n)]);
  database.prepare(insertBlockSql).run(...blockValues(block));
  const reader = new BlockReader(openLogFileForReading(folder));
  t.after(() => reader.close());
  return reader;
}

/** What a search says at each pause that it keeps, where it pauses as often as it may. */
function keptAtPauses(reader: BlockReader, job: SearchJob): number[] {
  let kept = 0;
  const search = startSearch(job, {
    reader,
    checkWanted: () => undefined,
    isTurnOver: () => true,
    isTurnOverdue: () => true,
    keep: (bytes) => {
      kept = bytes;
    },
    step: () => undefined,
  });
  const pauses: number[] = [];
  while (search.next().done !== true) pauses.push(kept);
  return pauses;
}

test("a page and a backlog tell the bytes of what they keep", async (t) => {
  const reader = await openLog(t, 2000);
  const request = { filter: parseFilter("number"), limit: 10_000, watermark: 2000 };
  for (const job of [
    { kind: "backlog", ...request },
    { kind: "query", order: "oldest", after: undefined, ...request },
  ] as const) {
    const pauses = keptAtPauses(reader, job);
    // A message has 8 bytes and more.
    assert.ok(pauses.length > 1 && (pauses[0] ?? 0) > 256 * 8, `${job.kind}: ${pauses}`);
    assert.ok((pauses.at(-1) ?? 0) > (pauses[0] ?? 0), `${job.kind}: ${pauses}`);
  }
});
