import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { Code, ConnectError, type LogClient, type StoredEntry } from "@logsvc/client-web";
import type { ExportSink } from "./export-entries.ts";
import { type ExportChoice, ExportRun } from "./export-run.ts";

const choice: ExportChoice = {
  filter: "",
  range: { kind: "live" },
  kind: "ndjson",
  format: () => Promise.resolve({ kind: "ndjson" }),
};

const entry = {
  id: "a",
  receivedAt: 1n,
  entry: { level: "INFO", message: "m", timestamp: 5n },
} as unknown as StoredEntry;

/** A client whose queries give these batches, one after the other, or fail. */
function clientOf(batches: () => AsyncIterable<StoredEntry[]>): Pick<LogClient, "query"> {
  return { query: () => ({ batches }) as unknown as ReturnType<LogClient["query"]> };
}

class MemorySink implements ExportSink {
  readonly bytesMax = 1_000_000;
  ended = "";
  write(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    this.ended = "closed";
    return Promise.resolve();
  }
  abort(): Promise<void> {
    this.ended ||= "aborted";
    return Promise.resolve();
  }
}

const one = clientOf(async function* () {
  yield [entry];
  await Promise.resolve();
});

test("an export goes from idle over running to done", async () => {
  const sink = new MemorySink();
  const run = new ExportRun(() => Promise.resolve(sink));
  const kinds: string[] = [run.state.kind];
  run.subscribe(() => kinds.push(run.state.kind));
  await run.start(one, choice);
  assert.deepEqual([...new Set(kinds)], ["idle", "running", "done"]);
  assert.equal(run.state.kind === "done" && run.state.result.entries, 1);
  assert.equal(sink.ended, "closed");
});

test("a cancelled one is idle again, and its file is thrown away", async () => {
  const sink = new MemorySink();
  const run = new ExportRun(() => Promise.resolve(sink));
  run.subscribe(() => {
    if (run.state.kind === "running" && run.state.progress.entries > 0) run.cancel();
  });
  await run.start(one, choice);
  assert.equal(run.state.kind, "idle");
  assert.equal(sink.ended, "aborted");
});

test("one for which no file was chosen is idle again", async () => {
  const run = new ExportRun(() => Promise.reject(new DOMException("no file", "AbortError")));
  await run.start(one, choice);
  assert.equal(run.state.kind, "idle");
});

test("a failure says why, and can be tried again", async () => {
  const sink = new MemorySink();
  const run = new ExportRun(() => Promise.resolve(sink));
  // biome-ignore lint/correctness/useYield: it fails before its first batch.
  const broken = clientOf(async function* () {
    await Promise.resolve();
    throw new ConnectError("draining", Code.Unavailable);
  });
  await run.start(broken, choice);
  assert.deepEqual(run.state, { kind: "failed", reason: "draining" });
  assert.equal(sink.ended, "aborted");
  await run.start(one, choice);
  assert.equal(run.state.kind, "done");
});

test("where nothing matches nothing is saved", async () => {
  const sink = new MemorySink();
  const run = new ExportRun(() => Promise.resolve(sink));

  await run.start(
    clientOf(() => Readable.from([])),
    choice,
  );
  assert.equal(run.state.kind === "done" && run.state.result.entries, 0);
  assert.equal(sink.ended, "aborted");
});
