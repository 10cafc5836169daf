/**
 * What a tail says when there is nothing to show, and what it says when
 * something can't be shown any more.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test from "node:test";
import type { TailLogsResponse } from "@logsvc/proto";
import { startLogsvc } from "./harness/program.ts";
import { batchOf, connectRpc, messagesOf, readStats, readTail } from "./harness/rpc.ts";
import { startServer } from "./harness/server.ts";
import { waitFor } from "./harness/wait-for.ts";

test("a quiet tail opens at once, and its heartbeats move the cursor on", { timeout: 60_000 }, async (t) => {
  const server = await startServer(t, { flags: ["--heartbeat-interval", "200ms"] });
  const rpc = connectRpc(t, server.url);
  const reading = new AbortController();
  t.after(() => reading.abort());
  const tail = rpc
    .tailLogs({ filter: "service:=wanted" }, { signal: reading.signal })
    [Symbol.asyncIterator]();
  const next = async (): Promise<TailLogsResponse> => {
    const { value, done } = await tail.next();
    if (done) throw new Error("the tail has ended");
    return value;
  };

  const opened = await next();
  assert.deepEqual([opened.event.case, opened.entries.length], ["opened", 0]);
  assert.notEqual(opened.cursor, "");

  await rpc.writeLogs(batchOf(["passed over"], "unwanted"));
  let passed = await next();
  while (passed.cursor === opened.cursor) passed = await next();
  assert.equal(passed.event.case, "heartbeat");

  await rpc.writeLogs(batchOf(["seen"], "wanted"));
  const resumed = await readTail(rpc, { cursor: passed.cursor }, 1);
  assert.deepEqual(messagesOf(resumed.entries), ["seen"]);
});

test("what retention deleted before a tail came is told, exactly", { timeout: 120_000 }, async (t) => {
  const server = await startServer(t, { flags: ["--retention-bytes", "1MiB"] });
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(["the first"]));
  const { cursor } = await readTail(rpc, { last: 1 }, 1);
  let count = 0;
  for (let batch = 0; batch < 8; batch += 1) {
    // Of a kind that can't be compressed, so that 8 MiB are 8 MiB on disk.
    const messages = Array.from({ length: 1000 }, () => randomBytes(768).toString("base64"));
    await rpc.writeLogs(batchOf(messages));
    count += messages.length;
  }
  await waitFor(
    "retention to delete",
    async () => ((await readStats(rpc)).storage?.deleted ?? 0n) > 1n,
    60_000,
  );

  const tail = startLogsvc(t, "tail", "--url", server.url, "--cursor", cursor, "--output", "json");
  await rpc.writeLogs(batchOf(["the last"]));
  count += 1;
  await tail.waitUntil("the last entry", () => tail.stdout.includes('"the last"'), 60_000);
  const lines = tail.lines.map((line): unknown => JSON.parse(line));
  const missing = lines.map(missingOf);
  assert.ok((missing[0] ?? 0) > 0, "the gap comes first");
  const entries = missing.filter((gap) => gap === undefined).length;
  assert.equal(entries + missing.reduce<number>((sum, gap = 0) => sum + gap, 0), count);
});

/** How many entries a line says are missing; undefined: it is an entry. */
function missingOf(line: unknown): number | undefined {
  if (typeof line !== "object" || line === null || !("gap" in line)) return undefined;
  const { gap } = line;
  if (typeof gap === "object" && gap !== null && "count" in gap) return Number(gap.count);
  throw new Error(`a gap without its count: ${JSON.stringify(line)}`);
}
