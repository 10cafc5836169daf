/** Shared matches: the same for every reader as if it had matched alone, made once, and bounded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Backlog, type Block, type EntryBatch, EntryBatchBuilder } from "@logsvc/engine";
import { compileFilter, parseFilter } from "@logsvc/filter";
import {
  type LogEntry,
  LogEntrySchema,
  limits,
  type StoredEntry,
  TailLogsResponseSchema,
} from "@logsvc/proto";
import fc from "fast-check";
import { type FilterMatches, SharedMatches } from "./shared-matches.ts";
import { encodedAnswers, objectAnswers } from "./tail-answers.ts";

/** A block of the log as an engine gives it, which counts how often its entries are looked at. */
class TestBlock implements Block {
  readonly headNumber: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
  readonly timestamps: BigInt64Array;
  readonly severities: Uint8Array;
  looks = 0;
  readonly #entries: readonly LogEntry[];

  constructor(headNumber: number, entries: readonly LogEntry[]) {
    const builder = new EntryBatchBuilder();
    for (const entry of entries) builder.add(entry);
    const batch: EntryBatch = builder.build();
    this.headNumber = headNumber;
    this.count = batch.count;
    this.bytes = batch.bytes;
    this.ends = batch.ends;
    this.timestamps = batch.timestamps;
    this.severities = batch.severities;
    this.#entries = entries;
  }

  receivedAt(): bigint {
    return 1_790_000_000_000_000_000n + BigInt(this.headNumber);
  }

  idAt(index: number): string {
    // Of many lengths, so that the length of an entry takes one byte for one id and two for the next.
    return `log-${"x".repeat((this.headNumber * 7 + index * 13) % 100)}-${this.headNumber}-${index}`;
  }

  writeIdAt(index: number, into: Uint8Array, at: number): number {
    const id = new TextEncoder().encode(this.idAt(index));
    into.set(id, at);
    return at + id.length;
  }

  cursorAt(index: number): string {
    return this.idAt(index).replaceAll("-", ".");
  }

  entryAt(index: number): LogEntry {
    return this.#entries[index] ?? assert.fail(`entry ${index}`);
  }

  /** What a failing property shows of it. */
  [fc.toStringMethod](): string {
    return `block ${this.headNumber}: ${this.#entries.map(({ message }) => message.slice(0, 3))}`;
  }

  viewAt(index: number): LogEntry {
    this.looks += 1;
    return this.entryAt(index);
  }
}

const filters = ["*", "a", "-a", "service:=x", "nothing", "level:warn OR b"];

const entryArbitrary = fc
  .record({
    level: fc.constantFrom("INFO", "WARN"),
    // Now and then one that takes more than a chunk, or more than a response.
    message: fc.oneof(
      { arbitrary: fc.constantFrom("a", "b", "a b", "größer 🪵"), weight: 60 },
      { arbitrary: fc.constantFrom("a ".repeat(10_000), "b".repeat(70_000), "a".repeat(270_000)), weight: 1 },
    ),
    timestamp: fc.bigInt({ min: 1n, max: 9n }),
    service: fc.constantFrom("", "x", "y"),
  })
  .map((fields) => create(LogEntrySchema, fields));

const blocksArbitrary = fc
  .array(fc.array(entryArbitrary, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 30 })
  .map((blocks) => blocks.map((entries, index) => new TestBlock(index + 1, entries)));

/** What a tail receives, decoded as a client does. */
interface Received {
  readonly cursor: string;
  readonly entries: StoredEntry[];
}

function encoded(matches: FilterMatches, blocks: readonly Block[], from: number): Received[] {
  return Array.from(encodedAnswers.matching(matches, blocks, from), ({ response, count }) => {
    const bytes = toBinary(TailLogsResponseSchema, response);
    const received = fromBinary(TailLogsResponseSchema, bytes);
    assert.equal(received.entries.length, count);
    assert(count === 1 || bytes.length < limits.responseBytesMax + 1024, `${bytes.length} bytes`);
    return received;
  });
}

const entriesOf = (received: readonly Received[]): StoredEntry[] =>
  received.flatMap(({ entries }) => entries);

