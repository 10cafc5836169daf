import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LogBuffer } from "./log-buffer.ts";
import { type LogRow, toGapRow } from "./log-entry-row.ts";
import { packRows, unpackRows } from "./packed-rows.ts";
import { entryRow } from "./testing/rows.ts";

/** Everything that the buffer holds, through its positions. */
function contents(buffer: LogBuffer): (LogRow | undefined)[] {
  return Array.from({ length: buffer.length }, (_, index) => buffer.at(buffer.first + index));
}

const entries = (from: number, count: number): LogRow[] =>
  Array.from({ length: count }, (_, index) => entryRow(from + index));

test("rows are the same after packing, whatever is in them", () => {
  const text = fc.string({ unit: "grapheme" });
  const row = fc
    .record({
      id: fc.string({ minLength: 1 }),
      level: text,
      service: text,
      message: text,
      traceId: text,
      spanId: text,
      attributes: fc.array(fc.tuple(fc.oneof(text, fc.constantFrom("__proto__", "constructor", "1")), text)),
      timestamp: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      receivedAt: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
      sequence: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }),
    })
    .map(({ id, receivedAt, attributes, ...entry }): LogRow => {
      const own = Object.fromEntries(attributes);
      return {
        kind: "entry",
        id,
        receivedAt,
        entry: { $typeName: "logsvc.LogEntry", attributes: own, ...entry },
      };
    });
  const gap = fc.nat().map((count) => toGapRow({ from: "a", to: `b${count}`, count }));
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: row }, gap)), (rows) => {
      assert.deepEqual(unpackRows(packRows(rows)), rows);
    }),
  );
});

test("more than 65 535 different texts in a pack are told apart", () => {
  const rows = Array.from({ length: 400 }, (_, index) => {
    const attributes = Object.fromEntries(Array.from({ length: 200 }, (__, n) => [`k${n}`, `${index}-${n}`]));
    return entryRow(index, { attributes });
  });
  assert.deepEqual(unpackRows(packRows(rows)), rows);
});

/** The naive list that the buffer is held against. */
class Model {
  rows: { row: LogRow; key: number }[] = [];
  first = 0;
}

type Step = (buffer: LogBuffer, model: Model, ids: { low: number; high: number }) => void;

/** Takes new keys from the buffer, which must be new, and old ones from the model, which must be the same. */
function check(buffer: LogBuffer, model: Model, rows: readonly LogRow[]): void {
  assert.deepEqual(contents(buffer), rows);
  const keys = rows.map((_, index) => buffer.keyAt(buffer.first + index) ?? Number.NaN);
  assert.equal(new Set(keys).size, keys.length, "keys are unique");
  const known = new Map(model.rows.map(({ row, key }) => [row, key]));
  for (const [index, row] of rows.entries()) {
    const before = known.get(row);
    if (before !== undefined) assert.equal(keys[index], before, "a row's key stays");
    assert.equal(buffer.positionOfKey(keys[index] ?? 0), buffer.first + index);
    if (row.kind === "entry") assert.equal(buffer.positionOfId(row.id), buffer.first + index);
  }
  assert.equal(buffer.entries, rows.filter(({ kind }) => kind === "entry").length);
  model.rows = rows.map((row, index) => ({ row, key: keys[index] ?? 0 }));
  model.first = buffer.first;
}

