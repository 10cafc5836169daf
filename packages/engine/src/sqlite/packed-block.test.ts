/** A packed block gives back what was put in, byte for byte, and damage is noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type LogEntry, LogEntrySchema, levelNames, severityOf } from "@logsvc/proto";
import { entryOf, Random } from "../contract/engine-under-test.ts";
import { EngineError } from "../engine-error.ts";
import type { EntryBatch } from "../entry-batch.ts";
import { entryBytesAt } from "../entry-bytes.ts";
import { levelOfSeverity } from "../scan/entry-field.ts";
import type { BlockColumns } from "./block-columns.ts";
import { encodeBlock, type StoredBlock, type StoredPackedColumns } from "./block-format.ts";
import { type BlockImage, blockViews, receivedAtOf } from "./block-image.ts";
import { levelTextOf } from "./entry-parts.ts";
import { type PackedBlock, PackScratch, packBlocks, packedBuffers } from "./packed-block.ts";
import { stripeAt } from "./stripes.ts";
import { columnsOf, imageOf } from "./testing/block-images.ts";
import { hashWord, openWords, stripesIn, wordPartOf } from "./word-filter.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const messages = [
  "",
  "a message",
  "größer, 大きい, 🪵 K",
  "\ufeffmark\0",
  "x".repeat(127),
  "y_1 ".repeat(200),
] as const;
const times = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 1_790_000_000_000_000_000n] as const;

function randomEntry(random: Random): LogEntry {
  const attributes = Array.from({ length: random.below(4) }, (_, index) => [
    `key${index}`,
    random.of(messages),
  ]);
  return create(LogEntrySchema, {
    level: random.of(["INFO", "ERROR", "TRACE", "FATAL", "notice", "", "info"]),
    message: random.of(messages),
    timestamp: 1_790_000_000_000_000_000n + BigInt(random.below(1e9)),
    service: random.of(["", "api", "größe", `s${random.below(400)}`]),
    attributes: Object.fromEntries(attributes),
    traceId: random.of(["", "0af7651916cd43dd8448eb211c80319c"]),
    spanId: random.of(["", "b7ad6b7169203331"]),
    sequence: random.of([0n, 7n, 2n ** 53n]),
  });
}

/** An encoding such as no ingest of ours writes. */
function oddEncoding(random: Random): Uint8Array {
  const usual = toBinary(LogEntrySchema, randomEntry(random));
  const bytes = Uint8Array.of(0x12, 3, 0xff, 0xc5, 0xbf);
  switch (random.below(7)) {
    case 0: // a message that is not UTF-8
      return Buffer.concat([Uint8Array.of(0x0a, 4), Buffer.from("INFO"), bytes]);
    case 1: // fields twice and out of order
      return Buffer.concat([usual, bytes, usual]);
    case 2: // a length that is not in its shortest form
      return Uint8Array.of(0x12, 0x81, 0x00, 0x61);
    case 3: // an empty field
      return Uint8Array.of(0x0a, 0, 0x12, 0, 0x18, 0, 0x22, 0);
    case 4: // a field that no version of ours has
      return new BinaryWriter().raw(usual).tag(100, WireType.Bit32).fixed32(1).finish();
    case 5: // a service before the message
      return Buffer.concat([Uint8Array.of(0x22, 1, 0x61), bytes]);
    default: // no LogEntry at all
      return Uint8Array.of(0x12, 0x7f, 0x61);
  }
}

interface Item {
  readonly encoding: Uint8Array;
  readonly timestamp: bigint;
  readonly severity: number;
}

/** A batch with each entry as it is given. */
function batchOfItems(items: readonly Item[]): EntryBatch {
  const parts = items.map(({ encoding }) =>
    new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(encoding).finish(),
  );
  let end = 0;
  return {
    count: items.length,
    bytes: Buffer.concat(parts),
    ends: Uint32Array.from(parts, ({ length }) => {
      end += length;
      return end;
    }),
    timestamps: BigInt64Array.from(items, ({ timestamp }) => timestamp),
    severities: Uint8Array.from(items, ({ severity }) => severity),
  };
}

