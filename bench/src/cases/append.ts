/**
 * The engine alone: entries made durable a second, in batches of 2 000, beside
 * the plain way to keep a log in SQLite.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { openSqliteEngine } from "@logsvc/engine";
import type { BenchCase, Contestant } from "../bench-case.ts";
import { batchAt, entryAt } from "../entries.ts";

const batchEntries = 2_000;
const batches = 100;
/** Appends that wait at one time, as a server's streams would. */
const appendsAtOnce = 8;

export const append: BenchCase = {
  name: "append",
  title:
    `Entries of about 110 bytes made durable, in batches of ${batchEntries}. Of ours ${appendsAtOnce} batches wait at a time, ` +
    "as a server's streams would, and what waits shares an fsync; the rows have one a batch.",
  columns: ["entries/s"],
  compared: { column: "entries/s", better: "more" },
  open: async () => [await openEngine(), openRows()],
};

async function openEngine(): Promise<Contestant> {
  const path = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
  const engine = await openSqliteEngine({ path });
  return {
    name: "logsvc engine, blocks",
    run: async () => {
      const prepared = Array.from({ length: batches }, (_, index) =>
        batchAt(index * batchEntries, batchEntries),
      );
      const start = performance.now();
      for (let index = 0; index < prepared.length; index += appendsAtOnce) {
        await Promise.all(prepared.slice(index, index + appendsAtOnce).map((batch) => engine.append(batch)));
      }
      return { "entries/s": (batches * batchEntries) / ((performance.now() - start) / 1000) };
    },
    close: async () => {
      await engine.close();
      rmSync(path, { recursive: true });
    },
  };
}

function openRows(): Contestant {
  const path = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
  const db = new DatabaseSync(join(path, "rows.db"));
  db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    CREATE TABLE entries (id INTEGER PRIMARY KEY, timestamp INTEGER, level TEXT, service TEXT, message TEXT);`);
  const insert = db.prepare("INSERT INTO entries (timestamp, level, service, message) VALUES (?, ?, ?, ?)");
  return {
    name: "SQLite, a row an entry",
    run: async () => {
      const entries = Array.from({ length: batches * batchEntries }, (_, index) => entryAt(index));
      const start = performance.now();
      for (let index = 0; index < entries.length; index += batchEntries) {
        db.exec("BEGIN");
        for (const { timestamp, level, service, message } of entries.slice(index, index + batchEntries)) {
          insert.run(timestamp, level, service, message);
        }
        db.exec("COMMIT");
      }
      return { "entries/s": entries.length / ((performance.now() - start) / 1000) };
    },
    close: async () => {
      db.close();
      rmSync(path, { recursive: true });
    },
  };
}
