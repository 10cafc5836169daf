import assert from "node:assert/strict";
import { test } from "node:test";
import { createSeededRandom } from "../testing/seeded-random.ts";
import { type Line, readLines } from "./read-lines.ts";

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let step = 0; start < bytes.length; step++) {
    const size = sizes[step % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function linesOf(bytes: Uint8Array, lineBytesMax = 1000, sizes = [7]): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const group of readLines(chunksOf(bytes, sizes), { lineBytesMax })) lines.push(...group);
  return lines;
}

const textsOf = async (text: string | Uint8Array): Promise<string[]> =>
  (await linesOf(Buffer.from(text))).map((line) => line.text);

test("lines end with LF, CRLF or the end", async () => {
  assert.deepEqual(await textsOf("a\nbb\r\n\nccc"), ["a", "bb", "", "ccc"]);
  assert.deepEqual(await textsOf("a\n"), ["a"]);
  assert.deepEqual(await textsOf(""), []);
  assert.deepEqual(await textsOf("a\rb\n"), ["a\rb"]);
});

test("a byte order mark is dropped, NUL is kept, what is not UTF-8 is replaced", async () => {
  assert.deepEqual(await textsOf("\uFEFFa\n\uFEFFb"), ["a", "\uFEFFb"]);
  assert.deepEqual(await textsOf("a\0b\n"), ["a\0b"]);
  assert.deepEqual(await textsOf(Uint8Array.of(0x61, 0xff, 0x62, 0x0a)), ["a\uFFFDb"]);
});

test("an overlong line is cut between characters into numbered parts", async () => {
  const lines = await linesOf(Buffer.from("éééé\nab\n"), 5);
  assert.deepEqual(lines, [
    { text: "éé", part: 1, end: 4 },
    { text: "éé", part: 2, end: 9 },
    { text: "ab", end: 12 },
  ]);
});

test("whatever the bytes and the chunks, no part is over the bound", async () => {
  const random = createSeededRandom(1);
  for (let round = 0; round < 500; round++) {
    const bytes = Uint8Array.from({ length: random.int(0, 200) }, () => random.int(0, 255));
    const bound = random.int(4, 40);
    for (const { text } of await linesOf(bytes, bound, [random.int(1, 20), random.int(1, 20)])) {
      assert.ok(Buffer.byteLength(text) <= bound, `${Buffer.byteLength(text)} bytes of at most ${bound}`);
    }
  }
});

test("whatever the text and the chunks, nothing is lost", async () => {
  const random = createSeededRandom(2);
  for (let round = 0; round < 500; round++) {
    const text = random.text(["a", "é", "漢", "😀", "\n", "\0", " "], 200);
    const lines = await linesOf(Buffer.from(text), random.int(4, 40), [random.int(1, 20), random.int(1, 20)]);
    const joined = lines.map((line, index) =>
      index > 0 && (line.part ?? 1) === 1 ? `\n${line.text}` : line.text,
    );
    assert.equal(joined.join(""), text.replace(/\n$/, ""));
  }
});

test("the beginning of a line outlives its chunk", async () => {
  async function* reusing(): AsyncGenerator<Uint8Array> {
    const memory = Buffer.from("ab");
    yield memory;
    memory.write("c\n");
    yield memory;
  }
  const groups = await Array.fromAsync(readLines(reusing(), { lineBytesMax: 100 }));
  assert.deepEqual(groups.flat(), [{ text: "abc", end: 4 }]);
});

test("whatever the chunks, the lines are the same, also when reading goes on at the end of any of them", async () => {
  const random = createSeededRandom(5);
  const isBlank = ({ text }: Line): boolean => text === "";
  for (let round = 0; round < 500; round++) {
    const bytes = Uint8Array.from({ length: random.int(0, 200) }, () =>
      random.pick([0x0a, 0x0d, 0x61, 0x62, 0xc3, 0xa9, 0xff]),
    );
    const bound = random.int(4, 40);
    const lines = await linesOf(bytes, bound, [1000]);
    assert.deepEqual(await linesOf(bytes, bound, [random.int(1, 9), random.int(1, 60)]), lines);
    for (const { end } of lines) {
      const rest: Line[] = [];
      for await (const group of readLines(chunksOf(bytes.subarray(end), [random.int(1, 50)]), {
        lineBytesMax: bound,
        start: end,
      }))
        rest.push(...group);
      // The number of a part, and the end of a line whose parts are all out, are not known there.
      const expected = lines.filter((line) => line.end > end && !isBlank(line));
      assert.deepEqual(
        rest.filter((line) => !isBlank(line)).map(({ text, end }) => ({ text, end })),
        expected.map(({ text, end }) => ({ text, end })),
      );
    }
  }
});
