/** The contract's promises about following the log: cursors, waiting, readers side by side. */
import assert from "node:assert/strict";
import { parseFilter } from "@logsvc/filter";
import type { ReadEvent } from "../engine.ts";
import {
  batchOf,
  type ContractTest,
  entriesOf,
  entryOf,
  epoch,
  everything,
  firstOf,
  messagesOf,
  readEntries,
  readToEnd,
  rejectsWith,
} from "./engine-under-test.ts";

/** Tests of `read`, `lag`, `cursorAtTime` and `backlog`. */
export const readContract: readonly ContractTest[] = [
  {
    name: "a read goes on after any cursor, and from the head only with what comes",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      await engine.append(batchOf(entriesOf("a", 5)));
      await engine.append(batchOf(entriesOf("b", 5)));
      const all = await readToEnd(engine, start);
      for (const [index, { cursor }] of all.entries()) {
        assert.deepEqual(messagesOf(await readToEnd(engine, cursor)), messagesOf(all.slice(index + 1)));
        assert.equal(engine.lag(cursor), 9 - index);
      }
      assert.equal(engine.lag(start), 10);
      assert.equal(engine.head(), all.at(-1)?.cursor);
      const next = readEntries(engine, engine.head(), 1);
      await engine.append(batchOf(entriesOf("new", 1)));
      assert.deepEqual(messagesOf(await next), ["new 0"]);
    },
  },
  {
    name: "a cursor that is foreign, malformed or behind the end is out of range at the first step",
    async run(t, open) {
      const [{ engine }, other] = [await open(t), await open(t)];
      await engine.append(batchOf(entriesOf("a", 2)));
      await other.engine.append(batchOf(entriesOf("a", 2)));
      await other.engine.append(batchOf(entriesOf("b", 2)));
      const head = engine.head();
      const [entry] = await engine.around({
        id: (await readToEnd(engine, await engine.cursorAtTime(0n)))[0]?.id ?? "",
        before: 0,
        after: 0,
      });
      const bad = [
        other.engine.head(),
        "",
        "nonsense",
        `${head}0`,
        `${head} `,
        `${head}.1`,
        "x".repeat(100_000),
        entry?.id ?? "",
      ];
      for (const cursor of bad) {
        await rejectsWith("out_of_range", () => firstOf(engine.read(cursor)));
        await rejectsWith("out_of_range", () => engine.lag(cursor));
      }
    },
  },
  {
    name: "a thousand waiting readers are woken by one append, without warnings",
    async run(t, open) {
      const { engine } = await open(t);
      const warnings: Error[] = [];
      const note = (warning: Error) => warnings.push(warning);
      process.on("warning", note);
      t.after(() => process.off("warning", note));
      const abort = new AbortController();
      const readers = Array.from({ length: 1000 }, () =>
        engine.read(engine.head(), { signal: abort.signal, idleMs: 60_000 }),
      );
      const first = Promise.all(readers.map(firstOf<ReadEvent>));
      await engine.append(batchOf(entriesOf("a", 1)));
      const blocks = new Set(
        (await first).map((event) => (event?.kind === "blocks" ? event.blocks[0] : undefined)),
      );
      assert.equal(blocks.size, 1, "all are given the same block");
      assert.deepEqual(warnings, []);
    },
  },
  {
    name: "blocks at the head come together, numbered alike for every reader, and their views say what their entries do",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const starts = [start];
      // What nobody reads at the head need not be kept in memory.
      const reader = readEntries(engine, start, 60);
      for (let call = 0; call < 20; call++) {
        const sequences = [1, 2, 3].map((place) => call * 3 + place);
        const entries = entriesOf(`call ${call}`, 3);
        await engine.append(batchOf(entries, "p", sequences));
        // Sent again: nothing is stored, and no number is left out.
        await engine.append(batchOf(entries, "p", sequences));
        starts.push(engine.head());
      }
      await reader;
      const blocksByNumber = new Map<number, unknown>();
      for (const cursor of starts.slice(0, -1)) {
        const event = await firstOf(engine.read(cursor));
        assert(event?.kind === "blocks");
        const [first] = event.blocks;
        for (const [place, block] of event.blocks.entries()) {
          const { headNumber = Number.NaN } = block;
          assert.equal(headNumber, (first?.headNumber ?? 0) + place);
          assert.equal(blocksByNumber.get(headNumber) ?? block, block, "one number, one block");
          blocksByNumber.set(headNumber, block);
          for (let index = 0; index < block.count; index++) {
            assert.equal(block.viewAt(index).message, block.entryAt(index).message);
          }
        }
      }
      const event = await firstOf(engine.read(start));
      assert.equal(event?.kind === "blocks" && event.blocks.length, blocksByNumber.size);
    },
  },
  {
    name: "an abort ends a read without an error, waiting or not",
    async run(t, open) {
      const { engine } = await open(t);
      assert.equal(await firstOf(engine.read(engine.head(), { signal: AbortSignal.abort() })), undefined);
      const abort = new AbortController();
      const waiting = firstOf(engine.read(engine.head(), { signal: abort.signal }));
      await engine.append(batchOf([]));
      abort.abort();
      assert.equal(await waiting, undefined);
    },
  },
  {
    name: "an idle read says so, again and again, and still reads",
    async run(t, open) {
      const { engine } = await open(t);
      const kinds: string[] = [];
      for await (const event of engine.read(engine.head(), {
        idleMs: 5,
        signal: AbortSignal.timeout(20_000),
      })) {
        kinds.push(event.kind);
        if (kinds.length === 2) await engine.append(batchOf(entriesOf("a", 1)));
        if (event.kind === "blocks") break;
      }
      assert.deepEqual(kinds.slice(0, 2), ["idle", "idle"]);
      assert.equal(kinds.at(-1), "blocks");
    },
  },
  {
    name: "a reader that does not read holds up neither writers nor other readers",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      await engine.append(batchOf(entriesOf("first", 1)));
      const slow = engine.read(start)[Symbol.asyncIterator]();
      await slow.next();
      for (let call = 0; call < 50; call++) await engine.append(batchOf(entriesOf(`call ${call}`, 100)));
      assert.equal((await readToEnd(engine, start)).length, 5001);
      const { value } = await slow.next();
      assert.equal(value?.kind === "blocks" && value.blocks[0]?.entryAt(value.from).message, "call 0 0");
      await slow.return?.();
    },
  },
  {
    name: "readers that follow many writers see every entry once, in one order",
    async run(t, open) {
      const { engine } = await open(t);
      const start = engine.head();
      const readers = [1, 2, 3].map(() => readEntries(engine, start, 2000));
      await Promise.all(
        Array.from({ length: 20 }, async (_, writer) => {
          for (let call = 0; call < 10; call++)
            await engine.append(batchOf(entriesOf(`${writer} ${call}`, 10)));
        }),
      );
      const [one = [], ...others] = await Promise.all(readers);
      assert.equal(new Set(messagesOf(one)).size, 2000);
      for (const other of others) assert.deepEqual(messagesOf(other), messagesOf(one));
    },
  },
  {
    name: "closing ends waiting readers and searches with an error",
    async run(t, open) {
      const { engine } = await open(t);
      const waiting = rejectsWith("closed", () => firstOf(engine.read(engine.head())));
      const asking = rejectsWith("closed", () => engine.values({ filter: everything, limit: 10 }));
      const searching = rejectsWith("closed", () =>
        firstOf(engine.query({ filter: everything, order: "newest", limit: 10 })),
      );
      await engine.append(batchOf([]));
      await engine.close();
      await Promise.all([waiting, asking, searching]);
    },
  },
  {
    name: "cursorAtTime is before the first entry of that time or later",
    async run(t, open) {
      const { engine } = await open(t);
      assert.equal(await engine.cursorAtTime(0n), engine.head());
      const times = [50n, 10n, 30n, 20n, 90n, 40n];
      for (const time of times)
        await engine.append(batchOf([entryOf({ timestamp: epoch + time, message: `${time}` })]));
      const from = async (time: bigint) =>
        messagesOf(await readToEnd(engine, await engine.cursorAtTime(time)));
      assert.deepEqual(await from(0n), ["50", "10", "30", "20", "90", "40"]);
      assert.deepEqual(await from(epoch + 51n), ["90", "40"]);
      assert.deepEqual(await from(epoch + 90n), ["90", "40"]);
      assert.deepEqual(await from(epoch + 91n), []);
      assert.deepEqual(await from(10n ** 30n), []);
    },
  },
  {
    name: "backlog gives the last matching entries, oldest first, and where to read on",
    async run(t, open) {
      const { engine } = await open(t);
      const nothing = await engine.backlog({ filter: everything, limit: 10 });
      assert.deepEqual(nothing, { entries: [], cursors: [], cursor: engine.head() });
      const start = engine.head();
      for (let call = 0; call < 5; call++) {
        const entries = entriesOf(`call ${call}`, 20).map((entry, index) => ({
          ...entry,
          level: index % 4 ? "INFO" : "ERROR",
        }));
        await engine.append(batchOf(entries));
      }
      const all = await readToEnd(engine, start);
      const errors = all.filter(({ entry }) => entry.level === "ERROR");
      const { entries, cursors, cursor } = await engine.backlog({
        filter: parseFilter("level:error"),
        limit: 7,
      });
      assert.deepEqual(messagesOf(entries), messagesOf(errors.slice(-7)));
      assert.deepEqual(
        cursors,
        errors.slice(-7).map((each) => each.cursor),
      );
      assert.deepEqual(
        entries.map(({ id }) => id),
        errors.slice(-7).map(({ id }) => id),
      );
      assert.equal(cursor, engine.head());
      const late = await engine.backlog({ filter: everything, limit: 1000, start: epoch + 15n });
      assert.deepEqual(
        messagesOf(late.entries),
        messagesOf(all.filter(({ entry }) => entry.timestamp >= epoch + 15n)),
      );
      assert.equal((await engine.backlog({ filter: everything, limit: 0 })).entries.length, 0);
      await rejectsWith("invalid", () => engine.backlog({ filter: everything, limit: 1_000_000 }));
    },
  },
  {
    name: "backlog and read join without a hole or a repeat while others write",
    async run(t, open) {
      const { engine } = await open(t);
      const written = Array.from({ length: 8 }, async (_, writer) => {
        for (let call = 0; call < 15; call++) await engine.append(batchOf(entriesOf(`${writer} ${call}`, 7)));
      });
      const joined = Array.from({ length: 5 }, async () => {
        await engine.append(batchOf(entriesOf("mark", 1)));
        const { entries, cursor } = await engine.backlog({ filter: everything, limit: 10_000 });
        const rest = await readEntries(engine, cursor, 845 - entries.length);
        return [...messagesOf(entries), ...messagesOf(rest)];
      });
      await Promise.all(written);
      const all = messagesOf(await readToEnd(engine, await engine.cursorAtTime(0n)));
      assert.equal(all.length, 845);
      for (const each of await Promise.all(joined)) assert.deepEqual(each, all);
    },
  },
];
