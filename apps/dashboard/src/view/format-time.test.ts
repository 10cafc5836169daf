import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatDay,
  formatDayTime,
  formatOffset,
  formatTime,
  isTimeZone,
  timeZoneName,
} from "./format-time.ts";

const ns = (iso: string, rest = 0n): bigint => BigInt(Date.parse(iso)) * 1_000_000n + rest;

test("a time in UTC, with as much of the second as asked for", () => {
  const time = ns("2026-11-22T09:36:40.007Z", 123_456n);
  assert.equal(formatTime(time, "UTC", "s"), "09:36:40");
  assert.equal(formatTime(time, "UTC", "ms"), "09:36:40.007");
  assert.equal(formatTime(time, "UTC", "ns"), "09:36:40.007123456");
  assert.equal(formatDay(time, "UTC"), "2026-11-22");
  assert.equal(formatDayTime(time, "UTC", "ms"), "2026-11-22 09:36:40.007");
});

test("zones: whole hours, quarters of one, and the other side of midnight", () => {
  const time = ns("2026-11-22T23:30:00Z");
  assert.equal(formatDayTime(time, "Europe/Berlin", "s"), "2026-11-23 00:30:00");
  assert.equal(formatDayTime(time, "Asia/Kathmandu", "s"), "2026-11-23 05:15:00");
  assert.equal(formatDayTime(time, "America/New_York", "s"), "2026-11-22 18:30:00");
  assert.equal(formatOffset(time, "Asia/Kathmandu"), "+05:45");
  assert.equal(formatOffset(time, "America/New_York"), "-05:00");
  assert.equal(formatOffset(time, "UTC"), "Z");
});

test("the hour that summer time takes away, and the one that comes twice", () => {
  assert.equal(formatTime(ns("2026-03-29T00:59:59.999Z"), "Europe/Berlin", "ms"), "01:59:59.999");
  assert.equal(formatTime(ns("2026-03-29T01:00:00Z"), "Europe/Berlin", "ms"), "03:00:00.000");
  assert.equal(formatTime(ns("2026-10-25T00:30:00Z"), "Europe/Berlin", "s"), "02:30:00");
  assert.equal(formatTime(ns("2026-10-25T01:30:00Z"), "Europe/Berlin", "s"), "02:30:00");
  assert.equal(formatOffset(ns("2026-10-25T00:30:00Z"), "Europe/Berlin"), "+02:00");
  assert.equal(formatOffset(ns("2026-10-25T01:30:00Z"), "Europe/Berlin"), "+01:00");
});

test("the same as Intl says, at many times in many zones", () => {
  const zones = [
    "UTC",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "Asia/Tehran",
  ];
  for (const timeZone of zones) {
    const intl = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "medium" });
    for (let ms = Date.UTC(2019, 0, 1, 0, 7, 3); ms < Date.UTC(2027, 0, 1); ms += 8_999_777_000) {
      assert.equal(formatDayTime(BigInt(ms) * 1_000_000n, timeZone, "s"), intl.format(ms), timeZone);
    }
  }
});

test("times before 1970 and at the ends of what can be sent", () => {
  assert.equal(formatDayTime(-1n, "UTC", "ns"), "1969-12-31 23:59:59.999999999");
  assert.equal(formatDayTime(2n ** 63n - 1n, "UTC", "ns"), "2262-04-11 23:47:16.854775807");
  assert.equal(formatDayTime(-(2n ** 63n), "UTC", "ns"), "1677-09-21 00:12:43.145224192");
  assert.match(formatDayTime(2n ** 63n - 1n, "Europe/Berlin", "s"), /^2262-04-12/);
});

test("local is the system's zone", () => {
  const time = ns("2026-07-01T12:00:00Z");
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  assert.equal(formatDayTime(time, "local", "ms"), formatDayTime(time, timeZone, "ms"));
  assert.match(timeZoneName("local"), /^Local \(.+\)$/);
  assert.equal(timeZoneName("Asia/Tokyo"), "Asia/Tokyo");
});

test("what is a time zone", () => {
  for (const name of ["local", "UTC", "Europe/Berlin"]) assert.equal(isTimeZone(name), true, name);
  for (const name of ["", "Mars/Base", "local "]) assert.equal(isTimeZone(name), false, name);
});

test("a hundred thousand rows are formatted in a moment", () => {
  const start = ns("2026-11-22T09:00:00Z");
  const before = performance.now();
  for (let row = 0; row < 100_000; row++)
    formatTime(start + BigInt(row) * 30_000_000n, "Europe/Berlin", "ms");
  // About 40 ms; the bound is for a machine that does much else.
  assert.ok(performance.now() - before < 1_000);
});
