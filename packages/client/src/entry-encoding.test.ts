import assert from "node:assert/strict";
import test from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { EntryEncoder, type LogEntry, LogEntrySchema, limits } from "@logsvc/proto";
import fc from "fast-check";
import { decodeItem, encodeEntries, encodeFrame, encodeItem, itemEnds } from "./entry-encoding.ts";
import { type LogEntryInit, toLogEntry } from "./log-entry-init.ts";

/** What protobuf makes of an entry. */
const expected = (entry: LogEntryInit): Uint8Array => toBinary(LogEntrySchema, toLogEntry(entry));

/** What we make of it, without the frame's header. */
function encode(entry: LogEntryInit): Uint8Array {
  const encoder = new EntryEncoder();
  const length = encodeFrame(encoder, entry);
  const frame = encoder.view();
  assert.deepEqual(
    [...frame.subarray(0, 5)],
    [0, length >>> 24, length >>> 16, length >>> 8, length].map(toByte),
  );
  return frame.slice(5);
}

const toByte = (word: number): number => word & 0xff;

/** Texts of every kind: short and long, ASCII and not, with halves of surrogate pairs. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ minLength: 100, maxLength: 300 }),
  fc.string({ unit: "grapheme", minLength: 100, maxLength: 200 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 50 })
    .map((units) => String.fromCharCode(...units)),
);

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const attributes = fc.dictionary(fc.oneof(text, fc.constant("__proto__")), text, { noNullPrototype: true });

const init: fc.Arbitrary<LogEntryInit> = fc.record(
  {
    message: text,
    level: text,
    timestamp: fc.oneof(int64, fc.date({ noInvalidDate: true, max: new Date("2262-01-01") })),
    service: text,
    attributes,
    traceId: text,
    spanId: text,
    sequence: fc.bigInt({ min: 0n, max: BigInt(limits.sequenceMax) }),
  },
  { requiredKeys: ["message"] },
);

const message: fc.Arbitrary<LogEntry> = fc
  .record({
    message: text,
    level: text,
    timestamp: int64,
    service: text,
    attributes,
    traceId: text,
    spanId: text,
    sequence: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  })
  .map((fields) => create(LogEntrySchema, fields));

test("an entry's bytes are those of protobuf", () => {
  fc.assert(
    fc.property(fc.oneof(init, message), (entry) => {
      assert.deepEqual(encode(entry), Uint8Array.from(expected(entry)));
    }),
    { numRuns: 500 },
  );
});

test("entries side by side are those of protobuf, each where it is said to be", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(init, message), { maxLength: 20 }), (entries) => {
      const { bytes, ends, lengths } = encodeEntries(entries);
      const found = entries.map((_, index) => {
        const end = ends[index] ?? 0;
        return [...bytes.subarray(end - (lengths[index] ?? 0), end)];
      });
      assert.deepEqual(
        found,
        entries.map((entry) => [...expected(entry)]),
      );
    }),
  );
});

/** What JavaScript may hand in: what the types don't allow, and what is out of range. */
const oddities: readonly object[] = [
  { message: 5, level: 30, service: true, traceId: null },
  { message: "a", attributes: { status: 200, gone: undefined, none: null } },
  { message: "a", attributes: null },
  { message: "a", attributes: "ab" },
  { message: "a", level: Symbol("a") },
  { message: "a", sequence: 7 },
  { message: "a", sequence: -1n },
  { message: "a", sequence: 2n ** 53n },
  { message: "a", sequence: "x" },
  { message: "a", timestamp: 2n ** 63n },
  { message: "a", timestamp: new Date(Number.NaN) },
  { message: "a", timestamp: 1_700_000_000 },
  {},
  { ...create(LogEntrySchema, { message: "a" }), timestamp: 2n ** 63n },
  { ...create(LogEntrySchema, { message: "a" }), timestamp: 5 },
  { ...create(LogEntrySchema, { message: "a" }), sequence: -1n },
  {
    ...create(LogEntrySchema, { message: "a" }),
    $unknown: [{ no: 9, wireType: 2, data: Uint8Array.of(1, 65) }],
  },
];

