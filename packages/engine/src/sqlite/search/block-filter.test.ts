/** A filter over columns lets pass what its predicate lets pass, in fresh blocks and in packed ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileFilter, type FieldMatch, type FilterNode } from "@logsvc/filter";
import type { LogEntry } from "@logsvc/proto";
import { entryOf, epoch, Random } from "../../contract/engine-under-test.ts";
import type { BlockColumns } from "../block-columns.ts";
import { type BlockHead, encodeBlock } from "../block-format.ts";
import { packBlocks } from "../packed-block.ts";
import { everyStripe } from "../stripes.ts";
import { columnsOf, imageOf } from "../testing/block-images.ts";
import { openWords, stripesIn, wordPartOf } from "../word-filter.ts";
import { BlockFilter } from "./block-filter.ts";
import { compileSkipping } from "./block-skipping.ts";
import { Zone, zoneEntriesMax } from "./zone.ts";

const words = [
  "timeout",
  "Timeout",
  "time",
  "TIMED_out",
  "\u017ftatus",
  "status",
  "\u212aelvin",
  "kelvin",
  "größe",
  "GRÖSSE",
  "50",
  "500ms",
  "10.0.0.1",
  "🪵",
  "a",
] as const;
const separators = [" ", " ", "", "=", "/", "\n", "\0", "…"] as const;
const levels = ["INFO", "WARN", "ERROR", "custom", "", "\u017fevere", "audit"] as const;
const services = ["", "api", "Api", "web", "größe"] as const;
const keys = ["status", "user", "größe", "constructor", ""] as const;
const fields = ["message", "message", "message", "level", "service", "trace_id", "span_id", ...keys] as const;
const patterns = [
  "time",
  "(?i)TIMEOUT",
  "^$",
  "5\\d",
  "out$",
  "\\bstatus\\b",
  "[a-z]+=\\S*",
  "(time|kelvin)\\s",
  "(?i)k",
  "\\x{1fab5}",
] as const;

function randomText(random: Random, lengthMax = 6): string {
  let text = "";
  for (let length = random.below(lengthMax); length > 0; length--)
    text += random.of(words) + random.of(separators);
  return text;
}

function randomEntry(random: Random): LogEntry {
  const attributes: Record<string, string> = Object.create(null);
  for (let count = random.below(4); count > 0; count--) attributes[random.of(keys)] = randomText(random, 3);
  return entryOf({
    level: random.of(levels),
    message: randomText(random, random.below(50) === 0 ? 2000 : 8),
    timestamp: epoch + BigInt(random.below(1000)),
    service: random.of(services),
    attributes,
    traceId: random.of(["", "0af7651916cd43dd8448eb211c80319c", "timeout"]),
    spanId: random.of(["", "b7ad6b7169203331", "a"]),
    sequence: BigInt(random.below(3)),
  });
}

function randomMatch(random: Random): FieldMatch {
  const text = () => (random.below(3) === 0 ? randomText(random, 3) : random.of([...words, ...levels]));
  switch (random.below(8)) {
    case 0:
      return { kind: "phrase", text: text() };
    case 1:
      return { kind: "prefix", text: text() };
    case 2:
      return { kind: "exact", text: text() };
    case 3:
      return { kind: "in", texts: [text(), text()] };
    case 4:
      return { kind: "present" };
    case 5:
      return { kind: "absent" };
    case 6:
      return {
        kind: "compare",
        operator: random.of([">", ">=", "<", "<="]),
        text: random.of(["50", "1s", "warn"]),
      };
    default:
      return { kind: "regexp", pattern: random.of(patterns) };
  }
}

function randomFilter(random: Random, depth = 3): FilterNode {
  const nodes = () => Array.from({ length: 1 + random.below(3) }, () => randomFilter(random, depth - 1));
  switch (depth === 0 ? 9 : random.below(10)) {
    case 0:
    case 1:
      return { kind: "and", nodes: nodes() };
    case 2:
    case 3:
      return { kind: "or", nodes: nodes() };
    case 4:
      return { kind: "not", node: randomFilter(random, depth - 1) };
    case 5:
      return { kind: "all" };
    default:
      return { kind: "field", field: random.of(fields), match: randomMatch(random) };
  }
}

/** The same entries as a fresh block and as a packed one. */
function bothKinds(entries: readonly LogEntry[], stripeBytes = 1e6) {
  const image = imageOf(entries, 7, epoch);
  const packed = packBlocks([image], { stripeBytes });
  const stripesWithWord = (
    { firstOffset, wordParts, stripes }: Pick<BlockHead, "firstOffset" | "wordParts" | "stripes">,
    hash: number,
  ) => {
    if (wordParts === null) return everyStripe;
    const part = wordPartOf(hash, wordParts);
    const bits = openWords(packed.words[part] ?? new Uint8Array(), { block: firstOffset, part });
    assert.ok(bits);
    return stripesIn(bits, hash, stripes ?? 0);
  };
  return { blocks: [columnsOf(encodeBlock(image)), columnsOf(packed.block)], words: { stripesWithWord } };
}

