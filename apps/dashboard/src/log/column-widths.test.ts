/** Columns are as wide as what was shown, within bounds, and grow only. */
import assert from "node:assert/strict";
import test from "node:test";
import { ColumnWidths } from "./column-widths.ts";
import type { EntryRow } from "./log-entry-row.ts";
import type { RowLook } from "./row-look.ts";
import { entryRow } from "./testing/rows.ts";

const now = 1_795_000_000_000_000_000n;

function rowOf(service: string, attributes: Record<string, string> = {}, timestamp = now): EntryRow {
  return entryRow(1, { service, attributes, timestamp });
}

const lookOf = (columns: readonly string[]): RowLook => ({
  columns,
  wrap: false,
  timeZone: "UTC",
  today: "2026-11-18",
});

test("columns grow with what is shown and stay", () => {
  const widths = new ColumnWidths();
  const look = lookOf([]);
  assert.equal(widths.widen([rowOf("")], look, 1).get("--log-service"), 0);
  const wide = widths.widen([rowOf("checkout"), rowOf("web")], look, 1);
  assert.equal(wide.get("--log-service"), 8);
  assert.equal(widths.widen([rowOf("web")], look, 1), wide);
  assert.equal(widths.widen([rowOf("web")], look, 2).get("--log-service"), 3);
});

test("no column is wider than its bound, and none narrower than its name", () => {
  const widths = new ColumnWidths();
  const rows = [rowOf("s".repeat(100), { path: "/".repeat(1000), a: "1" })];
  const found = widths.widen(rows, lookOf(["path", "a", "status"]), 1);
  assert.equal(found.get("--log-service"), 20);
  assert.equal(found.get("--log-column-0"), 32);
  assert.equal(found.get("--log-column-1"), 3);
  assert.equal(found.get("--log-column-2"), 6);
});

test("times of another day have room for the day", () => {
  const widths = new ColumnWidths();
  const look = lookOf([]);
  assert.equal(widths.widen([rowOf("web")], look, 1).get("--log-time"), 12);
  const dayNs = 86_400_000_000_000n;
  assert.equal(widths.widen([rowOf("web", {}, now - dayNs), rowOf("web")], look, 1).get("--log-time"), 18);
});

test("other columns begin anew", () => {
  const widths = new ColumnWidths();
  const row = rowOf("web", { long: "0123456789", short: "0" });
  assert.equal(widths.widen([row], lookOf(["long"]), 1).get("--log-column-0"), 10);
  assert.equal(widths.widen([row], lookOf(["short"]), 1).get("--log-column-0"), 5);
});
