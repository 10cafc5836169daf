/**
 * Merging, as the writer sees it: starts the merger, wakes it when enough was
 * written, and puts what it has packed in the place of the blocks that it is
 * made of. A swap is one transaction, between two commits; readers see the one
 * or the other, and the same entries in both.
 *
 *          enough was written             packed
 *   idle ──────────────────────▶ working ────────▶ swap ──┐
 *    ▲                            │ │  ▲                  │
 *    └──── nothing to join ───────┘ │  └──────────────────┘
 *              failed, or a flood   ▼
 *                                resting
 *
 * A flood has the machine for itself: fresh blocks are complete, so merging can
 * wait until it is over, or so much waits that searches would feel it.
 */
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from "node:worker_threads";
import { blockValues, insertBlockSql, insertWordsSql, storedBytesSql } from "./block-format.ts";
import { FloodGauge, floodWindowMs } from "./flood-gauge.ts";
import { logFilePath, storageError, transaction } from "./log-file.ts";
import { mergedWeightMax, mergedWeightMin, weightOf } from "./merge-plan.ts";
import { type PackedBlock, packedBuffers } from "./packed-block.ts";
import { startWorker } from "./start-worker.ts";
import {
  type Fault,
  type Merge,
  type MergerReply,
  type MergerRequest,
  type MergerSettings,
  toFault,
  type WriterReply,
  type WriterSettings,
} from "./thread-messages.ts";

/** After new blocks of so much of the smallest block that is made it is worth while to look. */
const wakeShare = 0.25;

/** A log of fewer blocks has nothing to join when it is opened. */
const blocksMin = 8;

/** How long merging rests after a failure, at first and at the longest. */
const restMsMin = 500;
const restMsMax = 60_000;

/** In a flood so many blocks' weight may wait to be merged: 1 GiB. */
const floodBlocksMax = 256;

/** Retention deletes whole blocks: none is for more than such a part of what it keeps, so that it is never far off its bounds. */
const blocksInRetention = 16;

/** Compressed logs take about half of their bytes or less. */
const rawBytesPerStored = 2;

/** What merging works with. */
export interface MergingOptions {
  readonly settings: WriterSettings;
  /** Told what was joined, and what failed. */
  readonly report: (outcome: WriterReply) => void;
  /** Told how many bytes a swap has written, more or less. */
  readonly wrote: (bytes: number) => void;
}

/** The merger's thread, and its port. */
interface Merger {
  readonly worker: Worker;
  readonly port: MessagePort;
}

/** A step of the merger takes some tenths of a second; where it has hardly any processor time, not more than this. */
const stepMsMax = 5_000;

