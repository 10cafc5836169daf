import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ViewRange } from "../view/view-state.ts";
import {
  type Buckets,
  bucketSpan,
  planBuckets,
  rangeOfBuckets,
  shiftRange,
  zoomIn,
  zoomOut,
} from "./buckets.ts";
import { type LevelCounts, peakOf, stackLevels, toneOf } from "./level-stack.ts";
import { timeTicks } from "./time-ticks.ts";

const ns = (iso: string): bigint => BigInt(Date.parse(iso)) * 1_000_000n;
const now = ns("2026-11-29T10:20:30Z");
const minute = 60_000_000_000n;
const hour: ViewRange = { kind: "last", durationMs: 3_600_000 };
const day: ViewRange = {
  kind: "between",
  start: ns("2026-11-28T00:00:00Z"),
  end: ns("2026-11-29T00:00:00Z"),
};

test("buckets are round, as many as there is room for, and hold the range", () => {
  assert.deepEqual(planBuckets(hour, now, 900), {
    span: { start: now - 60n * minute, end: now },
    start: ns("2026-11-29T09:20:00Z"),
    interval: minute,
    count: 61,
  });
  assert.equal(planBuckets(day, now, 900).interval, 15n * minute);
  assert.equal(planBuckets(day, now, 900).count, 96);
  assert.equal(planBuckets(day, now, 300).interval, 60n * minute);
  const ranges = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 62n }), fc.bigInt({ min: 1n, max: 2n ** 61n }));
  fc.assert(
    fc.property(ranges, fc.integer({ min: 0, max: 4000 }), ([start, length], width) => {
      const range: ViewRange = { kind: "between", start, end: start + length };
      const buckets = planBuckets(range, now, width);
      assert.equal(buckets.start % buckets.interval, 0n);
      assert.ok(buckets.start <= start && start < buckets.start + buckets.interval);
      const end = buckets.start + BigInt(buckets.count) * buckets.interval;
      assert.ok(end >= range.end && end - buckets.interval < range.end);
      assert.ok(buckets.count >= 1 && buckets.count <= 120, String(buckets.count));
    }),
  );
});

test("following the log, buckets are whole and stay where they are", () => {
  const before = planBuckets({ kind: "live" }, now, 900);
  const after = planBuckets({ kind: "live" }, now + 1_000_000_000n, 900);
  assert.equal(before.interval, after.interval);
  assert.equal(before.span.start, before.start);
  assert.equal((after.start - before.start) % before.interval, 0n);
  assert.ok(before.span.end > now - before.interval && before.span.end >= now);
});

test("dragging chooses whole buckets, and nothing outside the range", () => {
  const buckets = planBuckets(day, now, 900);
  assert.deepEqual(rangeOfBuckets(buckets, 4.2, 7.5), {
    kind: "between",
    start: ns("2026-11-28T01:00:00Z"),
    end: ns("2026-11-28T02:00:00Z"),
  });
  assert.deepEqual(rangeOfBuckets(buckets, 7.5, 4.2), rangeOfBuckets(buckets, 4.2, 7.5));
  assert.deepEqual(rangeOfBuckets(buckets, -3, 500), day);
  const crooked: ViewRange = {
    kind: "between",
    start: ns("2026-11-28T00:00:01Z"),
    end: ns("2026-11-28T23:59:59Z"),
  };
  assert.deepEqual(rangeOfBuckets(planBuckets(crooked, now, 900), 0, 200), crooked);
  assert.deepEqual(bucketSpan(buckets, 1), {
    start: ns("2026-11-28T00:15:00Z"),
    end: ns("2026-11-28T00:30:00Z"),
  });
});

test("zooming in and out, earlier and later", () => {
  assert.deepEqual(zoomIn(day, now), {
    kind: "between",
    start: ns("2026-11-28T06:00:00Z"),
    end: ns("2026-11-28T18:00:00Z"),
  });
  assert.deepEqual(zoomOut(hour, now), { kind: "last", durationMs: 7_200_000 });
  assert.deepEqual(zoomOut({ kind: "live" }, now), { kind: "last", durationMs: 1_800_000 });
  const early: ViewRange = {
    kind: "between",
    start: ns("2026-11-01T10:00:00Z"),
    end: ns("2026-11-01T12:00:00Z"),
  };
  assert.deepEqual(zoomOut(early, now), {
    kind: "between",
    start: ns("2026-11-01T09:00:00Z"),
    end: ns("2026-11-01T13:00:00Z"),
  });
  // Only ten hours are left until now on the right.
  const wide = zoomOut(day, now);
  assert.deepEqual(wide, { kind: "between", start: now - 48n * 60n * minute, end: now });
  assert.deepEqual(shiftRange(day, now, -1), {
    kind: "between",
    start: ns("2026-11-27T12:00:00Z"),
    end: ns("2026-11-28T12:00:00Z"),
  });
  assert.deepEqual(shiftRange(hour, now, 1), hour);
});