function randomItem(random: Random, oddShare: number): Item {
  const isOdd = random.below(100) < oddShare;
  const entry = randomEntry(random);
  return {
    encoding: isOdd ? oddEncoding(random) : toBinary(LogEntrySchema, entry),
    timestamp: isOdd ? random.of(times) : entry.timestamp,
    severity: isOdd ? random.below(26) : severityOf(entry.level),
  };
}

/** Blocks that follow each other, each accepted at a time of its own or at that of the one before. */
function randomImages(random: Random, oddShare: number): BlockImage[] {
  let firstOffset = 1 + random.below(1e9);
  let receivedAt = 1_790_000_000_000_000_000n;
  return Array.from({ length: 1 + random.below(6) }, () => {
    const items = Array.from({ length: 1 + random.below(80) }, () => randomItem(random, oddShare));
    const image = imageOf(batchOfItems(items), firstOffset, receivedAt);
    firstOffset += items.length;
    receivedAt += BigInt(random.below(3));
    return image;
  });
}

/** All that is known of the entries of blocks, one by one. */
function entriesIn(images: readonly BlockImage[]) {
  return images.flatMap((image) => {
    const views = blockViews(image);
    return Array.from({ length: image.count }, (_, index) => ({
      offset: image.firstOffset + index,
      encoding: hex(entryBytesAt(views, index)),
      timestamp: views.timestamps[index],
      severity: views.severities[index],
      receivedAt: image.received === undefined ? image.receivedAt : receivedAtOf(image.received, index),
    }));
  });
}

/** The same as `entriesIn`, from columns. */
function entriesOfColumns(columns: BlockColumns) {
  return Array.from({ length: columns.head.count }, (_, index) => ({
    offset: columns.head.firstOffset + index,
    encoding: hex(columns.entryBytesAt(index)),
    timestamp: columns.timestamps[index],
    severity: columns.severities[index],
    receivedAt: columns.receivedAt(index),
  }));
}

/** What a filter sees of each entry. */
function viewsOf(columns: BlockColumns) {
  return Array.from({ length: columns.head.count }, (_, index) => {
    const { level, message, service, traceId, spanId, attributes } = columns.view(index);
    return { level, message, service, traceId, spanId, attributes: { ...attributes } };
  });
}

/** The stripes that may have a word. */
function stripesWith({ block, words }: PackedBlock, word: string): number {
  const part = wordPartOf(hashWord(word), words.length);
  const bits = openWords(words[part] ?? new Uint8Array(), { block: block.firstOffset, part });
  assert.ok(bits !== undefined, "the part's checksum is right");
  return stripesIn(bits, hashWord(word), block.stripes ?? 0);
}

/** Words as a regular expression has them. */
function wordsIn(text: string): string[] {
  return (text.match(/[\wſK]+/g) ?? []).map((word) =>
    word.replace(/ſ/g, "s").replace(/K/g, "k").toLowerCase(),
  );
}

test("what is packed is unpacked: entries, times, severities, services, words, and when each was accepted", () => {
  const random = new Random(1);
  const scratch = new PackScratch();
  for (let round = 0; round < 60; round++) {
    const images = randomImages(random, round % 3 === 0 ? 0 : random.below(100));
    const packed = packBlocks(images, { scratch, stripeBytes: random.of([200, 1_000, 10_000, 1e6]) });
    const columns = columnsOf(packed.block);
    assert.deepEqual(entriesOfColumns(columns), entriesIn(images));
    assert.deepEqual(entriesIn([columns.imageFrom(0)]), entriesIn(images));
    assert.equal(
      packed.block.rawBytes,
      images.reduce((sum, { rawBytes }) => sum + rawBytes, 0),
    );
    const views = viewsOf(columns);
    const fresh = images.flatMap((image) => viewsOf(columnsOf(encodeBlock(image))));
    assert.deepEqual(views, fresh);
    assert.deepEqual(
      views.map(({ service }) => service),
      Array.from(columns.origins.indexes, (origin) => columns.origins.names[origin]),
    );
    const { arrangement } = columns;
    for (const [index, { level, attributes, ...others }] of views.entries()) {
      const texts = [
        // The name of a known level is not in the filter: the head tells the levels.
        ...(levelNames.some((name) => name === level) ? [] : [level]),
        ...Object.values(attributes),
        ...Object.values(others),
      ];
      const stripe = 1 << stripeAt(arrangement, arrangement.places[index] ?? 0);
      for (const word of new Set(texts.flatMap(wordsIn)))
        assert.notEqual(stripesWith(packed, word) & stripe, 0, word);
    }
  }
});