test("encoded or not, every reader gets what matches, whoever else reads and whatever was forgotten", () => {
  const readers = fc.array(
    fc.record({
      filter: fc.constantFrom(...filters),
      since: fc.option(fc.bigInt({ min: 1n, max: 9n }), { nil: undefined }),
      start: fc.nat(5),
      from: fc.nat(4),
      steps: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 40, maxLength: 40 }),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const property = fc.property(
    blocksArbitrary,
    readers,
    fc.constantFrom(0, 3_000, 1e9),
    (blocks, plans, bytesMax) => {
      const shared = new SharedMatches(bytesMax);
      const open = plans.map((plan) => {
        const place = Math.min(plan.start, blocks.length - 1);
        const from = Math.min(plan.from, (blocks[place]?.count ?? 1) - 1);
        const matches = shared.acquire({ filter: parseFilter(plan.filter), since: plan.since });
        return { plan, matches, from, place, steps: [...plan.steps] };
      });
      while (open.some(({ place }) => place < blocks.length)) {
        for (const reader of open) {
          const run = blocks.slice(reader.place, reader.place + (reader.steps.shift() ?? 1));
          if (run.length === 0) continue;
          const received = encoded(reader.matches, run, reader.from);
          const objects = Array.from(
            objectAnswers.matching(reader.matches, run, reader.from),
            ({ response }) => response,
          );
          assert.deepEqual(entriesOf(received), entriesOf(objects));
          assert.deepEqual(entriesOf(received), matchedAlone(run, reader.from, reader.plan));
          const last = run.at(-1);
          if (received.length > 0) assert.equal(received.at(-1)?.cursor, last?.cursorAt(last.count - 1));
          for (const { cursor, entries } of received.slice(0, -1)) {
            assert.equal(cursor, entries.at(-1)?.id.replaceAll("-", "."), "where its last entry is");
          }
          assert(shared.bytes <= bytesMax, `${shared.bytes} bytes of ${bytesMax}`);
          reader.place += run.length;
          reader.from = 0;
        }
      }
      for (const { matches } of open) matches.release();
      assert.deepEqual([shared.bytes, shared.size], [0, 0]);
    },
  );
  fc.assert(property, { numRuns: 50 });
});

function matchedAlone(
  blocks: readonly Block[],
  from: number,
  { filter, since = 0n }: { readonly filter: string; readonly since: bigint | undefined },
): StoredEntry[] {
  const matches = compileFilter(parseFilter(filter));
  return blocks.flatMap((block, place) =>
    Array.from({ length: block.count }, (_, index) => ({
      $typeName: "logsvc.StoredEntry" as const,
      id: block.idAt(index),
      entry: block.entryAt(index),
      receivedAt: block.receivedAt(index),
    })).filter(
      ({ entry }, index) => (place > 0 || index >= from) && entry.timestamp >= since && matches(entry),
    ),
  );
}

const twenty = (): TestBlock[] =>
  Array.from({ length: 20 }, (_, index) => {
    const entries = ["a", "b"].map((message) => create(LogEntrySchema, { message, timestamp: 5n }));
    return new TestBlock(index + 1, entries);
  });

test("however often one filter is spelled, a block is matched once for it", () => {
  const blocks = twenty();
  const shared = new SharedMatches();
  const readers = ['service:=""  a', 'service:="" AND (a)', 'service:="" a'].map((text) =>
    shared.acquire({ filter: parseFilter(text), since: undefined }),
  );
  assert.equal(shared.size, 1);
  for (const [place, matches] of readers.entries()) {
    assert.equal(entriesOf(encoded(matches, blocks.slice(0, 5 + place), 0)).length, 5 + place);
    assert.equal(entriesOf(encoded(matches, blocks.slice(5 + place), 0)).length, 15 - place);
  }
  assert(blocks.every(({ looks, count }) => looks === count));
});

test("another filter, or another beginning, has matches of its own", () => {
  const blocks = twenty();
  const shared = new SharedMatches();
  const idsOf = (filter: string, since?: bigint): number =>
    entriesOf(encoded(shared.acquire({ filter: parseFilter(filter), since }), blocks, 0)).length;
  assert.deepEqual(
    [idsOf("a"), idsOf("a OR b"), idsOf("a", 6n), idsOf("a", 5n), idsOf("c")],
    [20, 40, 0, 20, 0],
  );
  assert.equal(shared.size, 5);
});

test("readers that look together get one response, which is forgotten with the turn", async () => {
  const blocks = twenty();
  const shared = new SharedMatches();
  const matches = shared.acquire({ filter: parseFilter("a"), since: undefined });
  const responsesOf = (some: readonly Block[], from: number) =>
    Array.from(encodedAnswers.matching(matches, some, from), ({ response }) => response);
  const [first] = responsesOf(blocks, 0);
  assert.equal(responsesOf(blocks, 0)[0], first);
  assert.notEqual(responsesOf(blocks, 1)[0], first);
  assert.equal(entriesOf(encoded(matches, blocks, 1)).length, 19);
  const [again] = responsesOf(blocks, 0);
  await nextTurn();
  assert.notEqual(responsesOf(blocks, 0)[0], again);
  assert.deepEqual(responsesOf(blocks, 0)[0], first);
});

test("what was sent stays as it was when more is added or forgotten", () => {
  const blocks = twenty();
  const shared = new SharedMatches(2_000);
  const matches = shared.acquire({ filter: parseFilter("*"), since: undefined });
  const responses = blocks.flatMap((block) =>
    Array.from(encodedAnswers.matching(matches, [block], 0), ({ response }) => response),
  );
  const received = responses.flatMap(
    (response) => fromBinary(TailLogsResponseSchema, toBinary(TailLogsResponseSchema, response)).entries,
  );
  assert.deepEqual(
    received.map(({ id }) => id),
    blocks.flatMap((block) => [block.idAt(0), block.idAt(1)]),
  );
});

test("a backlog is the same in both forms", () => {
  const entries = Array.from({ length: 9 }, (_, index) => ({
    $typeName: "logsvc.StoredEntry" as const,
    id: `log-${index}`,
    entry: create(LogEntrySchema, { message: "m".repeat(100_000) }),
    receivedAt: 1n,
  }));
  const found: Backlog = { entries, cursors: entries.map(({ id }) => `after ${id}`), cursor: "head" };
  const objects = Array.from(objectAnswers.stored(found), ({ response }) => response);
  const messages = Array.from(encodedAnswers.stored(found), ({ response }) => response);
  assert(objects.length > 1);
  assert.deepEqual(entriesOf(messages), entries);
  assert.deepEqual(
    messages.map(({ cursor }) => cursor),
    objects.map(({ cursor }) => cursor),
  );
});
