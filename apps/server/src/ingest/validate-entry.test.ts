/** The rules for one entry, each from both sides. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { LogEntrySchema, limits } from "@logsvc/proto";
import { ArrivalClock } from "./arrival-clock.ts";
import { normalizeEntry } from "./validate-entry.ts";

type Fields = MessageInitShape<typeof LogEntrySchema>;

const arrivalTime = (): bigint => 1_764_000_000_000_000_001n;
const hex32 = "0123456789abcdef0123456789abcdef";
const keys = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, ""]));

const rejected: readonly (readonly [Fields, RegExp])[] = [
  [{ message: "" }, /^message: must not be empty$/],
  [{ message: "m", level: "x".repeat(65) }, /^level: at most 64 bytes, got 65: "x{40}…"$/],
  [{ message: "m", level: "é".repeat(33) }, /^level: at most 64 bytes, got 66/],
  [{ message: "m", service: "s".repeat(257) }, /^service: at most 256 bytes, got 257/],
  [{ message: "m", attributes: { "": "v" } }, /^attributes: keys must not be empty/],
  [{ message: "m", attributes: { trace_id: "v" } }, /^attributes: "trace_id" is a field/],
  [{ message: "m", attributes: { ["k".repeat(129)]: "v" } }, /^attributes: key: at most 128 bytes, got 129/],
  [{ message: "m", attributes: keys(257) }, /^attributes: at most 256, got 257$/],
  [{ message: "m", traceId: "abc" }, /^trace_id: expected 32 hex digits or nothing, got "abc"$/],
  [{ message: "m", traceId: `${hex32.slice(1)}g` }, /^trace_id: expected 32 hex digits/],
  [{ message: "m", spanId: hex32 }, /^span_id: expected 16 hex digits/],
  [{ message: "m", sequence: 2n ** 53n }, /^sequence: at most 9007199254740991, got 9007199254740992$/],
  [{ message: "m", timestamp: -1n }, /^timestamp: must not be before 1970, got -1$/],
  [{ message: "m", timestamp: 9_223_372_037n }, /^timestamp: at most 9223372036854775807 ns/],
  [{ message: "m".repeat(limits.entryBytesMax) }, /^entry: at most 1048576 bytes, got \d+$/],
];

for (const [fields, reason] of rejected) {
  test(`rejected: ${reason.source}`, () => {
    assert.match(normalizeEntry(create(LogEntrySchema, fields), arrivalTime) ?? "accepted", reason);
  });
}

const accepted: readonly (readonly [string, Fields, Fields])[] = [
  ["level: empty is INFO", {}, { level: "INFO" }],
  ["level: a known spelling", { level: "Warning" }, { level: "WARN" }],
  ["level: an unknown one stays", { level: "x".repeat(64) }, { level: "x".repeat(64) }],
  ["timestamp: none is the time of arrival", {}, { timestamp: arrivalTime() }],
  ["timestamp: seconds", { timestamp: 1_764_000_000n }, { timestamp: 1_764_000_000_000_000_000n }],
  ["timestamp: the last", { timestamp: 2n ** 63n - 1n }, { timestamp: 2n ** 63n - 1n }],
  ["ids: upper case is lowered", { traceId: hex32.toUpperCase() }, { traceId: hex32 }],
  ["attributes: as many as allowed", { attributes: keys(256) }, { attributes: keys(256) }],
  ["attributes: the longest key", { attributes: { ["k".repeat(128)]: "v" } }, {}],
  ["sequence: the greatest", { sequence: 2n ** 53n - 1n }, { sequence: 2n ** 53n - 1n }],
  ["message: nearly the whole entry", { message: "m".repeat(limits.entryBytesMax - 40) }, {}],
];

for (const [name, fields, expected] of accepted) {
  test(`accepted: ${name}`, () => {
    const entry = create(LogEntrySchema, { message: "m", ...fields });
    assert.equal(normalizeEntry(entry, arrivalTime), undefined);
    for (const [field, value] of Object.entries(expected)) {
      assert.deepEqual(Object.getOwnPropertyDescriptor(entry, field)?.value, value);
    }
  });
}

test("times of arrival rise, however fast entries come", () => {
  const clock = new ArrivalClock();
  const times = Array.from({ length: 1_000 }, () => clock.tick().toBigInt());
  assert(times.every((time, index) => index === 0 || time > (times[index - 1] ?? 0n)));
  assert(BigInt(Date.now()) * 1_000_000n - (times[0] ?? 0n) < 60_000_000_000n);
});