const steps: fc.Arbitrary<Step>[] = [
  fc.nat({ max: 40 }).map(
    (count): Step =>
      (buffer, model, ids) => {
        const added = entries(ids.high, count);
        ids.high += count;
        const all = [...model.rows.map(({ row }) => row), ...added];
        buffer.append(added);
        const dropped = all.length - buffer.length;
        assert.ok(dropped >= 0 && buffer.length <= 64);
        assert.equal(buffer.first, model.first + dropped, "positions tell how many rows left");
        check(buffer, model, all.slice(dropped));
      },
  ),
  fc.nat({ max: 20 }).map(
    (count): Step =>
      (buffer, model, ids) => {
        const room = Math.min(count, 64 - buffer.length);
        ids.low -= room;
        const added = entries(ids.low, room);
        const first = buffer.first;
        buffer.prepend(added);
        assert.equal(buffer.first, first - room);
        check(buffer, model, [...added, ...model.rows.map(({ row }) => row)]);
      },
  ),
  fc.tuple(fc.nat(), fc.nat({ max: 9 })).map(
    ([at, count]): Step =>
      (buffer, model, ids) => {
        const index = at % Math.max(1, model.rows.length);
        const key = model.rows[index]?.key;
        if (key === undefined || buffer.length + count > 64) return;
        const added = entries(ids.high, count);
        ids.high += count;
        buffer.replace(key, added);
        const all = model.rows.map(({ row }) => row);
        check(buffer, model, [...all.slice(0, index), ...added, ...all.slice(index + 1)]);
      },
  ),
  fc.constant((buffer, model, ids): void => {
    const gap = toGapRow({ from: `${ids.high}`, to: "x", count: 1 });
    const all = [...model.rows.map(({ row }) => row), gap];
    buffer.append([gap]);
    check(buffer, model, all.slice(all.length - buffer.length));
  }),
];

test("any sequence of changes leaves what a plain list would hold", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(...steps), { maxLength: 30 }), (sequence) => {
      const buffer = new LogBuffer({ rowsMax: 64 });
      const model = new Model();
      const ids = { low: 1_000_000, high: 1_000_000 };
      for (const step of sequence) step(buffer, model, ids);
    }),
    { numRuns: 300 },
  );
});

test("the oldest leave when the bytes are full, and are counted", () => {
  const buffer = new LogBuffer({ bytesMax: 200_000 });
  for (let index = 0; index < 200; index++) buffer.append(entries(index * 100, 100));
  assert.ok(buffer.bytes <= 200_000 + 1024 * 400, `${buffer.bytes} bytes`);
  assert.equal(buffer.entries + buffer.dropped, 20_000);
  assert.ok(buffer.dropped > 0);
  assert.deepEqual(buffer.at(buffer.end - 1), entryRow(19_999));
});

test("while it holds nothing leaves, and it says when there is no more room; afterwards the oldest leave", () => {
  const buffer = new LogBuffer({ rowsMax: 100, waitingRowsMax: 50 });
  buffer.append(entries(0, 100));
  const before = buffer.length;
  buffer.hold(true);
  assert.equal(buffer.overfull, false);
  buffer.append(entries(100, 149 - before));
  assert.equal(buffer.overfull, false);
  buffer.append(entries(249 - before, 1));
  assert.equal(buffer.overfull, true);
  assert.equal(buffer.length, 150);
  buffer.hold(false);
  assert.ok(buffer.length <= 100);
  assert.equal(buffer.dropped + buffer.length, 150);
});

test("after clear, no position and no key means a row that was there before", () => {
  const buffer = new LogBuffer();
  buffer.prepend(entries(0, 10));
  buffer.append(entries(10, 2000));
  const keys = new Set(Array.from({ length: buffer.length }, (_, n) => buffer.keyAt(buffer.first + n)));
  const { end } = buffer;
  buffer.clear();
  assert.equal(buffer.length, 0);
  buffer.append(entries(0, 2000));
  buffer.prepend(entries(3000, 2000));
  assert.equal(buffer.at(end)?.kind, "entry");
  for (let position = buffer.first; position < buffer.end; position++) {
    assert.ok(!keys.has(buffer.keyAt(position)));
  }
});

test("a large row makes a pack of its own size, not a thousand of them", () => {
  const buffer = new LogBuffer({ bytesMax: 8 * 1024 * 1024 });
  const message = "x".repeat(1024 * 1024);
  for (let index = 0; index < 30; index++) buffer.append([entryRow(index, { message })]);
  assert.ok(buffer.length >= 6 && buffer.length <= 8, `${buffer.length} rows`);
  buffer.prepend(Array.from({ length: 3 }, (_, index) => entryRow(100 + index, { message })));
  assert.deepEqual(buffer.at(buffer.first), entryRow(100, { message }));
});
