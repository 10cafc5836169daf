/**
 * Opens the log's folder: makes the file, takes the lock, migrates, and refuses
 * what is not ours without touching it. What is in the file: block-format.ts.
 *
 *   log.db      the log, with log.db-wal and log.db-shm beside it while it is open
 *   log.lock    an empty SQLite database; whoever has it in an exclusive
 *               transaction owns the folder. The operating system lets go of it
 *               with the process, however that ends.
 *   log.db.new  a log that is being made; it gets its name when it is whole
 */
import { randomInt } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EngineError, type EngineErrorCode } from "../engine-error.ts";
import { corrupt } from "./block-column.ts";
import { addPackedBlocks, applicationId, schema } from "./block-format.ts";

/** A change of the format from one version to the next. Runs inside a transaction. */
export type Migration = (database: DatabaseSync) => void;

/** `migrations[0]` makes version 2 of version 1, and so on. */
const migrations: readonly Migration[] = [addPackedBlocks];

/** An open log as its writer has it. */
export interface LogFile {
  readonly database: DatabaseSync;
  /** Part of every id and cursor. */
  readonly identity: string;
  /**
   * Moves the WAL into the database, so that it is used again from its beginning.
   * It waits for readers only where the WAL could not be used again for long.
   */
  checkpoint(): void;
  /** Writes back what the WAL holds, closes, and lets go of the lock. */
  close(): void;
}

/** How the log's own file is called in its folder. */
export function logFilePath(folder: string): string {
  return join(resolve(folder), "log.db");
}

/** How long SQLite waits for another connection of ours, which holds its locks for microseconds. */
const busyTimeoutMs = 5_000;

/** What is left of the WAL's file when it is begun anew. */
const walBytesKept = 64 * 1024 * 1024;

/** What the WAL holds before SQLite checkpoints by itself, inside a commit. The writer does it earlier, between commits. */
const walBytesMax = 4 * walBytesKept;

/**
 * SQLite begins a WAL anew in a moment in which nobody reads from it. One that
 * is so large had no such moment, and may never have one where reads overlap: a
 * checkpoint then waits for those under way, while new ones read the database
 * alone. Commits wait with it, and searches hold their picture of the log for up
 * to a tenth of a second: so at first it waits for a moment only, in the hope to
 * meet one of the gaps between them, and for all of them where it never did.
 */
const waitsForReaders: readonly { readonly walBytes: number; readonly waitMs: number }[] = [
  { walBytes: walBytesMax * 0.75, waitMs: 250 },
  { walBytes: walBytesKept * 0.75, waitMs: 15 },
];

/** Of a new file: a block in pages of this size is stored a sixth faster than in SQLite's usual 4096, and larger ones gain no more. */
const pageBytes = 8192;

/**
 * Opens the log in a folder for writing, and makes both when they are not there.
 *
 * @throws EngineError `foreign`, `newer`, `locked`, `corrupt`, `unavailable`
 */
export function openLogFile(folder: string): LogFile {
  const path = logFilePath(folder);
  const lockPath = join(resolve(folder), "log.lock");
  // Logs hold what only their owner should see.
  makeFolder(resolve(folder), 0o700);
  // Someone else's folder is refused before anything is put into it. Where there is a lock it comes first: closing
  // a file that this process has open elsewhere would let go of SQLite's locks on it, https://sqlite.org/howtocorrupt.html
  if (!existsSync(lockPath)) refuseForeign(path);
  const lock = takeLock(lockPath);
  try {
    refuseForeign(path);
    if (!existsSync(path)) createLogFile(path);
    const database = openForWriting(path);
    const close = () => {
      try {
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } finally {
        // Also on a full disk: what is still in the WAL is durable there, and is moved when the log is opened next.
        database.close();
        lock.close();
      }
    };
    return { database, identity: checkLog(database, path), checkpoint: () => checkpoint(database), close };
  } catch (error) {
    lock.close();
    throw storageError(error, path);
  }
}

/** Opens the log in a folder for reading, beside its writer. */
export function openLogFileForReading(folder: string): DatabaseSync {
  const path = logFilePath(folder);
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs });
  } catch (error) {
    throw storageError(error, path);
  }
}

/**
 * Brings a file to the newest version, a version a transaction.
 *
 * @throws EngineError `newer` when it is ahead of us.
 */
export function migrate(database: DatabaseSync, path: string, steps = migrations): void {
  const newest = steps.length + 1;
  const version = pragma(database, "user_version");
  if (version > newest) {
    throw new EngineError(
      "newer",
      `${path} has the format version ${version}, this logsvc knows up to ${newest}`,
    );
  }
  for (const [index, step] of steps.entries()) {
    if (index + 1 < version) continue;
    transaction(database, () => {
      step(database);
      database.exec(`PRAGMA user_version = ${index + 2}`);
    });
  }
}

/** Runs `work` as one transaction: all of it, or nothing when it throws. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // After some failures, such as a full disk, SQLite has rolled back by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** A pragma's value, where it is a number. */
export function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/** The low byte of SQLite's result codes, https://sqlite.org/rescode.html */
const sqliteBusy = 5;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/** What SQLite or the file system says, as an EngineError; an EngineError stays as it is. */
export function storageError(error: unknown, path: string): EngineError {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const options = { cause: error, clientMessage: `the log's file: ${message}` };
  return new EngineError(storageErrorCode(error), `${path}: ${message}`, options);
}