test("what the types don't allow ends as protobuf ends it, and leaves what was written before", () => {
  for (const oddity of oddities) {
    const entry: LogEntryInit = Object.assign({ message: "" }, oddity);
    const [ours, theirs] = [outcome(() => encode(entry)), outcome(() => expected(entry))];
    if (ours instanceof Error && theirs instanceof Error) {
      assert.equal(ours instanceof RangeError, theirs instanceof RangeError, theirs.message);
      assert.ok(ours.message.endsWith(theirs.message), `${ours.message}, expected ${theirs.message}`);
      const encoder = new EntryEncoder();
      encodeFrame(encoder, { message: "before" });
      const before = encoder.view().slice();
      assert.throws(() => encodeFrame(encoder, entry));
      assert.deepEqual(encoder.view(), before);
    } else {
      assert.deepEqual(ours, theirs);
    }
  }
});

function outcome(encodeOne: () => Uint8Array): Error | readonly number[] {
  try {
    return [...encodeOne()];
  } catch (reason) {
    assert.ok(reason instanceof Error);
    return reason;
  }
}

test("a time that is none is told with its value", () => {
  const wrong: object = { timestamp: 1_700_000_000 };
  const entry: LogEntryInit = Object.assign({ message: "a" }, wrong);
  assert.throws(() => encode(entry), {
    name: "TypeError",
    message: /Expected a time to be a Date or a bigint of Unix nanoseconds, got 1700000000 \(number\)/,
  });
});

test("a Date that comes again, and one that does not, are each their own time", () => {
  const times = [0, 0, 1, 1_700_000_000_123, 1_700_000_000_123, 5, -1_000, 1_700_000_000_124];
  for (const time of times) {
    const entry = { message: "a", timestamp: new Date(time) };
    const nanoseconds = BigInt(time) * 1_000_000n;
    const wire = time < 100_000_000_000 ? BigInt(Math.floor(time / 1000)) : nanoseconds;
    assert.equal(toLogEntry(entry).timestamp, wire);
  }
});

test("items are the entries of a batch, without sequences; where each ends is found again, and what it is", () => {
  const defaults = { timestamp: 5n, service: "", attributes: undefined };
  fc.assert(
    fc.property(fc.array(fc.oneof(init, message), { maxLength: 8 }), (entries) => {
      const encoder = new EntryEncoder();
      const lengths = entries.map((entry) => encodeItem(encoder, entry, defaults));
      const bytes = encoder.view();
      const wanted = entries.map((entry) => {
        const { timestamp, ...fields } = toLogEntry(entry);
        return { ...fields, sequence: 0n, timestamp: timestamp === 0n ? 5n : timestamp };
      });
      const expectedBytes = encodeEntries(wanted);
      assert.deepEqual(Buffer.from(bytes), Buffer.from(expectedBytes.bytes));
      assert.deepEqual(lengths, [...expectedBytes.lengths]);
      const ends = [...itemEnds(bytes)];
      assert.deepEqual(ends, [...expectedBytes.ends]);
      for (const [index, end] of ends.entries()) {
        const decoded = decodeItem(bytes, ends[index - 1] ?? 0, end);
        assert.deepEqual(
          Buffer.from(toBinary(LogEntrySchema, decoded)),
          Buffer.from(expected(wanted[index] ?? decoded)),
        );
      }
      // Cut anywhere, what is whole is still found.
      const cut = Math.floor(bytes.length / 2);
      assert.deepEqual(
        [...itemEnds(bytes.subarray(0, cut))],
        ends.filter((end) => end <= cut),
      );
    }),
  );
});

test("an item has the defaults where it says nothing itself; what can't be encoded leaves nothing behind", () => {
  const encoder = new EntryEncoder();
  const defaults = { timestamp: 5n, service: "api", attributes: { host: "a", env: "prod" } };
  encodeItem(encoder, { message: "m", attributes: { host: "b" } }, defaults);
  encodeItem(encoder, { message: "n", service: "db", timestamp: 7n }, defaults);
  const { length } = encoder;
  assert.throws(() => encodeItem(encoder, { message: "m", timestamp: 2n ** 70n }, defaults), RangeError);
  // @ts-expect-error JavaScript may hand in anything.
  assert.throws(() => encodeItem(encoder, { message: "m", timestamp: 7 }, defaults), TypeError);
  assert.equal(encoder.length, length);
  const [first = 0, second = 0] = itemEnds(encoder.view());
  const one = decodeItem(encoder.view(), 0, first);
  const two = decodeItem(encoder.view(), first, second);
  assert.deepEqual([one.service, one.attributes, one.timestamp], ["api", { host: "b", env: "prod" }, 5n]);
  assert.deepEqual([two.service, two.attributes, two.timestamp], ["db", defaults.attributes, 7n]);
});
