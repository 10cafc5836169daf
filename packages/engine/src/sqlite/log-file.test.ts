/** Opening: what is refused is left alone, what is ours is found again. */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { rejectsWith } from "../contract/engine-under-test.ts";
import { applicationId } from "./block-format.ts";
import { migrate, openLogFile, pragma } from "./log-file.ts";
import { openSqliteEngine } from "./sqlite-engine.ts";
import { openTestEngine, temporaryFolder } from "./testing/test-engine.ts";

/** Makes a SQLite database at `path`. */
function makeDatabase(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

/** Expects that the folder is refused, and its file left byte for byte alone. */
async function refuses(
  code: Parameters<typeof rejectsWith>[0],
  folder: string,
  message: RegExp,
): Promise<void> {
  const path = join(folder, "log.db");
  const before = await readFile(path);
  const error = await rejectsWith(code, () => openSqliteEngine({ path: folder }));
  assert.match(error.message, message);
  assert.ok(before.equals(await readFile(path)), "the file is as it was");
  assert.ok(!(await readdir(folder)).includes("log.lock"), "nothing is put beside it");
}

test("a folder that is made is its user's own, and those above it are as usual", async (t) => {
  const above = join(await temporaryFolder(t), "above");
  const folder = join(above, "log");
  const engine = await openSqliteEngine({ path: folder });
  await engine.close();
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
  assert.deepEqual([await modeOf(folder), await modeOf(above)], [0o700, 0o777 & ~process.umask()]);
});

test("a file that is not a database is refused and left alone", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "log.db"), "dear diary".repeat(100));
  await refuses("foreign", folder, /log\.db is not a SQLite database/);
  await writeFile(join(folder, "log.db"), "");
  await refuses("foreign", folder, /log\.db is not a SQLite database/);
});

test("another program's database is refused and left alone", async (t) => {
  const folder = await temporaryFolder(t);
  makeDatabase(join(folder, "log.db"), "PRAGMA application_id = 7; CREATE TABLE diary (day TEXT)");
  await refuses("foreign", folder, /its application_id is 7/);
});

test("a newer version's log is refused and left alone, also when only the WAL knows", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "log.db");
  makeDatabase(
    path,
    `PRAGMA application_id = ${applicationId}; PRAGMA user_version = 99; CREATE TABLE a (b TEXT)`,
  );
  await refuses("newer", folder, /format version 99, this logsvc knows up to 2/);
  // A connection that stays open keeps the new version in the WAL.
  const database = new DatabaseSync(path);
  t.after(() => database.close());
  database.exec("PRAGMA journal_mode = WAL; PRAGMA user_version = 98");
  await refuses("newer", folder, /format version 98/);
});

test("a path that is a file is refused; one that can't be made is unavailable", async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, "file");
  await writeFile(file, "text");
  const { message } = await rejectsWith("foreign", () => openSqliteEngine({ path: file }));
  assert.match(message, /file is a file; a folder for the log is expected/);
  assert.equal(await readFile(file, "utf8"), "text");
  await rejectsWith("unavailable", () => openSqliteEngine({ path: "/proc/no-one-can-write-here" }));
});

test("a log that is open is locked, and free again after closing", async (t) => {
  const { folder, engine } = await openTestEngine(t);
  const { message, retryable } = await rejectsWith("locked", () => openSqliteEngine({ path: folder }));
  assert.match(message, /is open in another process/);
  assert.equal(retryable, true);
  assert.ok(
    !(await readdir(folder)).includes("log.lock-journal"),
    "nothing is written to take the lock: a full disk must not keep the log shut",
  );
  await engine.close();
  await (await openSqliteEngine({ path: folder })).close();
});

test("what a crash left of a log that was being made is made anew", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "log.db.new"), "half a file");
  const engine = await openSqliteEngine({ path: folder });
  assert.equal((await engine.stats()).entries, 0);
  await engine.close();
});

test("a log whose last block does not end where it says is refused as corrupt", async (t) => {
  const folder = await temporaryFolder(t);
  openLogFile(folder).close();
  makeDatabase(
    join(folder, "log.db"),
    "INSERT INTO blocks VALUES (1, 2, 0, 0, 0, 0, '{}', NULL, 0, x'', x'', x'', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL); UPDATE log SET next_offset = 9",
  );
  const { message } = await rejectsWith("corrupt", () => openSqliteEngine({ path: folder }));
  assert.match(message, /block 1 .*the log goes on at 9/);
});

test("a new log is durable and gives space back in steps", async (t) => {
  const folder = join(await temporaryFolder(t), "deep", "down");
  await mkdir(folder, { recursive: true });
  const file = openLogFile(folder);
  t.after(() => file.close());
  const pragmas = ["application_id", "user_version", "synchronous", "auto_vacuum"];
  assert.deepEqual(
    pragmas.map((name) => pragma(file.database, name)),
    [applicationId, 2, 2, 2],
  );
  assert.equal(file.database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
});

/** A database of version 1 of a format with the table `notes`. */
async function versionOne(t: TestContext): Promise<DatabaseSync> {
  const database = new DatabaseSync(join(await temporaryFolder(t), "notes.db"));
  t.after(() => database.close());
  database.exec("CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('kept'); PRAGMA user_version = 1");
  return database;
}

const addAuthor = (database: DatabaseSync) =>
  database.exec("ALTER TABLE notes ADD COLUMN author TEXT DEFAULT 'me'");

test("migration takes every step from the file's version on, once", async (t) => {
  const database = await versionOne(t);
  const steps = [
    addAuthor,
    (database: DatabaseSync) => database.exec("UPDATE notes SET author = author || '!'"),
  ];
  migrate(database, "notes.db", steps.slice(0, 1));
  assert.equal(pragma(database, "user_version"), 2);
  migrate(database, "notes.db", steps);
  migrate(database, "notes.db", steps);
  assert.equal(pragma(database, "user_version"), 3);
  assert.deepEqual({ ...database.prepare("SELECT * FROM notes").get() }, { text: "kept", author: "me!" });
});

test("a migration step that fails leaves its version as it was", async (t) => {
  const database = await versionOne(t);
  const steps = [
    addAuthor,
    (database: DatabaseSync) => {
      database.exec("DELETE FROM notes");
      database.exec("no SQL at all");
    },
  ];
  assert.throws(() => migrate(database, "notes.db", steps), /syntax error/);
  assert.equal(pragma(database, "user_version"), 2);
  assert.equal(database.prepare("SELECT author FROM notes").get()?.["author"], "me");
  await rejectsWith("newer", () => migrate(database, "notes.db", []));
});
