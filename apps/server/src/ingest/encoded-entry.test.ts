/**
 * Entries from bytes and entries from objects: whatever comes, both ways say
 * the same of it and store the same.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type EntryBatch, EntryBatchBuilder } from "@logsvc/engine";
import { LogEntrySchema, limits } from "@logsvc/proto";
import fc from "fast-check";
import { RequestError } from "../request-error.ts";
import { ArrivalClock } from "./arrival-clock.ts";
import { EncodedEntry } from "./encoded-entry.ts";
import { EntryRules, Intake } from "./intake.ts";
import { normalizeEntry } from "./validate-entry.ts";

type Fields = MessageInitShape<typeof LogEntrySchema>;

const now = (): number => 1_764_000_000_123;

/** What becomes of an entry. */
type Outcome = { readonly refused: string } | { readonly stored: EntryBatch };

/** With objects: the definition. */
function byObject(bytes: Uint8Array, sequence: number): Outcome {
  const clock = new ArrivalClock(now);
  let entry: ReturnType<typeof create<typeof LogEntrySchema>>;
  try {
    entry = fromBinary(LogEntrySchema, bytes, { readUnknownFields: false });
  } catch (error) {
    return { refused: `parse binary: ${error instanceof Error ? error.message : error}` };
  }
  if (sequence !== 0) entry.sequence = BigInt(sequence);
  const reason = normalizeEntry(entry, () => clock.tick().toBigInt());
  if (reason !== undefined) return { refused: reason };
  const builder = new EntryBatchBuilder("producer");
  builder.add(entry, Number(entry.sequence));
  return { stored: builder.build() };
}

/** From the bytes, in a larger buffer; undefined: it is left to the other way. */
function byBytes(bytes: Uint8Array, sequence: number): Outcome | undefined {
  const encoded = new EncodedEntry(new ArrivalClock(now));
  // What lies around an entry is another one: it must not be looked at.
  const around = Buffer.concat([usual, bytes, usual]);
  if (!encoded.read(around, usual.length, usual.length + bytes.length)) return undefined;
  const builder = new EntryBatchBuilder("producer", 1);
  encoded.writeTo(builder, sequence === 0 ? encoded.sequence : sequence);
  return { stored: builder.build() };
}

const encode = (fields: Fields): Uint8Array => toBinary(LogEntrySchema, create(LogEntrySchema, fields));

const usual = encode({ level: "info", message: "neighbour", timestamp: 1_764_000_000n, sequence: 5n });

function assertSame(bytes: Uint8Array, sequence = 0): "fast" | "slow" {
  const fast = byBytes(bytes, sequence);
  if (fast === undefined) return "slow";
  assert.deepEqual(fast, byObject(bytes, sequence), Buffer.from(bytes).toString("hex"));
  return "fast";
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "binary-ascii", maxLength: 200 }),
  fc.string({ unit: "binary", minLength: 500, maxLength: 700 }),
);
const hex = (digits: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(..."0123456789abcdefABCDEF"),
    minLength: digits,
    maxLength: digits,
  });
const optional = <T>(value: fc.Arbitrary<T>, absent: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant(absent) });
const time = fc.oneof(
  ...[
    0n,
    1n,
    9_223_372_036n,
    10n ** 11n,
    9_223_372_036_854n,
    10n ** 14n,
    2n ** 53n,
    10n ** 17n,
    2n ** 63n - 1n,
  ].map((near) => fc.bigInt(near - 3n, near + 3n)),
  fc.bigInt(1_000_000_000n, 2_000_000_000n),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
);

const entries: fc.Arbitrary<Fields> = fc.record({
  level: fc.oneof(
    fc.constantFrom(
      "",
      "info",
      "INFO",
      "Warning",
      "err",
      "crit",
      " debug ",
      "60",
      "\uFEFFinfo",
      "lévèl",
      "audit",
    ),
    fc.string({ unit: "binary", maxLength: 70 }),
  ),
  message: optional(text, ""),
  timestamp: time.filter((value) => value >= -(2n ** 63n) && value < 2n ** 63n),
  service: optional(fc.string({ unit: "grapheme", maxLength: 90 }), ""),
  attributes: fc.dictionary(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.constantFrom(
        "",
        "7",
        "07",
        "-1",
        "level",
        "trace_id",
        "sequence",
        "__proto__",
        "host",
        "k".repeat(129),
      ),
    ),
    text,
    { maxKeys: 6 },
  ),
  traceId: optional(fc.oneof(hex(32), fc.constant("xyz")), ""),
  spanId: optional(hex(16), ""),
  sequence: optional(
    fc.oneof(fc.bigInt(1n, 2n ** 64n - 1n), fc.bigInt(1n, 300n), fc.constantFrom(2n ** 53n - 1n, 2n ** 53n)),
    0n,
  ),
});

