/**
 * The spool against what can happen to it: ends at any byte, flipped bits, full
 * and shared folders. Never is an entry missing without a word.
 */
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { encodeEntries } from "@logsvc/client";
import { type SpoolBatch, segmentHeaderBytesMax } from "./segment-format.ts";
import { type OpenedSpool, openSpool, type SpooledBatch, saveAsideSync } from "./spool.ts";
import type { SpoolOptions } from "./spool-options.ts";

const mebibyte = 1024 * 1024;

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "logsvc-spool-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A spool, and what it told. */
interface Opened {
  readonly spool: OpenedSpool;
  readonly damage: { readonly entries: number; readonly message: string }[];
}

async function openIn(folder: string, options: Partial<SpoolOptions> = {}): Promise<Opened> {
  const damage: Opened["damage"] = [];
  const settings = { bytesMax: 1024 * mebibyte, fsync: "never" as const, ...options, folder };
  const spool = await openSpool(settings, {
    damaged: (entries, message) => damage.push({ entries, message }),
    failed: (error) => assert.fail(error),
  });
  return { spool, damage };
}

/** The n-th batch, from 1, of `count` entries with as many sequences. */
function batchOf(number: number, count = 3, producerId = "p", padding = 0): SpoolBatch {
  const firstSequence = (number - 1) * count + 1;
  const entries = Array.from({ length: count }, (_, index) => ({
    message: `entry ${firstSequence + index}${" ".repeat(padding)}`,
  }));
  return { bytes: encodeEntries(entries).bytes, count, producerId, firstSequence };
}

async function readAll(spool: OpenedSpool): Promise<SpooledBatch[]> {
  const all: SpooledBatch[] = [];
  for (;;) {
    const batches = await spool.read();
    if (batches.length === 0) return all;
    all.push(...batches);
  }
}

const firsts = (batches: readonly SpoolBatch[]): number[] =>
  batches.map(({ firstSequence }) => firstSequence);

/** A folder with a spool as `kill -9` leaves it, with five batches of three entries; its one segment can be changed. */
async function killedSpool(t: TestContext): Promise<{ segment: Buffer; ends: number[]; copy: Copy }> {
  const folder = await temporaryFolder(t);
  const { spool } = await openIn(folder);
  const places = await spool.append([1, 2, 3, 4, 5].map((number) => batchOf(number)));
  const segment = await readFile(join(folder, "0", "0000000001.spool"));
  await spool.close();
  let copies = 0;
  const copy: Copy = async (bytes) => {
    const place = join(folder, `copy-${++copies}`, "0");
    await mkdir(place, { recursive: true });
    await writeFile(join(place, "0000000001.spool"), bytes);
    return join(place, "..");
  };
  return { segment, ends: places?.map(({ end }) => end) ?? [], copy };
}

type Copy = (segment: Uint8Array) => Promise<string>;

test("what was written is read again after a restart, in order, up to what was acknowledged", async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openIn(folder);
  await first.spool.append([batchOf(1), batchOf(2)]);
  await first.spool.append([batchOf(3), batchOf(4)]);
  assert.equal(first.spool.unread, 12);
  const [one, two] = await readAll(first.spool);
  assert.ok(one !== undefined && two !== undefined);
  assert.deepEqual(Buffer.from(two.bytes), Buffer.from(batchOf(2).bytes));
  first.spool.acknowledge(one.place);
  first.spool.acknowledge(two.place);
  assert.equal(first.spool.stored.entries, 6);
  await first.spool.close();
  const second = await openIn(folder);
  assert.equal(second.spool.unread, 6);
  assert.equal(second.spool.stored.entries, 6);
  const rest = await readAll(second.spool);
  assert.deepEqual(firsts(rest), [7, 10]);
  await second.spool.append([batchOf(1, 3, "another run")]);
  const more = await readAll(second.spool);
  assert.deepEqual(
    more.map(({ producerId }) => producerId),
    ["another run"],
  );
  for (const { place } of [...rest, ...more]) second.spool.acknowledge(place);
  assert.equal(second.spool.stored.entries, 0);
  await second.spool.close();
  assert.deepEqual(
    (await readdir(join(folder, "0"))).sort(),
    ["lock", "position"],
    "nothing is left to be sent",
  );
  assert.deepEqual([...first.damage, ...second.damage], []);
});

