/** A word that was added is found, and few others are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Random } from "../contract/engine-under-test.ts";
import {
  hashWord,
  hashWords,
  openWords,
  partHas,
  sealWords,
  stripesIn,
  WordFilterBuilder,
  wordPartOf,
} from "./word-filter.ts";

function hashesOf(text: string | Uint8Array): number[] {
  const bytes = Buffer.from(text);
  const hashes = new Int32Array(((bytes.length + 1) >>> 1) + 1);
  return [...hashes.subarray(0, hashWords(bytes, 0, bytes.length, hashes, 0))];
}

function has(filter: readonly Uint8Array[], word: string, stripe = 0): boolean {
  const hash = hashWord(word);
  return partHas(filter[wordPartOf(hash, filter.length)] ?? new Uint8Array(), hash, stripe);
}

test("the words of a text are its runs of ASCII letters, digits and underscores, in lower case", () => {
  for (const [text, ...words] of [
    ["", []],
    [" -- ", []],
    ["One_2 three", "one_2", "three"],
    ["(GET /a/B?c=d)", "get", "a", "b", "c", "d"],
    ["größe", "gr", "e"],
    ["ſtart paſſ xſ", "start", "pass", "xs"],
    ["300K Kelvin", "300k", "kelvin"],
    ["Łódź ē ℃ x", "d", "x"],
  ]) {
    assert.deepEqual(
      hashesOf(String(text)),
      words.flat().map((word) => hashWord(String(word))),
      String(text),
    );
  }
});

test("a word ends where its text does, and half a character at the end is none", () => {
  const bytes = Buffer.from("abcdſ");
  const hashes = new Int32Array(4);
  assert.equal(hashWords(bytes, 1, 3, hashes, 2), 3);
  assert.equal(hashes[2], hashWord("bc"));
  assert.equal(hashWords(bytes, 3, 5, hashes, 0), 1);
  assert.equal(hashes[0], hashWord("d"));
  assert.deepEqual(hashesOf(Uint8Array.of(0xe2, 0x84)), []);
});

test("every word that was added is found, however many they are, and the builder begins anew", () => {
  const builder = new WordFilterBuilder();
  for (const count of [1, 3, 50_000, 10]) {
    const words = Array.from({ length: count }, (_, index) => `w${count}_${index}`);
    const text = Buffer.from(words.join(" "));
    builder.add(text, 0, text.length);
    builder.add(text, 0, text.length);
    assert.equal(builder.count, count);
    builder.endStripe();
    const filter = builder.build();
    for (const word of words) assert.ok(has(filter, word), word);
    assert.ok(filter.every((part) => part.length <= 1984 && part.length === filter[0]?.length));
  }
  assert.equal(builder.count, 0);
});

test("a word that is not there is found once in three hundred times, and takes twelve bits", () => {
  const random = new Random(1);
  const wordsOf = () => Array.from({ length: 20_000 }, () => random.below(2 ** 32).toString(36));
  const builder = new WordFilterBuilder();
  const text = Buffer.from(wordsOf().join(" "));
  builder.add(text, 0, text.length);
  builder.endStripe();
  const filter = builder.build();
  const found = wordsOf().filter((word) => has(filter, word)).length;
  assert.ok(found > 0 && found < 130, `${found} of 20 000`);
  assert.equal(filter.reduce((sum, { length }) => sum + length, 0) / 30_000 < 1.01, true);
});

test("a word is found in the stripes that have it, all in one part, and rarely in others", () => {
  const builder = new WordFilterBuilder();
  const wordsOf = (stripe: number) => Array.from({ length: 3_000 }, (_, index) => `s${stripe}_${index}`);
  for (let stripe = 0; stripe < 32; stripe++) {
    const words = ["common", ...wordsOf(stripe), ...wordsOf(stripe ^ 1)];
    const text = Buffer.from(words.join(" "));
    builder.add(text, 0, text.length);
    builder.endStripe();
  }
  const filter = builder.build();
  const stripesOf = (word: string, stripes: number) =>
    stripesIn(filter[wordPartOf(hashWord(word), filter.length)] ?? new Uint8Array(), hashWord(word), stripes);
  assert.equal(stripesOf("common", 32), -1, "all 32 bits");
  assert.equal(stripesOf("common", 3), 0b111);
  let others = 0;
  for (let stripe = 0; stripe < 32; stripe += 2) {
    const expected = 0b11 << stripe;
    for (const word of [...wordsOf(stripe), ...wordsOf(stripe + 1)]) {
      const found = stripesOf(word, 32);
      assert.equal(found & expected, expected, word);
      if (found !== expected) others++;
    }
  }
  assert.ok(others < 96_000 * 0.2, `${others} of 96 000 words found where they are not, in 30 stripes each`);
});

test("words of a block that was given up are forgotten", () => {
  const builder = new WordFilterBuilder();
  builder.add(Buffer.from("old"), 0, 3);
  builder.endStripe();
  builder.add(Buffer.from("older"), 0, 5);
  builder.clear();
  builder.add(Buffer.from("timeout"), 0, 7);
  builder.endStripe();
  const filter = builder.build();
  assert.deepEqual([has(filter, "timeout"), has(filter, "old"), has(filter, "older")], [true, false, false]);
});

/** Different words, each with a space, whose hashes times a factor are below 2^26: they want a 64th of all slots. */
function crowdedWords(count: number): string[] {
  const letters = "0123456789abcdefghijklmnopqrstuvwxyz_";
  const words: string[] = [];
  const extend = (word: string, hash: number, more: number): void => {
    for (let index = 0; index < letters.length && words.length < count; index++) {
      const next = Math.imul(hash ^ letters.charCodeAt(index), 0x01000193);
      if (more > 1) extend(word + letters[index], next, more - 1);
      else if (Math.imul(next, 0x9e3779b9) >>> 26 === 0) words.push(`${word}${letters[index]} `);
    }
  };
  extend("", 0, 5);
  return words;
}

test("words that were made to crowd the builder's slots take no longer than others", {
  timeout: 10_000,
}, async () => {
  // With a factor that all know, each is compared with half of those before it: for half a minute.
  const words = crowdedWords(150_000);
  const builder = new WordFilterBuilder();
  for (let from = 0; from < words.length; from += 1000) {
    const text = Buffer.from(words.slice(from, from + 1000).join(""));
    builder.add(text, 0, text.length);
    // So that the timeout has its chance.
    await setImmediate();
  }
  assert.ok(builder.count > 149_000, `${builder.count}: but for some that have one hash`);
});

test("a damaged part, and one of another place, is noticed", () => {
  const place = { block: 7, part: 1 };
  const sealed = sealWords(Uint8Array.of(1, 2, 3), place);
  assert.deepEqual([...(openWords(sealed, place) ?? [])], [1, 2, 3]);
  assert.equal(openWords(sealed, { block: 8, part: 1 }), undefined);
  assert.equal(openWords(sealed, { block: 7, part: 0 }), undefined);
  assert.equal(
    openWords(
      sealed.map((byte, at) => (at === 1 ? byte ^ 4 : byte)),
      place,
    ),
    undefined,
  );
  assert.equal(openWords(new Uint8Array(3), place), undefined);
});
