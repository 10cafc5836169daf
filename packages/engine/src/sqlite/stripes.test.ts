/** Every entry has one place, like ones lie side by side, and stripes are of about equal length. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../contract/engine-under-test.ts";
import { arrange, cutStripes, runsIn, stripeAt, stripesMax } from "./stripes.ts";

function randomLikeness(random: Random, count: number, services: number) {
  return {
    severities: Uint8Array.from({ length: count }, () => random.of([0, 9, 9, 9, 13, 17, 255])),
    origins: {
      names: Array.from({ length: services }, (_, index) => `s${index}`),
      indexes: Uint16Array.from({ length: count }, () => random.below(services)),
    },
  };
}

test("places are by severity, then service while they are few, then index", () => {
  const random = new Random(1);
  for (const services of [1, 2, 30, 256, 257]) {
    for (const count of [1, 2, 500]) {
      const likeness = randomLikeness(random, count, services);
      const { severities, origins } = likeness;
      const { indexes, places } = arrange(likeness, Uint32Array.of(count));
      const groupOf = (index: number) =>
        (severities[index] ?? 0) * 1000 + (services <= 256 ? (origins.indexes[index] ?? 0) : 0);
      const expected = Array.from({ length: count }, (_, index) => index).sort(
        (a, b) => groupOf(a) - groupOf(b) || a - b,
      );
      assert.deepEqual([...indexes], expected);
      assert.deepEqual(
        [...places],
        [...places.keys()].map((index) => indexes.indexOf(index)),
      );
    }
  }
});

test("runs have each entry of a range once, by rising index, where its text is", () => {
  const random = new Random(2);
  for (let round = 0; round < 200; round++) {
    const count = 1 + random.below(200);
    const lengths = Uint32Array.from({ length: count }, () => random.below(50));
    const stripeEnds = cutStripes(lengths, random.of([1, 100, 1e6]));
    const arrangement = arrange(randomLikeness(random, count, 1 + random.below(5)), stripeEnds);
    const from = random.below(count);
    const to = from + random.below(count - from + 1);
    const seen: number[] = [];
    for (const run of runsIn(arrangement, from, to)) {
      assert.equal(run.indexes.length, run.to - run.from);
      for (const [step, index] of run.indexes.entries()) {
        if (step > 0) assert.ok(index > (run.indexes[step - 1] ?? 0));
        const place = arrangement.places[index] ?? 0;
        assert.equal(stripeAt(arrangement, place), run.stripe);
        const start = run.stripe === 0 ? 0 : (stripeEnds[run.stripe - 1] ?? 0);
        assert.equal(place - start, run.from + step);
        seen.push(index);
      }
    }
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      Array.from({ length: to - from }, (_, step) => from + step),
    );
  }
});

test("stripes are never empty, no more than 32, and about as long as is wanted", () => {
  for (const [lengths, wanted, stripes] of [
    [[0], 10, [1]],
    [[0, 0, 0], 10, [3]],
    [[5, 5, 5, 5], 10, [2, 4]],
    [[5, 5, 5, 5], 7, [2, 3, 4]],
    [[100, 1, 1, 1], 10, [1, 4]],
    [[1, 1, 1, 100], 10, [4]],
    [[10, 10, 0, 0], 10, [1, 4]],
  ] as const) {
    assert.deepEqual([...cutStripes(Uint32Array.from(lengths), wanted)], stripes, `${lengths}`);
  }
  const even = cutStripes(new Uint32Array(10_000).fill(7), 1);
  assert.equal(even.length, stripesMax);
  for (const [stripe, end] of even.entries()) {
    const count = end - (stripe === 0 ? 0 : (even[stripe - 1] ?? 0));
    assert.ok(count >= 312 && count <= 313, `${count}`);
  }
});