/** The marks that a filter leaves of some. */
function narrowed(filter: BlockFilter, columns: BlockColumns, from: number, marks: Uint8Array): number[] {
  const zone = new Zone(columns, from, from + marks.length, marks.slice());
  filter.narrow(zone);
  return [...zone.marks];
}

test("what passes is what the predicate lets pass, in any part of a block, whatever is marked", () => {
  const random = new Random(21);
  for (let log = 0; log < 12; log++) {
    const entries = Array.from({ length: 1 + random.below(300) }, () => randomEntry(random));
    const { blocks, words } = bothKinds(entries, random.of([500, 5_000, 1e6]));
    for (let round = 0; round < 60; round++) {
      const node = randomFilter(random);
      const passes = compileFilter(node);
      const filter = new BlockFilter(node, () => undefined);
      const from = random.below(entries.length);
      const to = from + 1 + random.below(entries.length - from);
      const share = random.of([1, 1, 2, 20]);
      const marks = Uint8Array.from({ length: to - from }, () => (random.below(share) === 0 ? 1 : 0));
      const expected = entries.slice(from, to).map((entry, at) => (marks[at] === 1 && passes(entry) ? 1 : 0));
      const stripesOf = compileSkipping(node, words);
      for (const columns of blocks) {
        assert.deepEqual(narrowed(filter, columns, from, marks), expected, JSON.stringify(node));
        // What is skipped has no match.
        const kept = new Zone(columns, from, to, marks.slice());
        kept.keepStripes(stripesOf?.(columns.head) ?? everyStripe);
        for (const [at, passed] of expected.entries())
          if (passed === 1) assert.equal(kept.marks[at], 1, JSON.stringify(node));
      }
    }
  }
});

test("blocks without a needed level, service or word are told apart from their heads", () => {
  const { blocks, words } = bothKinds([entryOf({ message: "connection reset", service: "api" })]);
  const packed = blocks[1];
  assert.ok(packed);
  const mayMatch = (field: string, text: string) =>
    compileSkipping({ kind: "field", field, match: { kind: "phrase", text } }, words)?.(packed.head) !== 0;
  assert.deepEqual(
    ["info", "error"].map((text) => mayMatch("level", text)),
    [true, false],
  );
  assert.deepEqual(
    ["api", "web"].map((text) => mayMatch("service", text)),
    [true, false],
  );
  assert.deepEqual(
    ["reset", "connection reset", "timeout", "reset timeout"].map((text) => mayMatch("message", text)),
    [true, true, false, false],
  );
});

test("only the stripes that have all words of a filter are kept", () => {
  const levels = ["INFO", "WARN", "ERROR"];
  const entries = levels.flatMap((level) =>
    Array.from({ length: 50 }, (_, index) => entryOf({ level, message: `${level} number n${index}` })),
  );
  const { blocks, words } = bothKinds(entries, 1_000);
  const packed = blocks[1];
  assert.ok(packed);
  const kept = (text: string) => {
    const zone = new Zone(packed, 0, 150, new Uint8Array(150).fill(1));
    const test = compileSkipping({ kind: "field", field: "message", match: { kind: "phrase", text } }, words);
    zone.keepStripes(test?.(packed.head) ?? everyStripe);
    return levels.map((_, level) => zone.marks.subarray(level * 50, level * 50 + 50).includes(1));
  };
  assert.deepEqual(kept("number"), [true, true, true]);
  // A stripe may have the last of one level and the first of the next.
  assert.deepEqual([kept("error number")[0], kept("error number")[2]], [false, true]);
  assert.deepEqual([kept("info number")[0], kept("info number")[2]], [true, false]);
});

test("a long search looks again and again whether it is still wanted", () => {
  const entries = Array.from({ length: zoneEntriesMax }, (_, index) =>
    entryOf({ message: `number ${index}` }),
  );
  for (const match of [
    { kind: "regexp", pattern: "[0-9]+$" },
    { kind: "phrase", text: "number" },
  ] as const) {
    const stop = new Error("no longer wanted");
    let looks = 0;
    const filter = new BlockFilter({ kind: "field", field: "user", match }, () => {
      if (++looks === 3) throw stop;
    });
    for (const columns of bothKinds(
      entries.map((entry) => ({ ...entry, attributes: { user: entry.message } })),
    ).blocks) {
      looks = 0;
      const marks = new Uint8Array(entries.length).fill(1);
      assert.throws(
        () => narrowed(filter, columns, 0, marks),
        (error) => error === stop,
      );
    }
  }
});
