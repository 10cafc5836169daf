import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { entryToJson, formatTimestamp } from "./entry-json.ts";
import { StoredEntrySchema } from "./gen/logsvc/entry_pb.ts";

test("a time is printed with all nine digits, in UTC", () => {
  assert.equal(formatTimestamp(1_763_804_200_123_456_789n), "2025-11-22T09:36:40.123456789Z");
  assert.equal(formatTimestamp(0n), "1970-01-01T00:00:00.000000000Z");
  assert.equal(formatTimestamp(1n), "1970-01-01T00:00:00.000000001Z");
});

test("before 1970 the fraction counts forward too", () => {
  assert.equal(formatTimestamp(-1n), "1969-12-31T23:59:59.999999999Z");
});

test("an entry is flat, and empty fields are left out", () => {
  const stored = create(StoredEntrySchema, {
    id: "x-1",
    receivedAt: 2_000_000_000n,
    entry: { level: "INFO", message: "hello", timestamp: 1_000_000_000n, attributes: { status: "500" } },
  });
  assert.deepEqual(entryToJson(stored), {
    timestamp: "1970-01-01T00:00:01.000000000Z",
    level: "INFO",
    message: "hello",
    attributes: { status: "500" },
    id: "x-1",
    received_at: "1970-01-01T00:00:02.000000000Z",
  });
});
