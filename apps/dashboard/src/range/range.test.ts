import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isRangeFault, readRangeDraft } from "./range-draft.ts";
import { rangeName, spanOf } from "./range-span.ts";
import { formatPickedTime, formatTypedTime, parseTime, TimeSyntaxError } from "./time-text.ts";
import { instantOfWall } from "./zoned-instant.ts";

const ns = (iso: string, fraction = 0n): bigint => BigInt(Date.parse(iso)) * 1_000_000n + fraction;
const now = ns("2026-11-29T10:20:30Z");
const berlin = { timeZone: "Europe/Berlin", now };
const utc = { timeZone: "UTC", now };

test("RFC 3339 is exact in every zone", () => {
  assert.equal(parseTime("2026-11-29T10:00:00.123456789Z", berlin), ns("2026-11-29T10:00:00Z", 123_456_789n));
  assert.equal(parseTime("2026-11-29T10:00:00+01:00", utc), ns("2026-11-29T09:00:00Z"));
  assert.equal(parseTime("2026-11-29 10:00-0530", utc), ns("2026-11-29T15:30:00Z"));
});

test("a time without an offset is on the zone's clock", () => {
  assert.equal(parseTime("2026-11-29 10:00", berlin), ns("2026-11-29T09:00:00Z"));
  assert.equal(parseTime("2026-07-01T10:00:05.5", berlin), ns("2026-07-01T08:00:05.5Z"));
  assert.equal(parseTime("2026-07-01", berlin), ns("2026-06-30T22:00:00Z"));
  assert.equal(parseTime("10:00", berlin), ns("2026-11-29T09:00:00Z"));
  assert.equal(parseTime("23:30", { timeZone: "Asia/Tokyo", now }), ns("2026-11-29T14:30:00Z"));
});

test("now, so long ago, and Unix times", () => {
  assert.equal(parseTime(" NOW ", berlin), now);
  assert.equal(parseTime("15m", berlin), now - 15n * 60_000_000_000n);
  assert.equal(parseTime("-1h30m", berlin), now - 90n * 60_000_000_000n);
  assert.equal(parseTime("2d ago", berlin), now - 48n * 3_600_000_000_000n);
  assert.equal(parseTime("1764410400", berlin), ns("2025-11-29T10:00:00Z"));
  assert.equal(parseTime("1764410400000000001", berlin), ns("2025-11-29T10:00:00Z", 1n));
});

test("an hour that is skipped, and one that comes twice", () => {
  // In Berlin on 2026-03-29 02:00 is 03:00; on 2026-10-25 03:00 is 02:00 again.
  assert.equal(parseTime("2026-03-29 02:30", berlin), ns("2026-03-29T01:30:00Z"));
  assert.equal(parseTime("2026-10-25 02:30", berlin), ns("2026-10-25T00:30:00Z"));
  assert.equal(parseTime("2026-10-25T02:30:00+01:00", berlin), ns("2026-10-25T01:30:00Z"));
  assert.equal(
    parseTime("2026-03-08 02:30", { timeZone: "America/New_York", now }),
    ns("2026-03-08T07:30:00Z"),
  );
  assert.equal(instantOfWall(Date.UTC(2026, 9, 25, 3), "Europe/Berlin"), Date.parse("2026-10-25T02:00:00Z"));
});

test("what is no time is refused with what was expected and what came", () => {
  for (const text of [
    "",
    "yesterday",
    "2026-13-01",
    "2026-02-30",
    "25:00",
    "2026-11-29 10:61",
    "2026-11-29 x",
    "1970-01-01",
    "2300-01-01",
  ]) {
    assert.throws(
      () => parseTime(text, berlin),
      (error) => {
        assert.ok(error instanceof TimeSyntaxError);
        assert.match(error.message, text === "" ? /got nothing/ : new RegExp(text));
        return true;
      },
      text,
    );
  }
});

test("a time is shown as short as it goes, and reads back as itself", () => {
  assert.equal(formatTypedTime(ns("2026-11-29T09:00:00Z"), "Europe/Berlin"), "2026-11-29 10:00");
  assert.equal(formatTypedTime(ns("2026-11-29T09:00:10Z"), "UTC"), "2026-11-29 09:00:10");
  assert.equal(formatTypedTime(ns("2026-11-29T09:00:10.5Z"), "UTC"), "2026-11-29 09:00:10.5");
  assert.equal(formatTypedTime(ns("2026-10-25T01:30:00Z"), "Europe/Berlin"), "2026-10-25T02:30:00+01:00");
  assert.equal(formatPickedTime(ns("2026-11-29T09:00:10.5Z"), "Europe/Berlin"), "2026-11-29T10:00:10");
  const zones = fc.constantFrom(
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
  );
  const times = fc.bigInt({ min: ns("1980-01-01T00:00:00Z"), max: ns("2100-01-01T00:00:00Z") });
  const coarse = fc
    .tuple(times, fc.constantFrom(1n, 1_000_000n, 1_000_000_000n, 900_000_000_000n))
    .map(([time, step]) => time - (time % step));
  fc.assert(
    fc.property(coarse, zones, (time, timeZone) => {
      assert.equal(parseTime(formatTypedTime(time, timeZone), { timeZone, now }), time);
    }),
    { numRuns: 300 },
  );
});

test("a draft is a range, or names the field at fault", () => {
  assert.deepEqual(readRangeDraft({ from: "1h", to: "" }, utc), {
    kind: "between",
    start: now - 3_600_000_000_000n,
    end: now,
  });
  assert.deepEqual(readRangeDraft({ from: "x", to: "y" }, utc), {
    field: "from",
    message: 'From: expected a time such as 2026-11-29 10:00, 10:00, 15m (ago) or now, got "x"',
  });
  const fault = readRangeDraft({ from: "10:00", to: "09:00" }, utc);
  assert.ok(isRangeFault(fault));
  assert.equal(fault.message, 'To: "09:00" is before From, "10:00"');
  assert.equal(isRangeFault(readRangeDraft({ from: "now", to: "now" }, utc)), true);
});

test("the times of a range, and its name", () => {
  assert.deepEqual(spanOf({ kind: "last", durationMs: 60_000 }, now), {
    start: now - 60_000_000_000n,
    end: now,
  });
  assert.equal(rangeName({ kind: "live" }, "UTC"), "Live");
  assert.equal(rangeName({ kind: "last", durationMs: 3_600_000 }, "UTC"), "Last hour");
  assert.equal(rangeName({ kind: "last", durationMs: 7_200_000 }, "UTC"), "Last 2 hours");
  assert.equal(rangeName({ kind: "last", durationMs: 1500 }, "UTC"), "Last 1500 ms");
  const start = ns("2026-11-29T09:00:00Z");
  assert.equal(
    rangeName({ kind: "between", start, end: start + 60_000_000_000n }, "UTC"),
    "2026-11-29 09:00 – 09:01",
  );
});
