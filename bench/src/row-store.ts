/**
 * The plain way to search a log in SQLite: a row an entry, an index on the time,
 * and FTS5 over the messages. Loaded without fsync, and asked through one
 * connection with a page cache of 64 MiB.
 */
import { performance } from "node:perf_hooks";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type GeneratedLogOptions, LogGenerator } from "./log-generator.ts";

/** A question in SQL. The count that it answers with is in its first column, or is its number of rows. */
export interface SqlQuestion {
  readonly sql: string;
  readonly values?: readonly SQLInputValue[];
  readonly counts: "first column" | "rows";
}

/** Rows between two looks at the clock, and in a transaction. */
const rowsAtOnce = 50_000;

/** Rows of a log, as many as could be loaded. */
export class RowStore {
  readonly #db: DatabaseSync;
  /** How many entries of the log it has: from the first one on. */
  readonly entries: number;
  readonly loadMs: number;

  /** @param loadMsMax Loading ends after so long, with the entries that are there by then. */
  constructor(path: string, log: GeneratedLogOptions, loadMsMax: number) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(`PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;
      CREATE TABLE entries (id INTEGER PRIMARY KEY, timestamp INTEGER, level TEXT, service TEXT, message TEXT,
        trace_id TEXT, span_id TEXT, attributes TEXT) STRICT;
      CREATE VIRTUAL TABLE words USING fts5(message, content='entries', content_rowid='id');`);
    this.#db.function("regexp", { deterministic: true }, compiledOnce());
    const start = performance.now();
    this.entries = this.#load(log, start + loadMsMax);
    this.#db.exec("CREATE INDEX entries_by_time ON entries (timestamp)");
    this.loadMs = performance.now() - start;
  }

  /** What the question counts. */
  ask({ sql, values = [], counts }: SqlQuestion): number {
    const statement = this.#db.prepare(sql);
    // Times in nanoseconds are more than a number holds.
    statement.setReadBigInts(true);
    const rows = statement.all(...values);
    if (counts === "rows") return rows.length;
    return rows.reduce((sum, row) => sum + Number(Object.values(row)[0]), 0);
  }

  close(): void {
    this.#db.close();
  }

  #load(log: GeneratedLogOptions, until: number): number {
    const insertEntry = this.#db.prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    const insertWords = this.#db.prepare("INSERT INTO words (rowid, message) VALUES (?, ?)");
    const generator = new LogGenerator(log);
    let id = 0;
    this.#db.exec("BEGIN");
    for (let entry = generator.next(); entry !== undefined; entry = generator.next()) {
      id++;
      const { level, service, message, traceId, spanId, attributes } = entry;
      const nanoseconds = BigInt(entry.timeUs) * 1_000n;
      const json = traceId === "" ? null : JSON.stringify(attributes);
      insertEntry.run(id, nanoseconds, level, service, message, traceId, spanId, json);
      insertWords.run(id, message);
      if (id % rowsAtOnce !== 0) continue;
      this.#db.exec("COMMIT; BEGIN");
      if (performance.now() > until) break;
    }
    this.#db.exec("COMMIT");
    return id;
  }
}

/** SQLite's `text REGEXP pattern`, which it leaves to its user: called as regexp(pattern, text). */
function compiledOnce(): (pattern: SQLInputValue, text: SQLInputValue) => number {
  let source = "";
  let compiled = /(?:)/;
  return (pattern, text) => {
    if (pattern !== source) {
      source = String(pattern);
      compiled = new RegExp(source);
    }
    return compiled.test(String(text)) ? 1 : 0;
  };
}
