/** What the reader finds in a file: fresh and packed blocks, also when one becomes the other while it reads. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { entryOf } from "../contract/engine-under-test.ts";
import { EngineError } from "../engine-error.ts";
import { applicationId, blockValues, encodeBlock, insertBlockSql, insertWordsSql } from "./block-format.ts";
import { type BlockImage, blockViews } from "./block-image.ts";
import { BlockReader } from "./block-reader.ts";
import { openLogFile, openLogFileForReading, pragma, transaction } from "./log-file.ts";
import { packBlocks } from "./packed-block.ts";
import { everyStripe } from "./stripes.ts";
import { imageOf } from "./testing/block-images.ts";
import { temporaryFolder } from "./testing/test-engine.ts";
import { hashWord } from "./word-filter.ts";

/** A log's file with a writer's connection to it and a reader. */
async function openFile(t: TestContext): Promise<{ database: DatabaseSync; reader: BlockReader }> {
  const folder = await temporaryFolder(t);
  const file = openLogFile(folder);
  t.after(() => file.close());
  const reader = new BlockReader(openLogFileForReading(folder));
  t.after(() => reader.close());
  return { database: file.database, reader };
}

/** Blocks of `count` entries each, one after another from offset 1 on. */
function blocksOf(blocks: number, count: number, message = "a message"): BlockImage[] {
  return Array.from({ length: blocks }, (_, block) => {
    const entries = Array.from({ length: count }, (_, index) =>
      entryOf({ message: `${message} ${block * count + index + 1}`, service: "api" }),
    );
    return imageOf(entries, 1 + block * count, BigInt(100 + block));
  });
}

function store(database: DatabaseSync, images: readonly BlockImage[]): void {
  for (const image of images) database.prepare(insertBlockSql).run(...blockValues(encodeBlock(image)));
}

/** Puts one packed block in the place of these. */
function merge(database: DatabaseSync, images: readonly BlockImage[]): void {
  transaction(database, () => {
    for (const { firstOffset } of images)
      database.prepare("DELETE FROM blocks WHERE first_offset = ?").run(firstOffset);
    const { block, words } = packBlocks(images);
    database.prepare(insertBlockSql).run(...blockValues(block));
    for (const [part, bits] of words.entries())
      database.prepare(insertWordsSql).run(block.firstOffset, part, bits);
  });
}

const rangeOf = (image: BlockImage | undefined) => image && [image.firstOffset, image.count, image.rawBytes];

test("a reader who is behind gets a fresh block whole, and of a packed one what is next, up to 1 MiB", async (t) => {
  const { database, reader } = await openFile(t);
  const images = blocksOf(4, 1000, "m".repeat(500));
  store(database, images);
  assert.deepEqual(rangeOf(reader.blockAt(1500)), rangeOf(images[1]));
  merge(database, images);
  const piece = reader.blockAt(1500);
  assert.ok(piece !== undefined);
  assert.equal(piece.firstOffset, 1500);
  assert.ok(piece.rawBytes <= 1024 * 1024 && piece.rawBytes > 1024 * 1024 - 1000, `${piece.rawBytes}`);
  const rest = reader.blockAt(piece.firstOffset + piece.count);
  assert.deepEqual(rest && rest.firstOffset + rest.count - 1, 4000);
  assert.equal(reader.blockAt(4001), undefined);
  const whole = reader.imageAt(1);
  assert.equal(
    whole?.rawBytes,
    images.reduce((sum, { rawBytes }) => sum + rawBytes, 0),
  );
  const bytes = Buffer.concat(images.map((image) => blockViews(image).bytes));
  assert.ok(whole !== undefined && bytes.equals(blockViews(whole).bytes));
  assert.equal(reader.imageAt(2), undefined);
});

test("columns that were asked for in a snapshot are of its moment, and then those that are there now", async (t) => {
  const { database, reader } = await openFile(t);
  const images = blocksOf(2, 10);
  store(database, images);
  const fresh = reader.snapshot(() => {
    const columns = reader.columnsAt(3);
    merge(database, images);
    assert.equal(columns?.view(9).message, "a message 10");
    assert.equal(reader.columnsAt(12)?.head.firstOffset, 11, "the second block is still one of its own");
    return columns;
  });
  assert.equal(fresh?.head.count, 10);
  const packed = reader.columnsAt(12);
  assert.deepEqual([packed?.head.firstOffset, packed?.head.count], [1, 20]);
  assert.equal(packed?.view(11).message, "a message 12");
  assert.equal(reader.columnsAt(1), packed, "what was decoded is used again");
  assert.deepEqual([packed?.receivedAt(9), packed?.receivedAt(10)], [100n, 101n]);
});

test("a column that is asked for when its row is another one is never taken for it", async (t) => {
  const { database, reader } = await openFile(t);
  const images = blocksOf(2, 10);
  store(database, images);
  const columns = reader.columnsAt(1);
  merge(database, images);
  assert.throws(() => columns?.timestamps, /block 1 .*its row is gone/);
});

test("what a read failed with is told, also where SQLite has ended the transaction itself", async (t) => {
  const folder = await temporaryFolder(t);
  const file = openLogFile(folder);
  t.after(() => file.close());
  const database = openLogFileForReading(folder);
  const reader = new BlockReader(database);
  t.after(() => reader.close());
  const work = () => {
    // As SQLite does after SQLITE_IOERR.
    database.exec("ROLLBACK");
    throw new Error("disk I/O error");
  };
  assert.throws(() => reader.snapshot(work), /disk I\/O error/);
  assert.equal(
    reader.snapshot(() => reader.headAt(1)),
    undefined,
    "and it can be read again",
  );
});

