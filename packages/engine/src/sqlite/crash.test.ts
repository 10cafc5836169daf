/**
 * Nothing acknowledged is lost and nothing is stored twice, when the process is
 * killed at any moment, in the middle of merging too: 30 rounds on one folder,
 * each with a writer in a process of its own that is killed at random. Ids,
 * cursors and page tokens of the first round are good in all later ones.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  batchOf,
  entryOf,
  everything,
  messagesOf,
  Random,
  readToEnd,
} from "../contract/engine-under-test.ts";
import type { Engine } from "../engine.ts";
import { openSqliteEngine } from "./sqlite-engine.ts";
import { temporaryFolder } from "./testing/test-engine.ts";

const rounds = 30;

/** What a writer was told: ids by producer and sequence. */
type Acknowledged = Map<string, string>;

/** Starts a writer, which waits until it is told where to write. */
function startWriter(t: TestContext) {
  const script = fileURLToPath(new URL("./testing/crash-writer.ts", import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

/** Lets a writer write until it has said so many bytes, kills it, and returns what it was told. */
async function writeAndKill(
  child: ReturnType<typeof startWriter>,
  { folder, firstSequence, bytes }: { folder: string; firstSequence: number; bytes: number },
): Promise<Acknowledged> {
  const closed = once(child, "close");
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.length >= bytes) child.kill("SIGKILL");
  });
  child.stdin.write(`${JSON.stringify([folder, firstSequence])}\n`);
  const [, signal]: unknown[] = await closed;
  assert.equal(signal, "SIGKILL", "the writer runs until it is killed");
  const lines = output.slice(0, output.lastIndexOf("\n")).split("\n");
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), line.slice(line.lastIndexOf(" ") + 1)]),
  );
}

const offsetOf = (id: string) => Number(/[0-9]+$/.exec(id)?.[0]);

/** Reads the whole log, and expects every offset once. Returns the entries' ids by message. */
async function readAll(engine: Engine, start: string): Promise<Map<string, string>> {
  const entries = await readToEnd(engine, start);
  assert.deepEqual(
    entries.map(({ id }) => offsetOf(id)),
    entries.map((_, index) => index + 1),
    "offsets without holes",
  );
  const ids = new Map(entries.map(({ entry, id }) => [entry.message, id]));
  assert.equal(ids.size, entries.length, `no entry is there twice: ${messagesOf(entries).slice(-5)}`);
  return ids;
}

/** Where a reader and a search were after the first round. */
interface Places {
  readonly cursor: string;
  readonly pageToken: string;
}

async function takePlaces(engine: Engine, start: string): Promise<Places> {
  const read = await readToEnd(engine, start);
  const page = { filter: everything, order: "oldest", limit: 1 } as const;
  const steps = await Array.fromAsync(engine.query(page));
  return {
    cursor: read[Math.floor(read.length / 2)]?.cursor ?? "",
    pageToken: steps.at(-1)?.progress?.nextPageToken ?? "",
  };
}

/** Goes on from these places, and expects there what follows. */
async function checkPlaces(
  engine: Engine,
  stored: ReadonlyMap<string, string>,
  places: Places,
): Promise<void> {
  const { cursor, pageToken } = places;
  const read = await readToEnd(engine, cursor);
  assert.deepEqual(
    read.map(({ id }) => id),
    [...stored.values()].slice(-read.length),
  );
  assert.equal(offsetOf(read[0]?.id ?? ""), offsetOf(cursor) + 1);
  const page = { filter: everything, order: "oldest", limit: 5, pageToken } as const;
  const found = (await Array.fromAsync(engine.query(page))).flatMap(({ entries }) => entries);
  assert.deepEqual(
    found.map(({ id }) => id),
    [...stored.values()].slice(1, 6),
  );
}

/** How many blocks were merged and are in the closed log of a folder. */
function countPacked(folder: string): number {
  const database = new DatabaseSync(join(folder, "log.db"), { readOnly: true });
  const row = database.prepare("SELECT count(*) AS packed FROM blocks WHERE word_parts IS NOT NULL").get();
  database.close();
  return Number(row?.["packed"]);
}

/** Sends everything of a round again, acknowledged or not, and expects each to be there exactly once. */
async function sendAgain(
  engine: Engine,
  stored: ReadonlyMap<string, string>,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const sequences = Array.from({ length: to - from }, (_, index) => from + index);
  for (const producer of ["p", "q", "r"]) {
    const entries = sequences.map((each) => entryOf({ message: `${producer} ${each}`, service: producer }));
    const answer = await engine.append(batchOf(entries, producer, sequences));
    for (const [index, sequence] of sequences.entries()) {
      const first = stored.get(`${producer} ${sequence}`);
      assert.equal(answer.isDuplicate(index), first !== undefined, `${producer} ${sequence}`);
      if (first !== undefined) assert.equal(answer.idAt(index), first);
    }
  }
}

test("what was acknowledged survives kill -9, with its id, and what is sent again is stored once", async (t) => {
  const folder = await temporaryFolder(t);
  const empty = await openSqliteEngine({ path: folder });
  const start = empty.head();
  await empty.close();
  const random = new Random(Date.now());
  const acknowledged: Acknowledged = new Map();
  let firstSequence = 1;
  let places: Places | undefined;
  let writer = startWriter(t);
  for (let round = 0; round < rounds; round++) {
    const told = await writeAndKill(writer, { folder, firstSequence, bytes: 1 + random.below(20_000) });
    // The next one starts while this round is looked at.
    writer = startWriter(t);
    for (const [name, id] of told) acknowledged.set(name, id);
    const engine = await openSqliteEngine({ path: folder });
    t.after(() => engine.close());
    const stored = await readAll(engine, start);
    for (const [name, id] of acknowledged) assert.equal(stored.get(name), id, `${name} was acknowledged`);
    const last = Math.max(...Array.from(stored.keys(), (name) => Number(name.slice(2))));
    await sendAgain(engine, stored, { from: firstSequence, to: last + 1 });
    const all = await readAll(engine, start);
    assert.equal(all.size, last * 3, "each producer's entries are there once");
    places ??= await takePlaces(engine, start);
    await checkPlaces(engine, all, places);
    firstSequence = last + 1;
    await engine.close();
  }
  const packed = countPacked(folder);
  assert.ok(packed > 0, "blocks were merged between the kills");
  t.diagnostic(
    `${acknowledged.size} entries were acknowledged in ${rounds} rounds, ${packed} merged blocks are left`,
  );
});