/** Joins small blocks in the background. Lives in the writer's thread. */
export class Merging {
  readonly #database: DatabaseSync;
  readonly #options: MergingOptions;
  readonly #statements: ReturnType<typeof prepareStatements>;
  #state: "idle" | "working" | "resting" | "stopped" = "idle";
  #merger: Merger | undefined;
  readonly #weightMax: number;
  /** Weight of what was written since the merger last looked. */
  #grown = 0;
  readonly #flood: FloodGauge;
  #restMs = restMsMin;
  /** When to try again, as `performance.now` has it. */
  #restUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: DatabaseSync, options: MergingOptions) {
    this.#database = database;
    this.#options = options;
    this.#statements = prepareStatements(database);
    this.#weightMax = weightMaxFor(options.settings);
    this.#flood = new FloodGauge(floodBlocksMax * this.#weightMax);
  }

  /** Begins with what former runs have left. */
  start(): void {
    if (Number(this.#statements.countBlocks.get()?.["blocks"]) >= blocksMin) this.#look();
  }

  /** To be told of each commit. */
  grew({ entries, bytes }: { readonly entries: number; readonly bytes: number }): void {
    const weight = weightOf({ count: entries, rawBytes: bytes, storedBytes: 0 });
    this.#grown += weight;
    this.#flood.wrote(weight);
    this.#lookIfGrown();
  }

  /**
   * Does what is due, at most one swap. The writer calls it after each commit:
   * under a flood neither its timers nor its other ports are served.
   */
  takeTurn(): void {
    if (this.#state === "resting" && performance.now() >= this.#restUntilMs) this.#look();
    if (this.#state !== "working" || this.#merger === undefined) return;
    const reply: MergerReply | undefined = receiveMessageOnPort(this.#merger.port)?.message;
    if (reply !== undefined) this.#take(reply);
  }

  /**
   * Ends the merger: without its port it ends by itself, after the step under
   * way. To cut it off is the last resort: Node 24 aborts the process when a
   * thread ends between the making of a zstd context and its first use.
   */
  async stop(): Promise<void> {
    this.#state = "stopped";
    clearTimeout(this.#timer);
    if (this.#merger === undefined) return;
    const { port, worker } = this.#merger;
    const ended = new AbortController();
    worker.once("exit", () => ended.abort());
    port.close();
    await wait(stepMsMax, undefined, { signal: ended.signal }).catch(() => undefined);
    await worker.terminate();
  }

  #lookIfGrown(): void {
    const wakeWeight = Math.min(this.#weightMax, mergedWeightMin) * wakeShare;
    if (this.#state === "idle" && this.#grown >= wakeWeight) this.#look();
  }

  #look(): void {
    if (this.#flood.isFlood) {
      this.#restFor(floodWindowMs);
      return;
    }
    clearTimeout(this.#timer);
    this.#state = "working";
    this.#grown = 0;
    this.#merger ??= this.#startMerger();
    this.#merger.port.postMessage("look" satisfies MergerRequest);
  }

  #startMerger(): Merger {
    const { port1: port, port2 } = new MessageChannel();
    const { folder, retentionAgeMs } = this.#options.settings;
    const period = periodFor(retentionAgeMs);
    const settings: MergerSettings = { folder, weightMax: this.#weightMax, period, port: port2 };
    const worker = startWorker("merger", "logsvc merger", settings, [port2]);
    const merger = { worker, port };
    port.on("message", (reply: MergerReply) => this.#take(reply));
    worker.on("error", (error) => this.#ended(merger, error));
    worker.on("exit", (code) => this.#ended(merger, new Error(`the merger ended with code ${code}`)));
    return merger;
  }

  #take(reply: MergerReply): void {
    if (this.#state !== "working") return;
    switch (reply.kind) {
      case "packed":
        this.#swap(reply);
        break;
      case "idle":
        this.#state = "idle";
        this.#flood.caughtUp(this.#grown);
        this.#lookIfGrown();
        break;
      case "failed":
        this.#rest(reply.fault);
        break;
    }
  }

  #swap({ blocks, packed }: { readonly blocks: number; readonly packed: PackedBlock }): void {
    const startedAt = performance.now();
    try {
      const storedBytes = unsynced(this.#database, () => this.#replace(blocks, packed));
      this.#restMs = restMsMin;
      if (storedBytes !== undefined) {
        const durationUs = Math.round((performance.now() - startedAt) * 1000);
        const { count: entries, rawBytes } = packed.block;
        this.#flood.merged(weightOf({ count: entries, rawBytes, storedBytes: 0 }));
        const merge: Merge = { blocks, entries, rawBytes, storedBytes, durationUs };
        this.#options.report({ kind: "merged", merge });
        this.#options.wrote(storedBytes);
      }
      this.#look();
    } catch (error) {
      this.#rest(toFault(storageError(error, logFilePath(this.#options.settings.folder))));
    } finally {
      // At once, as in the merger: left to the collector tens of megabytes would pile up here too.
      for (const buffer of packedBuffers(packed)) buffer.transfer(0);
    }
  }

  /** Within a transaction. Returns what the new row takes; undefined when retention has deleted some of the old ones. */
  #replace(blocks: number, { block, words }: PackedBlock): number | undefined {
    const { firstOffset, count } = block;
    const lastOffset = firstOffset + count - 1;
    const there = this.#statements.inRange.get(firstOffset, lastOffset);
    const isWhole =
      there?.["blocks"] === blocks && there["entries"] === count && there["first"] === firstOffset;
    if (!isWhole) return undefined;
    // First, so that the new row takes the pages that are free then: it needs no more room than they had.
    this.#statements.deleteBlocks.run(firstOffset, lastOffset);
    this.#statements.deleteWords.run(firstOffset, lastOffset);
    this.#statements.insertBlock.run(...blockValues(block));
    for (const [part, bits] of words.entries()) this.#statements.insertWords.run(firstOffset, part, bits);
    this.#statements.updateLog.run(blocks - 1);
    return Number(this.#statements.storedBytes.get(firstOffset)?.["stored_bytes"]);
  }

  /** Goes on after a while: the disk may be full, which the swap needs some room of before it gives more back. */
  #rest(fault: Fault): void {
    this.#restFor(this.#restMs);
    this.#restMs = Math.min(this.#restMs * 2, restMsMax);
    this.#options.report({ kind: "chore_failed", fault });
  }

  #restFor(durationMs: number): void {
    clearTimeout(this.#timer);
    this.#state = "resting";
    this.#restUntilMs = performance.now() + durationMs;
    this.#timer = setTimeout(() => this.#look(), durationMs);
  }

  /** The thread is gone; another one is started when it is time. */
  #ended(merger: Merger, error: unknown): void {
    if (this.#state === "stopped" || this.#merger !== merger) return;
    this.#merger = undefined;
    merger.port.close();
    this.#rest(toFault(error));
  }
}

/**
 * A transaction that is durable with the next commit only, and waits for no
 * fsync. A power failure before leaves the log as it was, which loses nothing:
 * the same entries are in both states.
 */
function unsynced<T>(database: DatabaseSync, work: () => T): T {
  database.exec("PRAGMA synchronous = NORMAL");
  try {
    return transaction(database, work);
  } finally {
    database.exec("PRAGMA synchronous = FULL");
  }
}

/** What a joined block may weigh: of a log that must stay small no more than a small part. */
function weightMaxFor({ mergedWeightMax: wanted, retentionBytes }: WriterSettings): number {
  if (wanted !== undefined) return wanted;
  if (retentionBytes === undefined) return mergedWeightMax;
  const weight = (retentionBytes * rawBytesPerStored) / blocksInRetention;
  return Math.max(mergedWeightMin, Math.min(weight, mergedWeightMax));
}

/** SQLite's largest integer: all is one period. */
const periodMax = 2n ** 63n - 1n;

function periodFor(retentionAgeMs: number | undefined): bigint {
  if (retentionAgeMs === undefined) return periodMax;
  const period = (BigInt(retentionAgeMs) * 1_000_000n) / BigInt(blocksInRetention);
  return period < periodMax ? period : periodMax;
}

function prepareStatements(database: DatabaseSync) {
  return {
    countBlocks: database.prepare("SELECT blocks FROM log"),
    inRange: database.prepare(
      `SELECT count(*) AS blocks, total(count) AS entries, min(first_offset) AS first FROM blocks
       WHERE first_offset BETWEEN ? AND ?`,
    ),
    deleteBlocks: database.prepare("DELETE FROM blocks WHERE first_offset BETWEEN ? AND ?"),
    deleteWords: database.prepare("DELETE FROM words WHERE block BETWEEN ? AND ?"),
    insertBlock: database.prepare(insertBlockSql),
    insertWords: database.prepare(insertWordsSql),
    updateLog: database.prepare("UPDATE log SET blocks = blocks - ?"),
    storedBytes: database.prepare(
      `SELECT ${storedBytesSql} AS stored_bytes FROM blocks WHERE first_offset = ?`,
    ),
  };
}
