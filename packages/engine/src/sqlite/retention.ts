/**
 * Retention: deletes the oldest blocks, by age and by size, in transactions so
 * small that a commit never waits long for one, and with a turn for waiting
 * batches after each. The space is used again by later blocks; what is free
 * beyond a quarter of the file is given back, a little at a time.
 */
import type { DatabaseSync } from "node:sqlite";
import { logFilePath, pragma, storageError, transaction } from "./log-file.ts";
import type { ProducerLedger } from "./producer-ledger.ts";
import { type Trim, toFault, type WriterReply, type WriterSettings } from "./thread-messages.ts";

/** Bounds of one transaction: about 10 ms of work. */
const trimBlocksMax = 64;
const trimBytesMax = 16 * 1024 * 1024;
const trimEntriesMax = 50_000;
const idleProducersMax = 1_000;

/** Pages given back in one step. */
const vacuumPages = 256;

/** A share of the file that may stay free: the log will need it again. */
const freeShareMax = 0.25;

/** What one step did. */
type Step = { readonly kind: "trimmed"; readonly trim: Trim } | { readonly kind: "tidied" | "nothing" };

/** What retention works with. */
export interface RetentionOptions {
  readonly settings: WriterSettings;
  /** Told what was deleted, and what failed. */
  readonly report: (outcome: WriterReply) => void;
}

/** Deletes what is too old or too much. Lives in the writer's thread. */
export class Retention {
  readonly #database: DatabaseSync;
  readonly #ledger: ProducerLedger;
  readonly #settings: WriterSettings;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #report: (outcome: WriterReply) => void;
  #timer: NodeJS.Timeout | undefined;
  /** The next step, as long as there is one to do. */
  #turn: NodeJS.Immediate | undefined;
  /** When to look again, as `performance.now` has it. */
  #lookAtMs = 0;

  constructor(database: DatabaseSync, ledger: ProducerLedger, { settings, report }: RetentionOptions) {
    this.#database = database;
    this.#ledger = ledger;
    this.#settings = settings;
    this.#report = report;
    this.#statements = prepareStatements(database);
  }

  /** The first offset that is stored, or the next one to come. */
  oldestOffset(): number {
    return Number(this.#statements.oldest.get()?.["oldest"]);
  }

  /** Begins to look at intervals. */
  start(): void {
    this.#timer = setInterval(() => this.#run(), this.#settings.retentionIntervalMs);
    this.#run();
  }

  /**
   * Does what is due, for about so long. The writer calls it after each commit,
   * with the time that took: under a flood its timers are not served, and what
   * is written must not outrun what is deleted.
   */
  takeTurn(durationMs: number): void {
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs && (this.#turn !== undefined || performance.now() >= this.#lookAtMs)) {
      this.#run();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    clearImmediate(this.#turn);
  }

  /** One step after another, with the port's turn between them, until nothing is left to do. */
  #run(): void {
    clearImmediate(this.#turn);
    this.#turn = undefined;
    this.#lookAtMs = performance.now() + this.#settings.retentionIntervalMs;
    try {
      const step = this.#step();
      if (step.kind === "nothing") return;
      if (step.kind === "trimmed") this.#report(step);
      this.#turn = setImmediate(() => this.#run());
    } catch (error) {
      this.#ledger.forget();
      this.#report({
        kind: "trim_failed",
        fault: toFault(storageError(error, logFilePath(this.#settings.folder))),
      });
    }
  }

  #step(): Step {
    const nowMs = Date.now();
    const blocks = this.#tooOld(nowMs) || this.#tooMuch();
    if (blocks > 0) return { kind: "trimmed", trim: this.#trim(blocks) };
    if (this.#dropIdleProducers(nowMs) > 0 || this.#giveBack()) return { kind: "tidied" };
    return { kind: "nothing" };
  }

  /** How many blocks, from the oldest on, are older than they may be. */
  #tooOld(nowMs: number): number {
    const { retentionAgeMs } = this.#settings;
    if (retentionAgeMs === undefined) return 0;
    const before = BigInt(Math.max(0, nowMs - retentionAgeMs)) * 1_000_000n;
    return Number(this.#statements.countOld.get(trimBlocksMax, before)?.["count"]);
  }

  /** How many blocks must go for the file to be small enough: an estimate by raw size, made good by the next step. */
  #tooMuch(): number {
    const { retentionBytes } = this.#settings;
    if (retentionBytes === undefined) return 0;
    const pageBytes = pragma(this.#database, "page_size");
    const usedPages = pragma(this.#database, "page_count") - pragma(this.#database, "freelist_count");
    const excess = usedPages * pageBytes - retentionBytes;
    if (excess <= 0) return 0;
    let stored = 0;
    let blocks = 0;
    for (const row of this.#statements.sizes.all(trimBlocksMax)) {
      if (stored >= excess) break;
      stored += Number(row["stored_bytes"]);
      blocks++;
    }
    return blocks;
  }

  #trim(blocksMax: number): Trim {
    const trim = transaction(this.#database, () => {
      const { blocks, bytes, last } = this.#choose(blocksMax);
      const oldestBefore = this.oldestOffset();
      this.#statements.deleteBlocks.run(last);
      this.#statements.updateLog.run(blocks, bytes);
      const oldestOffset = this.oldestOffset();
      this.#ledger.deleteBefore(oldestOffset);
      return { blocks, bytes, entries: oldestOffset - oldestBefore, oldestOffset };
    });
    this.#ledger.forget();
    return trim;
  }

  /** The oldest blocks, at most `blocksMax`, within the bounds of a transaction. */
  #choose(blocksMax: number): { blocks: number; bytes: number; last: number } {
    const chosen = { blocks: 0, bytes: 0, last: 0 };
    let entries = 0;
    for (const row of this.#statements.sizes.all(blocksMax)) {
      if (chosen.bytes >= trimBytesMax || entries >= trimEntriesMax) break;
      chosen.blocks++;
      chosen.bytes += Number(row["raw_bytes"]);
      chosen.last = Number(row["first_offset"]);
      entries += Number(row["count"]);
    }
    return chosen;
  }

  #dropIdleProducers(nowMs: number): number {
    const dropped = transaction(this.#database, () => this.#ledger.deleteIdle(nowMs, idleProducersMax));
    if (dropped > 0) this.#ledger.forget();
    return dropped;
  }

  #giveBack(): boolean {
    const pages = pragma(this.#database, "page_count");
    const free = pragma(this.#database, "freelist_count");
    if (free <= vacuumPages || free <= pages * freeShareMax) return false;
    this.#database.exec(`PRAGMA incremental_vacuum(${vacuumPages})`);
    return pragma(this.#database, "page_count") < pages;
  }
}

function prepareStatements(database: DatabaseSync) {
  return {
    oldest: database.prepare(
      "SELECT coalesce((SELECT min(first_offset) FROM blocks), next_offset) AS oldest FROM log",
    ),
    countOld: database.prepare(
      `SELECT count(*) AS count FROM (SELECT received_at FROM blocks ORDER BY first_offset LIMIT ?)
       WHERE received_at < ?`,
    ),
    sizes: database.prepare(
      `SELECT first_offset, count, raw_bytes,
         length(times) + length(severities) + length(entries) AS stored_bytes
       FROM blocks ORDER BY first_offset LIMIT ?`,
    ),
    deleteBlocks: database.prepare("DELETE FROM blocks WHERE first_offset <= ?"),
    updateLog: database.prepare("UPDATE log SET blocks = blocks - ?, raw_bytes = raw_bytes - ?"),
  };
}