test("a spool that ended at any byte has all that was whole, and says what was not", async (t) => {
  const { segment, ends, copy } = await killedSpool(t);
  for (let length = 0; length <= segment.length; length++) {
    const { spool, damage } = await openIn(await copy(segment.subarray(0, length)));
    const read = await readAll(spool);
    const whole = ends.filter((end) => end <= length).length;
    assert.deepEqual(firsts(read), [1, 4, 7, 10, 13].slice(0, whole), `cut at ${length}`);
    const isCutInARecord = length !== headerBytes && !ends.includes(length);
    assert.equal(damage.length, isCutInARecord ? 1 : 0, `cut at ${length}: ${JSON.stringify(damage)}`);
    // What is appended then is found as well.
    await spool.append([batchOf(9)]);
    assert.deepEqual(firsts(await readAll(spool)), [25]);
    await spool.close();
  }
});

/** Where the bytes begin that are set aside for a flipped bit: of its record, or of all. */
function asideFrom(at: number, ends: readonly number[]): number {
  return at < headerBytes ? 0 : (ends.findLast((end) => end <= at) ?? headerBytes);
}

/** Of a segment of the producer "p". */
const headerBytes = 26;

test("a flipped bit costs the record it is in, which is set aside, and no other", async (t) => {
  const { segment, ends, copy } = await killedSpool(t);
  for (let at = 0; at < segment.length; at++) {
    const bytes = Buffer.from(segment);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    const folder = await copy(bytes);
    const { spool, damage } = await openIn(folder);
    const read = await readAll(spool);
    const hit = ends.findIndex((end) => at < end);
    const expected = at < headerBytes ? [] : [1, 4, 7, 10, 13].filter((_, index) => index !== hit);
    assert.deepEqual(firsts(read), expected, `flipped at ${at}`);
    assert.ok(damage.length >= 1, `flipped at ${at}: told`);
    // What says that it is of a later version is left where it is.
    const kept = await readdir(join(folder, "0"), { recursive: true });
    const name = at === 9 ? "0000000001.spool" : `0000000001.spool-${asideFrom(at, ends)}`;
    assert.ok(kept.includes(at === 9 ? name : join("damaged", name)), `flipped at ${at}: kept in ${kept}`);
    await spool.close();
  }
});

test("entries that are lost to damage are counted, and what follows is acknowledged and deleted", async (t) => {
  const folder = await temporaryFolder(t);
  const before = await openIn(folder);
  await before.spool.append([1, 2, 3].map((number) => batchOf(number)));
  await before.spool.close();
  const path = join(folder, "0", "0000000001.spool");
  const bytes = await readFile(path);
  // In the entries of the second, and in the header of the third record.
  for (const place of ["entry 4", "entry 7"]) {
    const at = bytes.indexOf(place) - (place === "entry 7" ? 20 : 0);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
  }
  await writeFile(path, bytes);
  const { spool, damage } = await openIn(folder);
  const read = await readAll(spool);
  assert.deepEqual(firsts(read), [1]);
  assert.equal(
    damage.reduce((sum, { entries }) => sum + entries, 0),
    6,
  );
  for (const { place } of read) spool.acknowledge(place);
  assert.deepEqual([spool.unread, spool.stored.entries], [0, 0]);
  await spool.close();
  assert.ok(!(await readdir(join(folder, "0"))).includes("0000000001.spool"));
});

test("a spool stays within its bytes; the oldest segment can be given up", async (t) => {
  const { spool } = await openIn(await temporaryFolder(t), { bytesMax: 4 * mebibyte });
  const batch = (number: number): SpoolBatch => batchOf(number, 1, "p", 100_000);
  let written = 0;
  while ((await spool.append([batch(written + 1)])) !== undefined) written++;
  assert.ok(written >= 35 && written <= 42, `${written} batches of 100 kB`);
  assert.ok(spool.stored.bytes <= 4 * mebibyte);
  const dropped = spool.dropOldest();
  assert.ok(dropped >= 1 && dropped <= 8, `${dropped} entries were dropped`);
  assert.notEqual(await spool.append([batch(written + 1)]), undefined);
  const read = await readAll(spool);
  assert.deepEqual(
    firsts(read),
    Array.from({ length: written + 1 - dropped }, (_, index) => dropped + index + 1),
  );
  assert.equal(spool.dropOldest(), 0, "what was read is in memory");
  await spool.close();
});

