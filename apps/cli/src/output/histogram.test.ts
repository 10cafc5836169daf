import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketsToJson, formatHistogram, type Histogram } from "./histogram.ts";

const minute = 60_000_000_000n;

/** Four minutes from 2026-11-22T09:36Z on. */
function histogramOf(series: Readonly<Record<string, readonly number[]>>): Histogram {
  return {
    start: 1795340160n * 1_000_000_000n,
    interval: minute,
    series: Object.entries(series).map(([value, counts]) => ({
      value: value === "other" ? "" : value,
      counts: counts.map(BigInt),
      other: value === "other",
    })),
  };
}

const plain = { groupBy: "level", color: false, utc: true };

const byLevel = histogramOf({ ERROR: [1000, 0, 0, 1], INFO: [1000, 500, 0, 0] });

test("a row a bucket, its bar as long as its count, and a single entry shows", () => {
  assert.equal(
    formatHistogram(byLevel, { ...plain, columns: 56 }),
    [
      "time               total  ERROR   INFO",
      "2026-11-22 09:36Z  2 000  1 000  1 000  ████████████████",
      "2026-11-22 09:37Z    500      ·    500  ████",
      "2026-11-22 09:38Z      0      ·      ·",
      "2026-11-22 09:39Z      1      1      ·  █",
      "",
    ].join("\n"),
  );
});

test("a bar has the colours of its levels, in their proportion", () => {
  const text = formatHistogram(byLevel, { ...plain, color: true, columns: 56 });
  const [title = "", first = ""] = text.split("\n");
  assert.ok(title.includes("\u001b[31mERROR\u001b[39m"));
  assert.ok(
    first.endsWith(`\u001b[31m${"█".repeat(8)}\u001b[39m\u001b[32m${"█".repeat(8)}\u001b[39m`),
    JSON.stringify(first),
  );
});

test("where it is narrow the last series are counted together, and no row is too wide", () => {
  const services = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`service-${index}`, [index, 10, 100, 1000]]),
  );
  const histogram = histogramOf({ ...services, other: [1, 1, 1, 1] });
  for (const columns of [60, 80, 120, 200]) {
    const rows = formatHistogram(histogram, { ...plain, groupBy: "service", columns })
      .trimEnd()
      .split("\n");
    for (const row of rows) assert.ok(row.length <= columns, `${columns}: ${row}`);
    assert.match(rows[0] ?? "", /\(others\)/);
    // Nothing is lost by that: the last bucket's numbers are all there.
    const [total = 0, ...counts] = (rows[4] ?? "").split(/ {2,}/).slice(1, -1).map(digitsOf);
    assert.equal(total, 10_001);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      total,
    );
  }
  const whole = formatHistogram(histogram, { ...plain, groupBy: "service" });
  assert.match(whole, /service-0 .* service-9 {2}\(others\)/);
});

const digitsOf = (text: string): number => Number(text.replaceAll(" ", ""));

test("titles are harmless, short, and say where there is no value", () => {
  const histogram = histogramOf({ "a\u001b[2Jb": [1], "": [1], [`${"x".repeat(50)}`]: [1] });
  const [titles = ""] = formatHistogram(histogram, { ...plain, groupBy: "path" }).split("\n");
  assert.match(titles, /a\\x1b\[2Jb {2}\(none\) {2}x{23}…$/);
});

test("as JSON every bucket is there, and what is in no series apart", () => {
  const histogram = histogramOf({ api: [2, 0], "": [1, 0], other: [3, 0] });
  assert.deepEqual(bucketsToJson(histogram), [
    {
      start: "2026-11-22T09:36:00.000000000Z",
      end: "2026-11-22T09:37:00.000000000Z",
      total: 6,
      counts: { api: 2, "": 1 },
      other: 3,
    },
    {
      start: "2026-11-22T09:37:00.000000000Z",
      end: "2026-11-22T09:38:00.000000000Z",
      total: 0,
      counts: {},
    },
  ]);
});
