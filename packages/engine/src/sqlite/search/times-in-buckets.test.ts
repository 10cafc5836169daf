/** Buckets worked out in numbers are those worked out in bigint. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../contract/engine-under-test.ts";
import { laterOf, timeMax, timeMin } from "../../scan/selection-range.ts";
import { bucketTimes } from "./times-in-buckets.ts";

/** Spans from nanoseconds to the whole range of an int64. */
const spans = [1n, 7n, 1000n, 10n ** 9n, 86_400n * 10n ** 9n, 2n ** 53n, 2n ** 60n, 2n ** 64n] as const;

test("each marked time has its bucket, whatever the span, the interval and what is not marked", () => {
  const random = new Random(31);
  const below = (bound: bigint) => (BigInt(random.below(2 ** 32)) * bound) >> 32n;
  for (let round = 0; round < 400; round++) {
    const span = random.of(spans);
    const interval = 1n + below(random.of(spans) / 2n + 1n);
    const from = random.below(3);
    const origin = timeMin + interval + below(timeMax - timeMin - interval);
    const within = (time: bigint) => time <= timeMax && time < origin + span;
    const timestamps = BigInt64Array.from({ length: 50 }, () => {
      const time = origin + below(span);
      return random.below(4) > 0 && within(time) ? time : timeMin + below(timeMax - timeMin);
    });
    const part = timestamps.subarray(from);
    const marks = Uint8Array.from(part, (time) => (time >= origin && within(time) ? 1 : 0));
    const marked = [...part].filter((_, at) => marks[at] === 1).sort((a, b) => (a < b ? -1 : 1));
    const [least, greatest] = [marked[0] ?? origin, marked.at(-1) ?? origin];
    const start = laterOf(timeMin, least - below(interval));
    const into = new Uint32Array(marks.length);
    // Only buckets whose numbers fit, as in every histogram.
    if ((greatest - start) / interval >= 10_000n) continue;
    bucketTimes({ start, interval, count: 10_000 }, { timestamps, from, least, greatest }, into, marks);
    for (const [at, time] of part.entries()) {
      if (marks[at] === 1)
        assert.equal(into[at], Number((time - start) / interval), `${time} in ${interval}`);
    }
  }
});