test("entries become the same from bytes as from objects", () => {
  const ways = { fast: 0, slow: 0 };
  fc.assert(
    fc.property(entries, fc.constantFrom(0, 1, 2 ** 32, 2 ** 53 - 1), (fields, sequence) => {
      ways[assertSame(encode(fields), sequence)] += 1;
    }),
    { numRuns: 2_000 },
  );
  assert(ways.fast > 50, `${ways.fast} entries were taken from bytes`);
});

/** One change to some bytes: another byte, one more, a piece less. */
const changes = fc.array(
  fc.record({
    kind: fc.constantFrom("flip", "cut", "insert", "double"),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    byte: fc.integer({ min: 0, max: 255 }),
    length: fc.integer({ min: 1, max: 12 }),
  }),
  { minLength: 1, maxLength: 3 },
);

test("bytes that were changed on their way are not taken for something else", () => {
  fc.assert(
    fc.property(entries, changes, (fields, list) => {
      let bytes = Buffer.from(encode({ ...fields, message: fields.message || "m" }));
      for (const { kind, at, byte, length } of list) {
        const index = Math.floor(at * bytes.length);
        const [head, tail] = [bytes.subarray(0, index), bytes.subarray(index)];
        if (kind === "flip") bytes = Buffer.concat([head, Buffer.of(byte), tail.subarray(1)]);
        if (kind === "cut") bytes = Buffer.concat([head, tail.subarray(length)]);
        if (kind === "insert") bytes = Buffer.concat([head, Buffer.of(byte), tail]);
        if (kind === "double") bytes = Buffer.concat([head, tail.subarray(0, length), tail]);
      }
      assertSame(bytes);
    }),
    { numRuns: 5_000 },
  );
});

test("whatever the bytes are, they are read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assertSame(bytes);
      assertSame(Buffer.concat([usual, bytes]));
      assertSame(Buffer.concat([bytes, usual]));
    }),
    { numRuns: 2_000 },
  );
});

test("an entry that is cut anywhere is not taken for a shorter one", () => {
  const bytes = encode({
    level: "warn",
    message: "m".repeat(130),
    timestamp: 1_764_000_000n,
    service: "checkout",
    attributes: { status: "500", path: "/é".repeat(70) },
    traceId: "0123456789ABCDEF0123456789abcdef",
    spanId: "0123456789abcdeF",
    sequence: 300n,
  });
  assert.equal(assertSame(bytes), "fast");
  for (let length = 0; length < bytes.length; length++) assertSame(bytes.subarray(0, length));
});

const m: Fields = { message: "m" };
const hex32 = "0123456789abcdef".repeat(2);
const keys = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]));
const raw = (...parts: (number | Uint8Array)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.of(part) : part)));

/** What is usual must not take the slow way unseen. */
const fast: readonly (readonly [string, Uint8Array])[] = [
  ["the original client's three fields", encode({ level: "info", message: "m", timestamp: 1_764_000_000n })],
  ["milliseconds", encode({ ...m, timestamp: 1_764_000_000_123n })],
  ["microseconds", encode({ ...m, timestamp: 1_764_000_000_123_456n })],
  ["nanoseconds", encode({ ...m, timestamp: 1_764_000_000_123_456_789n })],
  ["the last second", encode({ ...m, timestamp: 9_199_999_999n })],
  ["only a message", encode(m)],
  ["a message that is not ASCII", encode({ message: "Größe überschritten €" })],
  ["a long message", encode({ message: "é".repeat(100_000) })],
  ["the greatest message", encode({ message: "m".repeat(limits.entryBytesMax - 100) })],
  ["an unknown level", encode({ ...m, level: "x".repeat(64) })],
  ["the longest service", encode({ ...m, service: "s".repeat(256) })],
  [
    "attributes of every length",
    encode({ ...m, attributes: { a: "", b: "x".repeat(127), c: "y".repeat(20_000) } }),
  ],
  ["as many attributes as allowed", encode({ ...m, attributes: keys(256) })],
  ["the longest key", encode({ ...m, attributes: { ["k".repeat(128)]: "v" } })],
  [
    "ids in upper case",
    encode({ ...m, traceId: hex32.toUpperCase(), spanId: hex32.slice(16), sequence: 1n }),
  ],
  ["ids in mixed case", encode({ ...m, traceId: hex32, spanId: "ABCDEFabcdef0123" })],
  ["the greatest sequence", encode({ ...m, sequence: 2n ** 53n - 1n })],
];

for (const [name, bytes] of fast) {
  test(`from bytes: ${name}`, () => assert.equal(assertSame(bytes), "fast"));
}