test("every zoom is a range that can be asked", () => {
  const ranges = fc.tuple(
    fc.bigInt({ min: 0n, max: 2n ** 63n - 2n }),
    fc.bigInt({ min: 1n, max: 2n ** 62n }),
  );
  fc.assert(
    fc.property(
      ranges,
      fc.double({ min: -10, max: 200, noNaN: true }),
      fc.double({ min: -10, max: 200, noNaN: true }),
      ([start, length], a, b) => {
        const end = start + length < 2n ** 63n ? start + length : 2n ** 63n - 1n;
        const range: ViewRange = { kind: "between", start, end };
        const results = [
          rangeOfBuckets(planBuckets(range, now, 900), a, b),
          zoomIn(range, now),
          zoomOut(range, now),
          shiftRange(range, now, -1),
          shiftRange(range, now, 1),
        ];
        for (const result of results) {
          assert.equal(result.kind, "between");
          if (result.kind === "between")
            assert.ok(result.start < result.end && result.end < 2n ** 63n && result.start >= 0n);
        }
      },
    ),
  );
});

const buckets: Buckets = {
  span: { start: 0n, end: 40n * minute },
  start: 0n,
  interval: 10n * minute,
  count: 4,
};
const answer: LevelCounts = {
  start: 10n * minute,
  interval: 10n * minute,
  total: 12n,
  series: [
    { value: "ERROR", counts: [1n, 0n], total: 1n, other: false },
    { value: "INFO", counts: [5n, 2n], total: 7n, other: false },
    { value: "AUDIT", counts: [1n, 1n], total: 2n, other: false },
    { value: "", counts: [0n, 2n], total: 2n, other: true },
  ],
};

test("levels stand on each other, the gravest at the bottom", () => {
  const { bars, totals, total } = stackLevels(answer, buckets);
  assert.equal(total, 12);
  assert.deepEqual(totals, [0, 7, 5, 0]);
  assert.deepEqual(
    bars.map(({ name, tone, tops }) => [name, tone, tops]),
    [
      ["ERROR", "error", [0, 1, 0, 0]],
      ["INFO", "info", [0, 6, 2, 0]],
      ["AUDIT", "unknown", [0, 7, 3, 0]],
      ["other", "unknown", [0, 7, 5, 0]],
    ],
  );
  assert.equal(peakOf(stackLevels(answer, buckets)), 1);
  assert.equal(peakOf(stackLevels({ start: 0n, interval: 0n, total: 0n, series: [] }, buckets)), undefined);
  assert.equal(toneOf("warning"), "warn");
  assert.equal(toneOf("FATAL"), "fatal");
  assert.equal(toneOf(""), "unknown");
});

test("ticks are on round times of the zone's clock", () => {
  const start = Date.parse("2026-11-29T09:07:00Z");
  assert.deepEqual(
    timeTicks(start, start + 3_600_000, "Asia/Kolkata", 5).map(({ label, day: text }) => [label, text]),
    [
      ["14:45", "2026-11-29"],
      ["15:00", undefined],
      ["15:15", undefined],
      ["15:30", undefined],
    ],
  );
  assert.deepEqual(
    timeTicks(start, start + 40, "UTC", 4).map(({ label }) => label),
    ["09:07:00.000", "09:07:00.010", "09:07:00.020", "09:07:00.030", "09:07:00.040"],
  );
});

test("ticks through changes of summer time", () => {
  const labels = (from: string, to: string, max: number): string[] =>
    timeTicks(Date.parse(from), Date.parse(to), "Europe/Berlin", max).map(({ label }) => label);
  assert.deepEqual(labels("2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z", 6), [
    "00:00",
    "01:00",
    "03:00",
    "04:00",
    "05:00",
    "06:00",
  ]);
  assert.deepEqual(labels("2026-10-24T22:00:00Z", "2026-10-25T03:00:00Z", 6), [
    "00:00",
    "01:00",
    "02:00",
    "03:00",
    "04:00",
  ]);
  assert.deepEqual(labels("2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", 4), [
    "02:30",
    "02:00",
    "02:30",
    "03:00",
  ]);
  assert.deepEqual(
    timeTicks(Date.parse("2026-10-23T22:00:00Z"), Date.parse("2026-10-26T23:00:00Z"), "Europe/Berlin", 4).map(
      ({ ms }) => new Date(ms).toISOString(),
    ),
    [
      "2026-10-23T22:00:00.000Z",
      "2026-10-24T22:00:00.000Z",
      "2026-10-25T23:00:00.000Z",
      "2026-10-26T23:00:00.000Z",
    ],
  );
});

test("there are never more ticks than asked for, and they rise", () => {
  const zones = fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe");
  fc.assert(
    fc.property(
      fc.integer({ min: 2e11, max: 4e12 }),
      fc.double({ min: 1, max: 12, noNaN: true }),
      zones,
      fc.integer({ min: 2, max: 12 }),
      (start, exponent, zone, max) => {
        const ticks = timeTicks(start, start + Math.ceil(10 ** exponent), zone, max);
        assert.ok(ticks.length <= max + 2, `${ticks.length} > ${max}`);
        assert.ok(ticks.every(({ ms }, index) => index === 0 || ms > (ticks[index - 1]?.ms ?? 0)));
      },
    ),
  );
});
