import assert from "node:assert/strict";
import { test } from "node:test";
import {
  collectItems,
  collectLabels,
  readDuration,
  readInteger,
  readMoment,
  readSize,
  readTimeout,
  readUrl,
} from "./flag-values.ts";

test("durations", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["200ms", 200],
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1.5d", 129_600_000],
    ["2w", 1_209_600_000],
  ];
  for (const [text, durationMs] of cases) assert.equal(readDuration(text), durationMs, text);
  for (const text of ["", "5", "h", "-1s", "1y", "1h 30m"])
    assert.throws(() => readDuration(text), /Expected a duration/);
  assert.throws(() => readDuration(`${"9".repeat(400)}w`), /Expected a shorter duration/);
  // Node's timers fire at once when they are to wait for longer.
  assert.equal(readTimeout("24d"), 2_073_600_000);
  assert.throws(() => readTimeout("25d"), /at most 24d/);
});

test("sizes", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["1048576", 1_048_576],
    ["500MB", 500_000_000],
    ["10GiB", 10_737_418_240],
    ["1.5 kib", 1536],
  ];
  for (const [text, bytes] of cases) assert.equal(readSize(text), bytes, text);
  for (const text of ["", "-1", "1XB", "9999999TiB"]) assert.throws(() => readSize(text), /Expected a size/);
});

test("whole numbers in their range", () => {
  assert.equal(readInteger(0, 65_535)("50051"), 50_051);
  for (const text of ["65536", "-1", "1.5", "", "0x10"]) {
    assert.throws(() => readInteger(0, 65_535)(text), /from 0 to 65535/);
  }
});

test("moments: ago, a day, a time, a Unix time", () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const hourAgo = readMoment("1h");
  assert.ok(hourAgo >= before - 3_600_000_000_000n && hourAgo <= before);
  // Less would be taken for microseconds.
  assert.equal(readMoment("9999w"), 100_000_000_000_000_000n);
  assert.equal(readMoment("2026-11-22T09:36:40.5Z"), 1795340200500000000n);
  assert.equal(readMoment("1795340200"), 1795340200000000000n);
  assert.equal(readMoment("2026-11-22"), BigInt(new Date(2026, 10, 22).getTime()) * 1_000_000n);
  assert.equal(readMoment("2026-11-22 09:36"), BigInt(new Date(2026, 10, 22, 9, 36).getTime()) * 1_000_000n);
  assert.throws(() => readMoment("yesterday"), /Expected a duration ago/);
});

test("addresses", () => {
  assert.equal(readUrl("https://logs.example.com"), "https://logs.example.com");
  assert.throws(() => readUrl("localhost:50051"), /Expected an address/);
});

test("labels, with commas in values", () => {
  const labels = collectLabels("env=prod,tags=a,b,c,empty=", new Map([["region", "eu"]]));
  assert.deepEqual(
    [...labels],
    [
      ["region", "eu"],
      ["env", "prod"],
      ["tags", "a,b,c"],
      ["empty", ""],
    ],
  );
  assert.throws(() => collectLabels("env", undefined), /key=value/);
  assert.throws(() => collectLabels("level=x", undefined), /"level" can't be a label/);
  assert.throws(() => collectLabels(`${"k".repeat(129)}=v`, undefined), /at most 128 bytes/);
  assert.throws(() => collectLabels(`k=${"v".repeat(20_000)}`, undefined), /bytes of labels/);
});

test("items", () => {
  assert.deepEqual(collectItems("a, b,", ["c"]), ["c", "a", "b"]);
});