function storageErrorCode(error: unknown): EngineErrorCode {
  const code = sqliteCode(error);
  if (code === sqliteCorrupt) return "corrupt";
  return code === sqliteNotADatabase ? "foreign" : "unavailable";
}

function sqliteCode(error: unknown): number | undefined {
  const isSqlite = error instanceof Error && "errcode" in error && typeof error.errcode === "number";
  return isSqlite ? Number(error.errcode) & 0xff : undefined;
}

/**
 * Makes a folder and those above it, each as durable as the next. (`mkdir` with
 * `recursive` does not sync, and never returns for a path below /proc.)
 */
function makeFolder(folder: string, mode = 0o777): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  try {
    mkdirSync(folder, { mode });
    syncFolder(above);
  } catch (error) {
    if (!existsSync(folder)) throw storageError(error, folder);
    throw new EngineError("foreign", `${folder} is a file; a folder for the log is expected`, {
      cause: error,
    });
  }
}

/** Where the numbers are in a database's header, https://sqlite.org/fileformat2.html#the_database_header */
const headerBytes = 100;
const headerMagic = "SQLite format 3\0";
const headerApplicationIdAt = 68;

/** Reads the file's head with nothing but `read`: SQLite itself would write beside it, or to it. */
function refuseForeign(path: string): void {
  if (!existsSync(path)) return;
  const header = Buffer.alloc(headerBytes);
  try {
    const file = openSync(path, "r");
    readSync(file, header, 0, headerBytes, 0);
    closeSync(file);
  } catch (error) {
    throw storageError(error, path);
  }
  if (header.toString("latin1", 0, headerMagic.length) !== headerMagic) {
    throw new EngineError("foreign", `${path} is not a SQLite database`);
  }
  const application = header.readUInt32BE(headerApplicationIdAt);
  if (application !== applicationId) {
    const found = `its application_id is ${application}, ${applicationId} expected`;
    throw new EngineError("foreign", `${path} is a SQLite database of another program: ${found}`);
  }
  refuseNewer(path);
}

/** Asks through a read-only connection, since the version may still be in the WAL only. */
function refuseNewer(path: string): void {
  const database = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs });
  try {
    const version = pragma(database, "user_version");
    const newest = migrations.length + 1;
    if (version <= newest) return;
    throw new EngineError(
      "newer",
      `${path} has the format version ${version}, this logsvc knows up to ${newest}`,
    );
  } catch (error) {
    throw storageError(error, path);
  } finally {
    database.close();
  }
}

function takeLock(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path);
    // Without a journal file: on a full disk it could not be written, and the log not even be read.
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    if (sqliteCode(error) !== sqliteBusy) throw storageError(error, path);
    throw new EngineError(
      "locked",
      `the log in ${dirname(path)} is open in another process, or twice in this one`,
    );
  }
}

function createLogFile(path: string): void {
  const unfinished = `${path}.new`;
  rmSync(unfinished, { force: true });
  const database = new DatabaseSync(unfinished);
  // Both must come before the first table; the second lets free pages be given back in small steps.
  database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL`);
  database.exec("PRAGMA synchronous = FULL");
  transaction(database, () => {
    database.exec(schema);
    database
      .prepare("INSERT INTO log VALUES (1, ?, 1, 0, 0, 0)")
      .run(Array.from({ length: 8 }, () => randomInt(36).toString(36)).join(""));
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length + 1}`);
  });
  database.close();
  renameSync(unfinished, path);
  syncFolder(dirname(path));
}

function openForWriting(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    database.exec(`PRAGMA wal_autocheckpoint = ${walBytesMax / pragma(database, "page_size")}`);
    // So that one flood does not leave a large WAL behind for ever.
    database.exec(`PRAGMA journal_size_limit = ${walBytesKept}`);
    migrate(database, path);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkpoint(database: DatabaseSync): void {
  const walPages = Number(database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get()?.["log"]);
  const heldBytes = walPages * pragma(database, "page_size");
  const wait = waitsForReaders.find(({ walBytes }) => heldBytes >= walBytes);
  if (wait === undefined) return;
  database.exec(`PRAGMA busy_timeout = ${wait.waitMs}`);
  try {
    database.exec("PRAGMA wal_checkpoint(RESTART)");
  } finally {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  }
}

/** The cheap checks of opening: the last block must end where the log says. Returns the identity. */
function checkLog(database: DatabaseSync, path: string): string {
  const log = database.prepare("SELECT identity, next_offset FROM log").get();
  if (log === undefined) throw new EngineError("corrupt", `${path}: the table log is empty`);
  const last = database
    .prepare("SELECT first_offset, count FROM blocks ORDER BY first_offset DESC LIMIT 1")
    .get();
  if (last !== undefined) {
    const block = { firstOffset: Number(last["first_offset"]), count: Number(last["count"]) };
    const next = block.firstOffset + block.count;
    if (next !== log["next_offset"]) {
      throw corrupt(block, `it is the last one, but the log goes on at ${log["next_offset"]}`);
    }
  }
  return String(log["identity"]);
}

/** Makes a new name in a folder as durable as what it names. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