test("blocks that are packed already are packed again, as if all had been at once", () => {
  const random = new Random(2);
  for (let round = 0; round < 10; round++) {
    const images = [...randomImages(random, 20)];
    const [first = images[0], ...others] = images;
    assert.ok(first !== undefined);
    const once = packBlocks(images, { stripeBytes: 1_000 });
    const twice = packBlocks([columnsOf(packBlocks([first]).block).imageFrom(0), ...others], {
      stripeBytes: 1_000,
    });
    assert.deepEqual(twice, once);
  }
});

test("entries as ingest writes them leave nothing behind in `rest` but their other fields", () => {
  const entries = ["INFO", "ERROR"].map((level) => entryOf({ level, service: "api" }));
  const columns = columnsOf(packBlocks([imageOf(entries, 1, 1n)]).block);
  assert.equal(columns.textOf("rest", 0).bytes.length, 0);
  assert.equal(columns.textOf("message", 0).bytes.toString(), "a messagea message");
  const unknown = entryOf({ level: "notice", attributes: { a: "b" } });
  const { bytes } = columnsOf(packBlocks([imageOf([unknown], 1, 1n)]).block).textOf("rest", 0);
  assert.equal(hex(bytes), `0a06${hex(Buffer.from("notice"))}2a060a0161120162`);
});

test("a reader who is behind gets pieces within its bounds, and an entry that is larger alone", () => {
  const entries = Array.from({ length: 50 }, (_, index) =>
    entryOf({ message: "m".repeat(index === 20 ? 5_000 : 100), service: "api" }),
  );
  const images = [imageOf(entries.slice(0, 30), 1, 5n), imageOf(entries.slice(30), 31, 6n)];
  const columns = columnsOf(packBlocks(images).block);
  const bounds = { bytesMax: 1_500, entriesMax: 8 };
  const pieces: BlockImage[] = [];
  for (let from = 0; from < 50; from += pieces.at(-1)?.count ?? 0)
    pieces.push(columns.imageFrom(from, bounds));
  assert.deepEqual(entriesIn(pieces), entriesIn(images));
  for (const { count, rawBytes } of pieces) assert.ok(count <= 8 && (rawBytes <= 1_500 || count === 1));
  assert.deepEqual(
    pieces.map(({ count }) => count),
    [8, 8, 4, 1, 8, 8, 8, 5],
  );
});

test("times take the bytes of what they differ by, in the largest unit that fits", () => {
  const sizeOf = (step: bigint) => {
    const entries = Array.from({ length: 100 }, (_, index) =>
      entryOf({ timestamp: 1_790_000_000_123_000_000n + step * BigInt((index * 37) % 101) }),
    );
    return packBlocks([imageOf(entries, 1, 1n)]).block.times.length;
  };
  // Differences of up to 100 units, doubled, take a byte each; the head of the column takes two, its frame five.
  for (const step of [1n, 1_000n, 1_000_000n, 1_000_000_000n]) assert.equal(sizeOf(step), 107);
  assert.equal(sizeOf(0n), 7);
});

