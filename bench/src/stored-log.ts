/** A generated log in our engine's folder, or as compressed text: what searches and retention work on. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, statSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { constants, createZstdCompress } from "node:zlib";
import { type Engine, openSqliteEngine } from "@logsvc/engine";
import { type GeneratedLogOptions, generateBatches, generateLines } from "./log-generator.ts";
import { commandMissing } from "./program.ts";

/** How a load went. */
export interface LoadReport {
  /** From the first entry to the last one durable, milliseconds. */
  readonly loadMs: number;
  /** From then until nothing was merged any more, milliseconds. */
  readonly mergeMs: number;
}

const batchEntries = 10_000;

/** Batches that wait at one time: what a few fast clients would have on their way. */
const batchesAtOnce = 4;

/** The log is as it will stay when its number of blocks has stayed the same for so long. */
const quietMs = 2_000;

/** Merging ends some time; what has not ended by then would be a fault worth seeing. */
const mergeMsMax = 600_000;

/** Stores a generated log in a new folder, and waits until its blocks are merged. */
export async function storeLog(folder: string, log: GeneratedLogOptions): Promise<LoadReport> {
  const engine = await openSqliteEngine({ path: folder });
  try {
    const start = performance.now();
    await append(engine, log);
    const loadMs = performance.now() - start;
    return { loadMs, mergeMs: await untilMerged(engine) };
  } finally {
    await engine.close();
  }
}

async function append(engine: Engine, log: GeneratedLogOptions): Promise<void> {
  const waiting: Promise<unknown>[] = [];
  for (const batch of generateBatches(log, batchEntries)) {
    waiting.push(engine.append(batch));
    if (waiting.length >= batchesAtOnce) await waiting.shift();
  }
  await Promise.all(waiting);
}

/** Resolves with how long it took until the blocks no longer changed. */
async function untilMerged(engine: Engine): Promise<number> {
  const start = performance.now();
  let { blocks } = await engine.stats();
  let changedAt = start;
  while (performance.now() - changedAt < quietMs) {
    if (performance.now() - start > mergeMsMax) throw new Error("the log's blocks are still being merged");
    await pause(100);
    const now = (await engine.stats()).blocks;
    if (now !== blocks) changedAt = performance.now();
    blocks = now;
  }
  return changedAt - start;
}

/** What a generated log takes as text. */
export interface CompressedText {
  /** As NDJSON. */
  readonly textBytes: number;
  /** As `zstd -3` makes it of that, in one stream. */
  readonly compressedBytes: number;
}

/** Writes a generated log as NDJSON through `zstd -3` into a file; without the command Node's zstd does it. */
export async function compressLog(path: string, log: GeneratedLogOptions): Promise<CompressedText> {
  let textBytes = 0;
  const text = Readable.from(
    (function* () {
      for (const lines of generateLines(log)) {
        textBytes += lines.length;
        yield lines;
      }
    })(),
  );
  if (commandMissing("zstd")) {
    const params = { [constants.ZSTD_c_compressionLevel]: 3 };
    await pipeline(text, createZstdCompress({ params }), createWriteStream(path));
  } else {
    const zstd = spawn("zstd", ["-3", "-q", "-o", path], { stdio: ["pipe", "ignore", "inherit"] });
    const exited = once(zstd, "exit");
    await pipeline(text, zstd.stdin);
    const [code] = await exited;
    if (code !== 0) throw new Error(`zstd ended with ${code}`);
  }
  return { textBytes, compressedBytes: statSync(path).size };
}