test("everybody who opens a folder has a place in it, and whoever comes later takes over what is left", async (t) => {
  const folder = await temporaryFolder(t);
  const one = await openIn(folder);
  const two = await openIn(folder);
  await one.spool.append([batchOf(1, 3, "one")]);
  await two.spool.append([batchOf(1, 3, "two"), batchOf(2, 3, "two")]);
  assert.equal((await readAll(one.spool)).length, 1);
  assert.equal((await readAll(two.spool)).length, 2);
  const three = await openIn(folder);
  assert.equal(three.spool.unread, 0, "what has an owner is left alone");
  for (const { spool } of [one, two, three]) await spool.close();
  const four = await openIn(folder);
  const read = await readAll(four.spool);
  assert.deepEqual(
    read.map(({ producerId, firstSequence }) => [producerId, firstSequence]),
    [
      ["one", 1],
      ["two", 1],
      ["two", 4],
    ],
  );
  await four.spool.close();
});

test("what a process saves on its way out is there for the next one, beside what it had written", async (t) => {
  const folder = await temporaryFolder(t);
  const { spool } = await openIn(folder, { fsync: "interval" });
  await spool.append([batchOf(1)]);
  const appending = spool.append([batchOf(2)]);
  spool.saveSync([batchOf(2), batchOf(3)]);
  await appending;
  saveAsideSync({ folder, bytesMax: mebibyte, fsync: "always" }, [batchOf(1, 3, "aside")]);
  const next = await openIn(folder);
  const read = await readAll(next.spool);
  const found = new Set(read.map(({ producerId, firstSequence }) => `${producerId} ${firstSequence}`));
  assert.deepEqual(found, new Set(["p 1", "p 4", "p 7", "aside 1"]));
  assert.deepEqual(next.damage, []);
  await next.spool.close();
});

test("a position that is missing, or nonsense, has more sent again and nothing lost", async (t) => {
  const folder = await temporaryFolder(t);
  const { spool } = await openIn(folder);
  await spool.append([batchOf(1), batchOf(2)]);
  const [first] = await readAll(spool);
  assert.ok(first !== undefined);
  spool.acknowledge(first.place);
  await spool.close();
  for (const position of ["", "{", "[]", '{"segment":"1"}']) {
    const copy = await temporaryFolder(t);
    await cp(folder, copy, { recursive: true });
    await writeFile(join(copy, "0", "position"), position);
    const opened = await openIn(copy);
    assert.deepEqual(firsts(await readAll(opened.spool)), [1, 4]);
    await opened.spool.close();
  }
});

test("a skipped batch is not read, and a segment goes when its last batch is acknowledged", async (t) => {
  const folder = await temporaryFolder(t);
  const { spool } = await openIn(folder, { fsync: "always" });
  const places = await spool.append([batchOf(1), batchOf(2), batchOf(3)]);
  const [one, two] = places ?? [];
  assert.ok(one !== undefined && two !== undefined);
  spool.skip(one);
  spool.skip(two);
  assert.equal(spool.unread, 3);
  const [three] = await readAll(spool);
  assert.ok(three !== undefined && three.firstSequence === 7);
  for (const place of [one, two, three.place]) spool.acknowledge(place);
  await spool.append([batchOf(4)]);
  await spool.close();
  assert.ok((await readdir(join(folder, "0"))).includes("0000000002.spool"));
  assert.ok(!(await readdir(join(folder, "0"))).includes("0000000001.spool"));
});

test("a segment that is gone is given up after some attempts, counted, and what is behind it is read", async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openIn(folder);
  await first.spool.append([batchOf(1), batchOf(2)]);
  await first.spool.close();
  const { spool, damage } = await openIn(folder);
  await spool.append([batchOf(3)]);
  await rm(join(folder, "0", "0000000001.spool"));
  for (let attempt = 1; attempt < 4; attempt++) await assert.rejects(spool.read(), /ENOENT/);
  assert.deepEqual(firsts(await readAll(spool)), []);
  assert.deepEqual(firsts(await readAll(spool)), [7]);
  assert.equal(damage[0]?.entries, 6);
  assert.equal(spool.stored.entries, 3);
  await spool.close();
});

test("a folder that can't be used is refused with its name", async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, "file"), "");
  await assert.rejects(openIn(join(folder, "file")), /file/);
  assert.ok(segmentHeaderBytesMax >= headerBytes);
});