/** What is left to the definition. */
const slow: readonly (readonly [string, Uint8Array])[] = [
  ["nothing at all", raw()],
  ["an empty message", raw(0x12, 0)],
  ["a field that is not known", raw(encode(m), 0x48, 1)],
  ["a field twice", raw(encode(m), encode(m))],
  ["fields in another order", raw(0x18, 1, encode(m))],
  ["another wire type", raw(encode(m), 0x1d, 1, 2, 3, 4)],
  ["a length in more bytes than it needs", raw(0x12, 0x81, 0x00, 0x6d)],
  ["a time in more bytes than it needs", raw(encode(m), 0x18, 0x81, 0x00)],
  ["a tag in more bytes than it needs", raw(encode(m), 0x98, 0x00, 1)],
  ["a time before 1970", encode({ ...m, timestamp: -1n })],
  ["a time after 2262", encode({ ...m, timestamp: 9_223_372_037n })],
  ["text that is not UTF-8", raw(0x12, 1, 0xff)],
  ["long text that is not UTF-8", raw(0x12, 0xe8, 0x07, new Uint8Array(1_000).fill(0x80))],
  ["a level that is not UTF-8", raw(0x0a, 1, 0xff, encode(m))],
  ["a key twice", raw(encode({ ...m, attributes: { k: "1" } }), 0x2a, 6, 0x0a, 1, 0x6b, 0x12, 1, 0x32)],
  ["an attribute without a value", raw(encode(m), 0x2a, 3, 0x0a, 1, 0x6b)],
  ["an attribute that is longer than its parts", raw(encode(m), 0x2a, 7, 0x0a, 1, 0x6b, 0x12, 0, 0x18, 0)],
  ["an attribute that ends within its value", raw(encode(m), 0x2a, 5, 0x0a, 1, 0x6b, 0x12, 2, 0x22, 0)],
  ["a key that is a field's name", encode({ ...m, attributes: { trace_id: "v" } })],
  ["keys that objects put in order", encode({ ...m, attributes: { b: "", 7: "" } })],
  ["too many attributes", encode({ ...m, attributes: keys(257) })],
  ["an id that is none", encode({ ...m, traceId: `${hex32.slice(1)}g` })],
  ["a sequence that is no safe number", encode({ ...m, sequence: 2n ** 53n })],
  ["more than an entry may be", encode({ message: "m".repeat(limits.entryBytesMax) })],
];

for (const [name, bytes] of slow) {
  test(`not from bytes: ${name}`, () => assert.equal(byBytes(bytes, 0), undefined));
}

test("entries that are read after another do not see it", () => {
  const sample = fc.sample(entries, 300).map(encode);
  const encoded = new EncodedEntry(new ArrivalClock(now));
  const all = new EntryBatchBuilder("producer");
  const each = sample.flatMap((bytes) => {
    if (!encoded.read(bytes, 0, bytes.length)) return [];
    encoded.writeTo(all, encoded.sequence);
    const alone = new EntryBatchBuilder("producer");
    encoded.writeTo(alone, encoded.sequence);
    return [alone.build()];
  });
  const batch = all.build();
  const hasTime = (timestamp: bigint | undefined): boolean =>
    (timestamp ?? 0n) >> 20n !== (BigInt(now()) * 1_000_000n) >> 20n;
  let start = 0;
  for (const [index, { bytes, timestamps, severities }] of each.entries()) {
    const end = batch.ends[index] ?? 0;
    // Each time of arrival is another one.
    if (hasTime(timestamps[0])) {
      assert.deepEqual(batch.bytes.subarray(start, end), bytes.subarray(0, bytes.length));
      assert.equal(batch.timestamps[index], timestamps[0]);
    }
    assert.equal(batch.severities[index], severities[0]);
    start = end;
  }
  assert.equal(batch.count, each.length);
});

test("an intake takes encoded entries as it takes objects", () => {
  const intake = new Intake("producer", new EntryRules());
  const add = (fields: Fields, sequence?: number): boolean => {
    const bytes = encode(fields);
    return intake.addEncoded(bytes, 0, bytes.length, sequence);
  };
  assert(add({ message: "a", sequence: 7n }));
  assert(!add({ message: "behind", sequence: 7n }), "not taken: its sequence was there");
  assert(!add({ message: "", sequence: 6n }), "not taken, whatever else is wrong with it");
  assert(add({ message: "", sequence: 8n }), "taken, and rejected");
  assert(add({ message: "b" }));
  assert(add({ message: "c", sequence: 1n }, 9), "the batch's number counts");
  assert.throws(
    () => intake.addEncoded(Buffer.from("garbage"), 0, 7),
    (error) => {
      assert(error instanceof RequestError);
      assert.match(error.message, /^parse binary: /);
      return error.code === "invalid";
    },
  );
  const { count, rejections, sequences } = intake.runAnswers({
    duplicates: 0,
    firstId: "",
    lastId: "",
    idAt: () => "",
    writeIdAt: (_index, _into, at) => at,
    isDuplicate: () => false,
  });
  assert.equal(count, 4);
  assert.deepEqual(rejections, [
    { index: 1, reason: "message: must not be empty", retryable: false, sequence: 8n },
  ]);
  assert.deepEqual(sequences, Float64Array.of(7, 8, 0, 9));
  const batch = intake.build();
  assert.deepEqual(batch.sequences, Float64Array.of(7, 0, 9));
});