test("times are what they were, however far apart", () => {
  const random = new Random(5);
  for (const span of [0, 1, 2 ** 8, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 51, 2 ** 52, 2 ** 53, 2 ** 62]) {
    const entries = Array.from({ length: 200 }, () => {
      const distance = Math.floor((random.below(2 ** 32) / 2 ** 32) * span);
      return entryOf({ timestamp: 1_000_000_000_001n + BigInt(distance) });
    });
    const { timestamps } = columnsOf(packBlocks([imageOf(entries, 1, 1n)]).block);
    assert.deepEqual(
      Array.from(timestamps),
      entries.map(({ timestamp }) => timestamp),
      `${span}`,
    );
  }
});

test("services are indexed in one, two and four bytes", () => {
  for (const [services, Indexes] of [
    [1, Uint8Array],
    [256, Uint8Array],
    [257, Uint16Array],
    [65_537, Uint32Array],
  ] as const) {
    const entries = Array.from({ length: services }, (_, index) => entryOf({ service: `s${index}` }));
    const { names, indexes } = columnsOf(packBlocks([imageOf(entries, 1, 1n)]).block).origins;
    assert.ok(indexes instanceof Indexes);
    assert.deepEqual([names.length, names.at(-1)], [services, `s${services - 1}`]);
    assert.deepEqual(Array.from(indexes), Array.from(entries.keys()));
  }
});

test("any changed bit of a packed block, and a column of another row, is corrupt, and the block is named", () => {
  const entries = Array.from({ length: 40 }, (_, index) =>
    entryOf({ message: `entry ${index}`, service: "api" }),
  );
  const images = [imageOf(entries.slice(0, 20), 11, 5n), imageOf(entries.slice(20), 31, 6n)];
  const { block } = packBlocks(images, { stripeBytes: 100 });
  const other = packBlocks([imageOf(entries, 12, 5n)]).block;
  const random = new Random(3);
  const flip = (bytes: Uint8Array) => {
    const copy = Uint8Array.from(bytes);
    const at = random.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  };
  const { packed } = block;
  assert.ok(packed !== null && other.packed !== null);
  const names = Object.keys(packed) as (keyof StoredPackedColumns)[];
  const damaged: StoredBlock[] = [
    ...names.flatMap((name) =>
      Array.from({ length: 10 }, () => ({ ...block, packed: { ...packed, [name]: flip(packed[name]) } })),
    ),
    ...Array.from({ length: 10 }, () => ({ ...block, times: flip(block.times) })),
    { ...block, packed: { ...packed, messages: other.packed.messages } },
    { ...block, packed: { ...packed, rest: new Uint8Array(3) } },
    { ...block, packed: { ...packed, messages: packed.messages.subarray(0, 20) } },
    { ...block, wordParts: 2 },
    { ...block, stripes: (block.stripes ?? 0) + 1 },
    { ...block, count: 39 },
  ];
  for (const [nth, each] of damaged.entries()) {
    assert.throws(
      () => [entriesOfColumns(columnsOf(each)), columnsOf(each).tally()],
      (error) =>
        error instanceof EngineError && error.code === "corrupt" && error.message.startsWith("block 11 "),
      `${nth}`,
    );
  }
});

test("a packed block can be posted: its buffers are its own", () => {
  const packed = packBlocks([imageOf([entryOf(), entryOf({ service: "api" })], 1, 1n)]);
  const before = structuredClone(packed);
  const posted = structuredClone(packed, { transfer: packedBuffers(packed) });
  assert.deepEqual(posted, before);
  assert.equal(packed.words[0]?.length, 0, "it was moved, not copied");
});

test("the format's names of levels are those that ingest writes", () => {
  for (let severity = 0; severity <= 24; severity++)
    assert.equal(levelTextOf(severity), levelOfSeverity(severity));
});

test("an entry decodes to the same message, however it was written", () => {
  const random = new Random(4);
  const entries = Array.from({ length: 50 }, () => randomEntry(random));
  const columns = columnsOf(packBlocks([imageOf(entries, 1, 1n)]).block);
  for (const [index, entry] of entries.entries()) {
    assert.deepEqual(fromBinary(LogEntrySchema, columns.entryBytesAt(index)), entry);
  }
});
