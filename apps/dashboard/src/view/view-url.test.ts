import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ViewState } from "./view-state.ts";
import { changedView, defaultView, formatDuration, formatViewUrl, parseViewUrl } from "./view-url.ts";

const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const between = fc
  .tuple(int64, int64)
  .filter(([a, b]) => a !== b)
  .map((ends) => ends.toSorted((a, b) => (a < b ? -1 : 1)))
  .map(([start = 0n, end = 1n]) => ({ kind: "between" as const, start, end }));
const id = fc.string({ minLength: 1, maxLength: 80, unit: "grapheme" });
const states: fc.Arbitrary<ViewState> = fc
  .record(
    {
      page: fc.constantFrom("logs" as const, "stats" as const),
      filter: fc.constantFrom(
        "",
        "level:error",
        'a "b c" -(x OR y)',
        'path:~"^/api?x=1&y=<2>#%+"',
        "größe:>=10KiB",
      ),
      range: fc.oneof(
        fc.constant({ kind: "live" as const }),
        fc
          .integer({ min: 1, max: 10 * 365 * 86_400_000 })
          .map((durationMs) => ({ kind: "last" as const, durationMs })),
        between,
      ),
      columns: fc.uniqueArray(fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }), {
        maxLength: 32,
      }),
      wrap: fc.boolean(),
      timeZone: fc.constantFrom("local", "UTC", "Europe/Berlin", "Etc/GMT+5"),
      selectedId: id,
      aroundId: id,
    },
    { requiredKeys: ["page", "filter", "range", "columns", "wrap", "timeZone"] },
  )
  // The generator's objects have no prototype.
  .map((state) => ({ ...state }));

test("every view is the same again from its URL", () => {
  fc.assert(
    fc.property(states, (view) => {
      assert.deepEqual(parseViewUrl(formatViewUrl(view)), { view, faults: [] });
      const url = new URL(`http://localhost/${formatViewUrl(view)}`);
      assert.deepEqual(parseViewUrl(url.search), { view, faults: [] }, "as a browser escapes it");
    }),
  );
});

test("any text is a view, and never an error", () => {
  const names = fc.constantFrom("q", "range", "columns", "wrap", "tz", "entry", "around", "page", "x");
  const pairs = fc.array(fc.tuple(names, fc.string({ unit: "binary" })));
  const searches = fc.oneof(
    fc.string({ unit: "binary" }),
    pairs.map((params) => `?${params.map(([name, value]) => `${name}=${value}`).join("&")}`),
  );
  fc.assert(
    fc.property(searches, (search) => {
      const { view } = parseViewUrl(search);
      const again = parseViewUrl(formatViewUrl(view));
      assert.deepEqual(again, { view, faults: [] });
    }),
  );
});

test("the default view needs no query, and links can be read", () => {
  assert.equal(formatViewUrl(defaultView), "");
  assert.deepEqual(parseViewUrl(""), { view: defaultView, faults: [] });
  const view: ViewState = {
    ...defaultView,
    filter: "level:error timeout",
    range: { kind: "last", durationMs: 3_600_000 },
    columns: ["service", "status"],
    timeZone: "UTC",
  };
  assert.equal(formatViewUrl(view), "?q=level:error+timeout&range=1h&columns=service,status&tz=UTC");
});

test("what can't be understood is left out, and told", () => {
  const cases: [search: string, fault: RegExp][] = [
    ["?q=(a", /filter in the link, \(a, can't be understood/],
    [`?q=${"a".repeat(9_000)}`, /longer than 8192 bytes/],
    ["?range=soon", /time range in the link, soon,/],
    ["?range=2026-11-22T10:00:00Z..2026-11-22T09:00:00Z", /time range/],
    ["?range=-5m", /time range/],
    ["?tz=Mars/Base", /no time zone Mars\/Base/],
  ];
  for (const [search, fault] of cases) {
    const { view, faults } = parseViewUrl(search);
    assert.deepEqual(view, defaultView, search);
    assert.equal(faults.length, 1, search);
    assert.match(faults[0] ?? "", fault);
  }
});

test("a link's other parts are kept when one is broken", () => {
  const { view } = parseViewUrl("?q=(a&range=15m&columns=a,,b,a&page=nope&entry=");
  assert.deepEqual(view, {
    ...defaultView,
    range: { kind: "last", durationMs: 900_000 },
    columns: ["a", "b"],
  });
});

test("a reader's own choices hold where the URL says nothing", () => {
  const preferences = { wrap: true, timeZone: "UTC" };
  assert.equal(parseViewUrl("", preferences).view.timeZone, "UTC");
  assert.equal(parseViewUrl("", preferences).view.wrap, true);
  assert.equal(parseViewUrl("?tz=local&wrap=0", preferences).view.timeZone, "local");
  assert.equal(parseViewUrl("?tz=local&wrap=0", preferences).view.wrap, false);
});

test("a change takes away what is undefined", () => {
  const view = changedView(defaultView, { selectedId: "a", filter: "x" });
  assert.deepEqual(view, { ...defaultView, filter: "x", selectedId: "a" });
  const back = changedView(view, { selectedId: undefined, filter: undefined });
  assert.deepEqual(back, defaultView);
  assert.equal("selectedId" in back, false);
});

test("durations in their largest whole unit", () => {
  assert.deepEqual([1, 90_000, 3_600_000, 5_400_000, 172_800_000].map(formatDuration), [
    "1ms",
    "90s",
    "1h",
    "90m",
    "2d",
  ]);
});
