/** What a view reads of an entry is what protobuf decodes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type LogEntry, LogEntrySchema } from "@logsvc/proto";
import { Random } from "../contract/engine-under-test.ts";
import { entryBytesAt } from "../entry-bytes.ts";
import { EntryView } from "./entry-view.ts";

const texts = [
  "",
  "INFO",
  "größer, 大きい, 🪵",
  "\ufeffmark",
  "a\nb\0c",
  "x".repeat(127),
  "x".repeat(20_000),
] as const;
const keys = ["status", "constructor", "", "7", "größe"] as const;

function randomEntry(random: Random): LogEntry {
  const attributes = Array.from(
    { length: random.below(5) },
    () => [random.of(keys), random.of(texts)] as const,
  );
  return create(LogEntrySchema, {
    level: random.of(texts),
    message: random.of(texts),
    timestamp: random.of([0n, 1n, -1n, 1_790_000_000_000_000_000n]),
    service: random.of(texts),
    attributes: Object.fromEntries(attributes),
    traceId: random.of(texts),
    spanId: random.of(texts),
    sequence: random.of([0n, 2n ** 53n]),
  });
}

/** A field that no version of ours has, of any wire type. */
function unknownField(random: Random): Uint8Array {
  const writer = new BinaryWriter();
  switch (random.below(4)) {
    case 0:
      return writer
        .tag(100, WireType.Varint)
        .uint64(2n ** 64n - 1n)
        .finish();
    case 1:
      return writer.tag(9, WireType.Bit32).fixed32(1).finish();
    case 2:
      return writer.tag(15, WireType.Bit64).fixed64(1n).finish();
    default:
      return writer.tag(536_870_911, WireType.LengthDelimited).string(random.of(texts)).finish();
  }
}

/** An encoding of an entry such as any client may write: parts of it may come several times, and unknown ones between them. */
function randomEncoding(random: Random): Uint8Array {
  const parts = Array.from({ length: random.below(4) }, () =>
    random.below(3) === 0 ? unknownField(random) : toBinary(LogEntrySchema, randomEntry(random)),
  );
  return Buffer.concat(parts);
}

/** Entries side by side as in a block. */
function pack(encodings: readonly Uint8Array[]): { bytes: Uint8Array; ends: Uint32Array } {
  const parts = encodings.map((encoding) =>
    new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(encoding).finish(),
  );
  let end = 0;
  const ends = Uint32Array.from(parts, ({ length }) => {
    end += length;
    return end;
  });
  return { bytes: Buffer.concat(parts), ends };
}

test("every field is what protobuf decodes, in whatever order and however often it is written", () => {
  const random = new Random(1);
  for (let round = 0; round < 200; round++) {
    const block = pack(Array.from({ length: 1 + random.below(20) }, () => randomEncoding(random)));
    const view = new EntryView(block.bytes);
    for (const [index, end] of block.ends.entries()) {
      const entry = fromBinary(LogEntrySchema, entryBytesAt(block, index));
      view.moveTo(block.ends[index - 1] ?? 0, end);
      for (const field of ["level", "message", "service", "traceId", "spanId"] as const) {
        assert.equal(view[field], entry[field], field);
      }
      assert.deepEqual({ ...view.attributes }, entry.attributes);
      assert.deepEqual({ ...view.attributes }, entry.attributes, "also when asked again");
    }
  }
});

test("services that are kept are those of their entries, in whatever order these are looked at", () => {
  const services = ["a", "", "größe", "a"];
  const encodings = services.map((service) =>
    toBinary(LogEntrySchema, create(LogEntrySchema, { service, message: `of ${service}` })),
  );
  const { bytes, ends } = pack(encodings);
  const view = new EntryView(bytes, true);
  for (const index of [0, 1, 2, 3, 3, 1, 0, 2]) {
    view.moveTo(ends[index - 1] ?? 0, ends[index] ?? 0);
    assert.equal(view.service, services[index]);
    assert.equal(view.message, `of ${services[index]}`);
  }
  // What is kept is not looked for again.
  bytes.fill(0);
  assert.equal(view.moveTo(0, ends[0] ?? 0).service, "a");
});

test("what every object inherits is no attribute", () => {
  const { bytes, ends } = pack([toBinary(LogEntrySchema, create(LogEntrySchema, { message: "a" }))]);
  const view = new EntryView(bytes).moveTo(0, ends[0] ?? 0);
  assert.equal(view.attributes["constructor"], undefined);
});

test("a value that runs over its attribute's end is not read", () => {
  // Attribute a, whose value says that it has 9 bytes, of which one is there; then a trace id.
  const attribute = Uint8Array.of(0x2a, 6, 0x0a, 1, 0x61, 0x12, 9, 0x62);
  const { bytes, ends } = pack([Buffer.concat([attribute, Uint8Array.of(0x32, 3, 0x78, 0x79, 0x7a)])]);
  const view = new EntryView(bytes).moveTo(0, ends[0] ?? 0);
  assert.deepEqual({ ...view.attributes }, { a: "" });
  assert.equal(view.traceId, "xyz");
});
