/**
 * How far each followed file is, on disk: `positions.db` in the folder that
 * `--spool` names, an SQLite database (WAL, synchronous=FULL) of one table. A
 * row is a file's contents under any name: what was in `app.log` until it was
 * renamed is one row, what came after that is another.
 *
 *   producer_id   names the row's count of entries to the server; random, once
 *   path          where the contents were seen last
 *   file_key      device and inode there, `<dev>:<ino>`
 *   head_bytes    so many bytes at the beginning …            at most 1024; on disk before
 *                                                             the first entry is sent
 *   head_hash     … have this hash                            SHA-256, hex
 *   tail_bytes    so many bytes before `offset` …             at most 256
 *   tail_hash     … have this hash
 *   offset        everything before it is acknowledged        a record begins there
 *   entries       how many entries that was: the next one has sequence entries + 1
 *   cuts          offsets where a record ended though the contents do not say so,
 *                 as a JSON array, rising, all above `offset`
 *   shape         the flags that decide where records end
 *   ended         1: nothing is expected to come any more
 *   used_at_ms    when the row was written last, Unix time
 *
 * Together they make a line stored exactly once, whenever this process or the
 * server is killed:
 * - Entries are numbered, and the contents alone decide where an entry begins and
 *   ends, so who reads on from `offset` counts the same entries under the same
 *   numbers. The server stores none of them twice.
 * - What the contents do not decide (a stack trace that nothing followed for a
 *   second, a last line without its end) is written to `cuts` before it is sent.
 * - `offset` moves when the server has acknowledged, never before.
 *
 * A process holds the database exclusively; the lock is the system's and ends
 * with the process, however it ends.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CommandError } from "../exit-code.ts";
import type { Print } from "./print.ts";

/** How far a file's contents are. */
export interface FilePosition {
  readonly producerId: string;
  readonly path: string;
  readonly fileKey: string;
  readonly head: Print;
  readonly tail: Print;
  readonly offset: number;
  readonly entries: number;
  readonly cuts: readonly number[];
  readonly shape: string;
  readonly ended: boolean;
  readonly usedAtMs: number;
}

/** The positions of one folder. */
export interface Positions {
  /** All of them, the latest first. */
  load(): FilePosition[];
  /** On disk when it returns. */
  save(position: FilePosition): void;
  close(): void;
}

/** "lspo": tells our file from other databases. */
const applicationId = 0x6c73_706f;
const schemaVersion = 1;

/** Ended rows that are kept, so that copies and packed copies of what was read are known again. */
const endedRowsMax = 10_000;

const schema = `
  CREATE TABLE IF NOT EXISTS files (
    producer_id TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    file_key TEXT NOT NULL,
    head_bytes INTEGER NOT NULL,
    head_hash TEXT NOT NULL,
    tail_bytes INTEGER NOT NULL,
    tail_hash TEXT NOT NULL,
    offset INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    cuts TEXT NOT NULL,
    shape TEXT NOT NULL,
    ended INTEGER NOT NULL,
    used_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`;

/**
 * Opens the positions in a folder, which is made when it is not there.
 *
 * @throws CommandError when the folder can't be written, is in use by another process, or the file is not ours.
 */
export function openPositions(folder: string): Positions {
  const path = join(folder, "positions.db");
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(path, { readBigInts: false });
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0");
    checkOwner(database, path);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`);
    prune(database);
    return createPositions(database);
  } catch (error) {
    database?.close();
    if (error instanceof CommandError) throw error;
    throw new CommandError(explain(error, path), undefined, { cause: error });
  }
}

function explain(error: unknown, path: string): string {
  const reason = error instanceof Error ? error.message : String(error);
  if (/\b(?:locked|busy)\b/.test(reason))
    return `--spool: ${path} is in use by another logsvc; give each its own folder`;
  return `--spool: can't keep positions in ${path}: ${reason}`;
}

function checkOwner(database: DatabaseSync, path: string): void {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  const tables = database.prepare("SELECT count(*) AS value FROM sqlite_schema").get()?.["value"];
  if (id === 0 && tables === 0) return;
  if (id !== applicationId) throw new CommandError(`--spool: ${path} is not a file of positions`);
  if (version > schemaVersion)
    throw new CommandError(`--spool: ${path} is of a later version of logsvc (${version})`);
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function prune(database: DatabaseSync): void {
  database
    .prepare(
      `DELETE FROM files WHERE ended = 1 AND producer_id NOT IN
         (SELECT producer_id FROM files WHERE ended = 1 ORDER BY used_at_ms DESC LIMIT ?)`,
    )
    .run(endedRowsMax);
}

function createPositions(database: DatabaseSync): Positions {
  const select = database.prepare("SELECT * FROM files ORDER BY used_at_ms DESC");
  const upsert = database.prepare(
    `INSERT OR REPLACE INTO files (producer_id, path, file_key, head_bytes, head_hash, tail_bytes, tail_hash,
       offset, entries, cuts, shape, ended, used_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    load: () => select.all().map(positionOf),
    save: (position) => {
      const { producerId, path, fileKey, head, tail, offset, entries, cuts, shape, ended, usedAtMs } =
        position;
      upsert.run(
        ...[producerId, path, fileKey, head.bytes, head.hash, tail.bytes, tail.hash],
        ...[offset, entries, JSON.stringify(cuts), shape, ended ? 1 : 0, usedAtMs],
      );
    },
    close: () => database.close(),
  };
}

function positionOf(row: Record<string, unknown>): FilePosition {
  const cuts: unknown = JSON.parse(String(row["cuts"]));
  return {
    producerId: String(row["producer_id"]),
    path: String(row["path"]),
    fileKey: String(row["file_key"]),
    head: { bytes: Number(row["head_bytes"]), hash: String(row["head_hash"]) },
    tail: { bytes: Number(row["tail_bytes"]), hash: String(row["tail_hash"]) },
    offset: Number(row["offset"]),
    entries: Number(row["entries"]),
    cuts: Array.isArray(cuts) ? cuts.map(Number) : [],
    shape: String(row["shape"]),
    ended: row["ended"] === 1,
    usedAtMs: Number(row["used_at_ms"]),
  };
}