test("an entry that was taken from a block outlasts it, fresh or packed", async (t) => {
  const { database, reader } = await openFile(t);
  // Large enough for buffers of their own, which are freed at once.
  const images = blocksOf(4, 1000, "m".repeat(500));
  store(database, images);
  merge(database, images.slice(0, 2));
  const take = (offset: number) =>
    reader.snapshot(() => {
      const columns = reader.columnsAt(offset);
      return columns?.entryBytesAt(offset - columns.head.firstOffset) ?? assert.fail(`no entry ${offset}`);
    });
  const texts = [1, 2500].map((offset) => Buffer.from(take(offset)).toString("latin1"));
  const [packed, fresh] = [take(1), take(2500)];
  take(3500);
  assert.deepEqual(
    [packed, fresh].map((bytes) => Buffer.from(bytes).toString("latin1")),
    texts,
  );
});

test("the word filter is asked by block, and says yes where there is none", async (t) => {
  const { database, reader } = await openFile(t);
  const images = blocksOf(2, 10, "needle");
  store(database, images);
  const head = (offset: number) => reader.headAt(offset) ?? assert.fail();
  assert.equal(reader.stripesWithWord(head(1), hashWord("haystack")), everyStripe);
  const before = { ...head(1), wordParts: 1 };
  assert.equal(reader.stripesWithWord(before, hashWord("haystack")), everyStripe, "a head of another moment");
  merge(database, images);
  assert.equal(reader.stripesWithWord(head(1), hashWord("needle")), 1);
  assert.equal(reader.stripesWithWord(head(1), hashWord("20")), 1);
  assert.equal(reader.stripesWithWord(head(1), hashWord("api")), 1);
  assert.equal(reader.stripesWithWord(head(1), hashWord("haystack")), 0);
  database.exec("UPDATE words SET bits = x'0000000000000000000000000000'");
  assert.throws(
    () => reader.stripesWithWord(head(1), hashWord("needle")),
    (error) =>
      error instanceof EngineError && error.code === "corrupt" && /part 0 of its words/.test(error.message),
  );
});

/** The tables of version 1, as it made them. */
const versionOne = `
PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${applicationId};
CREATE TABLE log (key INTEGER PRIMARY KEY CHECK (key = 1), identity TEXT NOT NULL, next_offset INTEGER NOT NULL,
  last_received_at INTEGER NOT NULL, blocks INTEGER NOT NULL, raw_bytes INTEGER NOT NULL) STRICT;
CREATE TABLE blocks (first_offset INTEGER PRIMARY KEY, count INTEGER NOT NULL, least_timestamp INTEGER NOT NULL,
  greatest_timestamp INTEGER NOT NULL, received_at INTEGER NOT NULL, raw_bytes INTEGER NOT NULL,
  level_counts TEXT NOT NULL, services TEXT, head_crc INTEGER NOT NULL, times BLOB NOT NULL,
  severities BLOB NOT NULL, entries BLOB NOT NULL) STRICT;
CREATE INDEX blocks_by_greatest ON blocks (greatest_timestamp, first_offset, least_timestamp, raw_bytes);
CREATE INDEX blocks_by_least ON blocks (least_timestamp, first_offset, greatest_timestamp, raw_bytes);
CREATE TABLE producers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, used_at INTEGER NOT NULL,
  floor INTEGER NOT NULL) STRICT;
CREATE INDEX producers_by_use ON producers (used_at);
CREATE TABLE runs (producer INTEGER NOT NULL, first_sequence INTEGER NOT NULL, count INTEGER NOT NULL,
  first_offset INTEGER NOT NULL, PRIMARY KEY (producer, first_sequence)) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_offset ON runs (first_offset);
INSERT INTO log VALUES (1, 'abcdefgh', 8, 5, 1, 13);
INSERT INTO blocks VALUES (7, 1, 1, 1, 5, 13, '{"9":1}', '[""]', 1184226073,
  x'000100000000000000688dd725', x'0009abcb8a78', x'000a0b0a04494e464f120161180150821fe4');
PRAGMA user_version = 1`;

test("a log of version 1 is opened, its entries are there, and it goes on as version 2", async (t) => {
  const folder = await temporaryFolder(t);
  const made = new DatabaseSync(join(folder, "log.db"));
  made.exec(versionOne);
  made.close();
  const file = openLogFile(folder);
  t.after(() => file.close());
  assert.deepEqual([file.identity, pragma(file.database, "user_version")], ["abcdefgh", 2]);
  const reader = new BlockReader(openLogFileForReading(folder));
  t.after(() => reader.close());
  assert.deepEqual(rangeOf(reader.blockAt(7)), [7, 1, 13]);
  assert.equal(reader.columnsAt(7)?.view(0).message, "a");
  merge(file.database, [reader.imageAt(7) ?? assert.fail()]);
  assert.equal(reader.columnsAt(7)?.head.wordParts, 1);
  assert.equal(reader.columnsAt(7)?.view(0).message, "a");
});

test("a new file has the tables of a migrated one", async (t) => {
  const folder = await temporaryFolder(t);
  const old = new DatabaseSync(join(folder, "log.db"));
  old.exec(versionOne);
  old.close();
  const tablesOf = (database: DatabaseSync) =>
    database
      .prepare(
        'SELECT t.name, c.name AS column, c.type, c."notnull" FROM sqlite_schema t JOIN pragma_table_info(t.name) c ORDER BY 1, c.cid',
      )
      .all();
  const migrated = openLogFile(folder);
  t.after(() => migrated.close());
  const { database } = await openFile(t);
  assert.deepEqual(tablesOf(migrated.database), tablesOf(database));
});
