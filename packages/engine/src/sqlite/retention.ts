/**
 * Retention: deletes the oldest blocks, by age and by size, in transactions so
 * small that a commit never waits long for one, and with a turn for waiting
 * batches after each. The space is used again by later blocks; what is free
 * beyond a sixteenth of the file is given back, a little at a time.
 */
import type { DatabaseSync } from "node:sqlite";
import { storedBytesSql } from "./block-format.ts";
import { logFilePath, pragma, storageError, transaction } from "./log-file.ts";
import type { ProducerLedger } from "./producer-ledger.ts";
import { type Trim, toFault, type WriterReply, type WriterSettings } from "./thread-messages.ts";

/** Bounds of one transaction: about 10 ms of work. */
const trimBlocksMax = 64;
const trimStoredBytesMax = 4 * 1024 * 1024;
const trimRunsMax = 2_000;
const idleProducersMax = 1_000;

/** Pages given back in one step. */
const vacuumPages = 256;

/** A share of the file that may stay free: the log will need it again. */
const freeShareMax = 1 / 16;

/** What one step did. */
type Step = { readonly kind: "trimmed"; readonly trim: Trim } | { readonly kind: "tidied" | "nothing" };

/** What retention works with. */
export interface RetentionOptions {
  readonly settings: WriterSettings;
  /** Told what was deleted, and what failed. */
  readonly report: (outcome: WriterReply) => void;
  /** Told how many bytes a step has written, more or less. */
  readonly wrote: (bytes: number) => void;
}

/** Deletes what is too old or too much. Lives in the writer's thread. */
export class Retention {
  readonly #database: DatabaseSync;
  readonly #ledger: ProducerLedger;
  readonly #settings: WriterSettings;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #report: (outcome: WriterReply) => void;
  readonly #wrote: (bytes: number) => void;
  readonly #pageBytes: number;
  #timer: NodeJS.Timeout | undefined;
  /** The next step, as long as there is one to do. */
  #turn: NodeJS.Immediate | undefined;
  /** When to look again, as `performance.now` has it. */
  #lookAtMs = 0;

  constructor(database: DatabaseSync, ledger: ProducerLedger, { settings, report, wrote }: RetentionOptions) {
    this.#database = database;
    this.#ledger = ledger;
    this.#settings = settings;
    this.#report = report;
    this.#wrote = wrote;
    this.#pageBytes = pragma(database, "page_size");
    this.#statements = prepareStatements(database);
    ledger.trim(this.oldestOffset());
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
        kind: "chore_failed",
        fault: toFault(storageError(error, logFilePath(this.#settings.folder))),
      });
    }
  }

  #step(): Step {
    const nowMs = Date.now();
    // Runs first, or under a flood they would pile up: a block may have thousands of them.
    if (this.#dropRuns() > 0) return { kind: "tidied" };
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

  /** How many blocks must go for the file to be small enough: an estimate, made good by the next step. */
  #tooMuch(): number {
    const { retentionBytes } = this.#settings;
    if (retentionBytes === undefined) return 0;
    const usedPages = pragma(this.#database, "page_count") - pragma(this.#database, "freelist_count");
    const excess = usedPages * this.#pageBytes - retentionBytes;
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
      this.#statements.deleteWords.run(last);
      this.#statements.updateLog.run(blocks, bytes);
      const oldestOffset = this.oldestOffset();
      return { blocks, bytes, entries: oldestOffset - oldestBefore, oldestOffset };
    });
    this.#ledger.trim(trim.oldestOffset);
    this.#wrote(trim.blocks * this.#pageBytes);
    return trim;
  }

  /** The oldest blocks, at most `blocksMax`, within the bounds of a transaction. */
  #choose(blocksMax: number): { blocks: number; bytes: number; last: number } {
    const chosen = { blocks: 0, bytes: 0, last: 0 };
    let stored = 0;
    for (const row of this.#statements.sizes.all(blocksMax)) {
      stored += Number(row["stored_bytes"]);
      if (stored > trimStoredBytesMax && chosen.blocks > 0) break;
      chosen.blocks++;
      chosen.bytes += Number(row["raw_bytes"]);
      chosen.last = Number(row["first_offset"]);
    }
    return chosen;
  }

  #dropRuns(): number {
    const dropped = transaction(this.#database, () => this.#ledger.deleteRuns(trimRunsMax));
    if (dropped > 0) this.#ledger.forget();
    return dropped;
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
    this.#wrote(vacuumPages * this.#pageBytes);
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
      `SELECT first_offset, raw_bytes, ${storedBytesSql} AS stored_bytes FROM blocks ORDER BY first_offset LIMIT ?`,
    ),
    deleteBlocks: database.prepare("DELETE FROM blocks WHERE first_offset <= ?"),
    deleteWords: database.prepare("DELETE FROM words WHERE block <= ?"),
    updateLog: database.prepare("UPDATE log SET blocks = blocks - ?, raw_bytes = raw_bytes - ?"),
  };
}
