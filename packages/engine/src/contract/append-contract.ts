/** The contract's promises about writing: order, identity, repeats, closing. */
import assert from "node:assert/strict";
import type { EntryBatch } from "../entry-batch.ts";
import {
  batchOf,
  type ContractTest,
  entriesOf,
  entryOf,
  messagesOf,
  Random,
  type ReadEntry,
  readToEnd,
  rejectsWith,
} from "./engine-under-test.ts";

/** Tests of `append`, `head`, `stats` and `close`. */
export const appendContract: readonly ContractTest[] = [
  {
    name: "entries are read back as they were appended, in order",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const entry = entryOf({
        level: "ERROR",
        message: "größer, 大きい, 🪵\nsecond line",
        service: "checkout",
        attributes: { status: "500", "": "", key: "" },
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
      });
      await engine.append(batchOf([entry, entryOf({ level: "odd", timestamp: 1n })]));
      await engine.append(batchOf(entriesOf("later", 3)));
      const read = await readToEnd(engine, start);
      assert.deepEqual(read[0]?.entry, entry);
      assert.deepEqual([read[1]?.entry.level, read[1]?.entry.timestamp], ["odd", 1n]);
      assert.deepEqual(messagesOf(read).slice(2), ["later 0", "later 1", "later 2"]);
    },
  },
  {
    name: "an append's answer gives the ids that its entries are read with",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const first = await engine.append(batchOf(entriesOf("first", 3)));
      const second = await engine.append(batchOf(entriesOf("second", 2)));
      const ids = (await readToEnd(engine, start)).map(({ id }) => id);
      assert.deepEqual([first.idAt(0), first.idAt(1), first.idAt(2), second.idAt(0), second.idAt(1)], ids);
      assert.deepEqual(
        [first.firstId, first.lastId, second.firstId, second.lastId],
        [ids[0], ids[2], ids[3], ids[4]],
      );
      assert.deepEqual([first.duplicates, first.isDuplicate(0)], [0, false]);
      assert.equal(new Set(ids).size, 5);
      assert.throws(() => first.idAt(3), RangeError);
      assert.throws(() => first.isDuplicate(-1), RangeError);
    },
  },
  {
    name: "an empty batch stores nothing and resolves",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const { firstId, lastId, duplicates } = await engine.append(batchOf([]));
      assert.deepEqual([firstId, lastId, duplicates], ["", "", 0]);
      assert.equal(engine.head(), start);
    },
  },
  {
    name: "batches keep the order of the calls, and lie side by side, among many writers",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const random = new Random(1);
      const names: string[] = [];
      const appends = Array.from({ length: 300 }, (_, call) => {
        const entries = entriesOf(`call ${call} entry`, 1 + random.below(40));
        names.push(...messagesOf(entries.map((entry) => ({ entry }))));
        return engine.append(batchOf(entries));
      });
      await Promise.all(appends);
      const read = await readToEnd(engine, start);
      assert.deepEqual(messagesOf(read), names);
      assert.equal(new Set(read.map(({ id }) => id)).size, names.length);
    },
  },
  {
    name: "a large entry and a large batch are stored whole",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const large = entryOf({ message: "x".repeat(1024 * 1024 - 100) });
      const many = entriesOf("many", 10_000);
      await engine.append(batchOf([entryOf(), large, entryOf()]));
      await engine.append(batchOf(many));
      const read = await readToEnd(engine, start);
      assert.equal(read.length, 10_003);
      assert.equal(read[1]?.entry.message, large.message);
      assert.deepEqual(messagesOf(read.slice(3)), messagesOf(many.map((entry) => ({ entry }))));
    },
  },
  {
    name: "buffers that are part of larger ones are stored without their neighbours",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const batch = batchOf(entriesOf("pooled", 2));
      const shared = new Uint8Array(batch.bytes.length + 64).fill(0xff);
      shared.set(batch.bytes, 16);
      await engine.append({ ...batch, bytes: shared.subarray(16, 16 + batch.bytes.length) });
      assert.equal(shared[0], 0xff, "the larger buffer stays with its owner");
      const lonely = batchOf(entriesOf("in Node's pool", 1));
      await engine.append({ ...lonely, bytes: Buffer.from(lonely.bytes) });
      const messages = messagesOf(await readToEnd(engine, start));
      assert.deepEqual(messages, ["pooled 0", "pooled 1", "in Node's pool 0"]);
    },
  },
  {
    name: "a malformed batch is refused as invalid and harms no other",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const bad = [
        (batch: EntryBatch) => ({ ...batch, bytes: batch.bytes.slice(1) }),
        (batch: EntryBatch) => ({ ...batch, ends: new Uint32Array(1) }),
        (batch: EntryBatch) => ({ ...batch, severities: new Uint8Array(3) }),
        (batch: EntryBatch) => ({ ...batch, producerId: "p", sequences: Float64Array.of(1, Number.NaN) }),
        (batch: EntryBatch) => ({ ...batch, producerId: "p", sequences: Float64Array.of(-1, 2 ** 53) }),
      ];
      const refusals = bad.map((spoil) =>
        rejectsWith("invalid", () => engine.append(spoil(batchOf(entriesOf("bad", 2))))),
      );
      await engine.append(batchOf(entriesOf("good", 1)));
      await Promise.all(refusals);
      assert.deepEqual(messagesOf(await readToEnd(engine, start)), ["good 0"]);
    },
  },
  {
    name: "receivedAt is the time of acceptance and never decreases",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const before = BigInt(Date.now()) * 1_000_000n;
      for (let call = 0; call < 5; call++) await engine.append(batchOf(entriesOf(`call ${call}`, 2)));
      const after = BigInt(Date.now() + 1) * 1_000_000n;
      const times = (await readToEnd(engine, start)).map(({ receivedAt }) => receivedAt);
      for (const [index, time] of times.entries()) {
        assert.ok(time >= (times[index - 1] ?? before) && time <= after, `${time} at ${index}`);
      }
    },
  },
  {
    name: "everything is there again after reopening: entries, ids, cursors, and the count of offsets",
    async run(t, open) {
      const log = await open(t);
      const start = log.engine.head();
      await log.engine.append(batchOf(entriesOf("before", 5)));
      const before = await readToEnd(log.engine, start);
      const head = log.engine.head();
      const engine = await log.reopen();
      assert.equal(engine.head(), head);
      assert.deepEqual(await readToEnd(engine, start), before);
      await engine.append(batchOf(entriesOf("after", 2)));
      const all: ReadEntry[] = await readToEnd(engine, before[2]?.cursor ?? "");
      assert.deepEqual(messagesOf(all), ["before 3", "before 4", "after 0", "after 1"]);
      assert.equal(new Set([...before, ...all].map(({ id }) => id)).size, 7);
    },
  },
  {
    name: "a repeat in a later batch is a duplicate with its first id, also after reopening",
    async run(t, open) {
      const log = await open(t);
      const start = log.engine.head();
      const first = await log.engine.append(batchOf(entriesOf("first", 3), "p", [1, 2, 3]));
      for (const openAgain of [false, true]) {
        const engine = openAgain ? await log.reopen() : log.engine;
        const again = await engine.append(batchOf(entriesOf("again", 3), "p", [2, 3, openAgain ? 5 : 4]));
        assert.deepEqual([again.idAt(0), again.idAt(1)], [first.idAt(1), first.idAt(2)]);
        assert.deepEqual(
          [again.isDuplicate(0), again.isDuplicate(1), again.isDuplicate(2)],
          [true, true, false],
        );
      }
      const read = await readToEnd(log.engine, start);
      assert.deepEqual(messagesOf(read), ["first 0", "first 1", "first 2", "again 2", "again 2"]);
    },
  },
  {
    name: "a repeat inside a batch, and in a batch that is not yet durable, is recognised",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const [one, two, three] = await Promise.all([
        engine.append(batchOf(entriesOf("one", 3), "p", [1, 2, 2])),
        engine.append(batchOf(entriesOf("two", 3), "p", [2, 3, 0])),
        engine.append(batchOf(entriesOf("three", 2), "q", [2, 3])),
      ]);
      assert.deepEqual([one.duplicates, two.duplicates, three.duplicates], [1, 1, 0]);
      assert.deepEqual([one.isDuplicate(1), one.isDuplicate(2)], [false, true]);
      assert.deepEqual([one.idAt(2), two.idAt(0)], [one.idAt(1), one.idAt(1)]);
      assert.deepEqual(messagesOf(await readToEnd(engine, start)), [
        "one 0",
        "one 1",
        "two 1",
        "two 2",
        "three 0",
        "three 1",
      ]);
    },
  },
  {
    name: "a batch of nothing but duplicates stores nothing",
    async run(t, open) {
      const { engine } = await open(t);
      await engine.append(batchOf(entriesOf("p", 2), "p", [1, 2]));
      const head = engine.head();
      const { firstId, lastId, duplicates } = await engine.append(batchOf(entriesOf("p", 2), "p", [1, 2]));
      assert.deepEqual([firstId, lastId, duplicates], ["", "", 2]);
      assert.equal(engine.head(), head);
    },
  },
  {
    name: "entries without a sequence, or without a producer, are never duplicates",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      for (let call = 0; call < 2; call++) {
        await engine.append(batchOf([entryOf()], "p", [0]));
        await engine.append(batchOf([entryOf()], undefined, [7]));
      }
      assert.equal((await readToEnd(engine, start)).length, 4);
    },
  },
  {
    name: "gaps in a producer's sequences are filled later; random retries store each sequence once",
    async run(t, open) {
      const log = await open(t);
      const start = log.engine.head();
      const random = new Random(2);
      const firstIds = new Map<string, string>();
      let engine = log.engine;
      for (let round = 0; round < 60; round++) {
        if (round % 20 === 19) engine = await log.reopen();
        const calls = Array.from({ length: 4 }, () => {
          const producer = random.of(["p", "q", "r"]);
          const low = 1 + random.below(400);
          const sequences = Array.from({ length: 30 }, (_, index) => low + index).filter(
            () => random.below(3) > 0,
          );
          const entries = sequences.map((sequence) => entryOf({ message: `${producer} ${sequence}` }));
          return { producer, sequences, answer: engine.append(batchOf(entries, producer, sequences)) };
        });
        for (const { producer, sequences, answer } of calls) {
          const result = await answer;
          for (const [index, sequence] of sequences.entries()) {
            const name = `${producer} ${sequence}`;
            assert.equal(result.isDuplicate(index), firstIds.has(name), name);
            if (!firstIds.has(name)) firstIds.set(name, result.idAt(index));
            assert.equal(result.idAt(index), firstIds.get(name), name);
          }
        }
      }
      const read = await readToEnd(engine, start);
      assert.deepEqual(new Map(read.map(({ entry, id }) => [entry.message, id])), firstIds);
      assert.equal(read.length, firstIds.size);
    },
  },
  {
    name: "stats tell what is stored",
    async run(t, open) {
      const { engine } = await open(t);
      const empty = await engine.stats();
      assert.deepEqual(
        [empty.entries, empty.blocks, empty.rawBytes, empty.oldest, empty.newest],
        [0, 0, 0, 0n, 0n],
      );
      const times = [5n, 3n, 9n].map((timestamp) => entryOf({ timestamp }));
      const batch = batchOf(times);
      const rawBytes = batch.bytes.length;
      await engine.append(batch);
      const stats = await engine.stats();
      assert.deepEqual([stats.entries, stats.rawBytes, stats.oldest, stats.newest], [3, rawBytes, 3n, 9n]);
      assert.ok(stats.blocks >= 1 && stats.diskBytes > 0 && stats.commits >= 1 && stats.commitUs > 0);
      assert.equal(stats.deleted, 0);
    },
  },
  {
    name: "close makes durable what was appended before, and refuses what comes after",
    async run(t, open) {
      const log = await open(t);
      const { engine } = log;
      const start = engine.head();
      const pending = Array.from({ length: 20 }, (_, call) =>
        engine.append(batchOf(entriesOf(`call ${call}`, 10))),
      );
      const closing = engine.close();
      assert.equal(engine.close(), closing);
      await rejectsWith("closed", () => engine.append(batchOf([entryOf()])));
      await closing;
      await Promise.all(pending);
      for (const call of [
        () => engine.append(batchOf([entryOf()])),
        () => engine.stats(),
        () => engine.cursorAtTime(0n),
      ]) {
        await rejectsWith("closed", call);
      }
      assert.equal((await readToEnd(await log.reopen(), start)).length, 200);
    },
  },
];
