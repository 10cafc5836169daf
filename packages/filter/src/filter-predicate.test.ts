import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFilter } from "./filter-parser.ts";
import { compileFilter, type FilterableEntry } from "./filter-predicate.ts";

const entryOf = (fields: Partial<FilterableEntry>): FilterableEntry => ({
  level: "INFO",
  message: "m",
  service: "",
  traceId: "",
  spanId: "",
  attributes: {},
  ...fields,
});

const passes = (filter: string, entry: FilterableEntry): boolean => compileFilter(parseFilter(filter))(entry);

/** A filter, messages that pass it, and messages that don't. */
const messages: [string, string[], string[]][] = [
  [
    "timeout",
    ["timeout", "Read TIMEOUT!", "a:timeout=5"],
    ["timeouts", "mytimeout", "time_out", "timeout2", "étimeout", ""],
  ],
  ["time*", ["Timeouts", "the time"], ["uptime"]],
  [
    '"connection reset"',
    ["x Connection reset by peer"],
    ["connection  reset", "connection resets", "disconnection reset"],
  ],
  ["10.0.0.1", ["from 10.0.0.1:80", "(10.0.0.1)"], ["110.0.0.1", "10.0.0.12", "10a0b0c1"]],
  ["/api", ["v1/api/users", "/API"], ["/apis", "api"]],
  ['"disk:"', ["disk: full", "disk:full"], ["xdisk: full"]],
  ["straße", ["STRASSE straße", "Straße"], ["strasse"]],
  ["ΟΔΟΣ", ["οδος", "οδοσ x"], ["οδοςα"]],
  ["kelvin", ["\u212Aelvin"], []],
  ["istanbul", ["ISTANBUL"], ["İSTANBUL"]],
  ["İ*", ["İstanbul", "x İ"], ["istanbul"]],
  ["日本", ["日本!", "(日本)"], ["日本語"]],
  ["हिन्दी", ["हिन्दी।"], ["हिन्दीः"]],
  ["𝒳*", ["𝒳yz"], ["a𝒳"]],
  ["😀", ["a😀b"], ["😁"]],
  ["cafe", ["cafe"], ["cafe\u0301"]],
  ["=Exact", ["Exact"], ["exact", "Exact "]],
  ["in(a, B)", ["a", "B"], ["b", "a B"]],
  ["-a b", ["b"], ["a b", "c"]],
  ["a OR b c", ["a", "b c"], ["b", "c"]],
  ['~"5\\d\\d"', ["HTTP 503"], ["HTTP 53"]],
  ['~"(?i)ERR"', ["error"], ["er"]],
  ['~"a.b"', ["a\rb"], ["a\nb"]],
  ['!~"^a"', ["ba"], ["ab"]],
  [
    `"${"ab ".repeat(40)}ab"`,
    [`X ${"Ab ".repeat(40)}aB.`],
    [`x${"ab ".repeat(40)}ab`, `${"ab ".repeat(40)}abc`, "ab"],
  ],
  [`${"a".repeat(63)}😀b`, [`x ${"A".repeat(63)}😀B`], [`${"a".repeat(63)}😀`, `${"a".repeat(63)}😀bc`]],
  [`${"a".repeat(65)}*`, ["A".repeat(66)], ["a".repeat(64), `_${"a".repeat(65)}`]],
];

test("messages", () => {
  for (const [filter, pass, fail] of messages) {
    for (const message of pass)
      assert.ok(passes(filter, entryOf({ message })), `${filter} passes ${message}`);
    for (const message of fail)
      assert.ok(!passes(filter, entryOf({ message })), `${filter} stops ${message}`);
  }
});

/** A condition on `level`, levels that pass it, and levels that don't. */
const levels: [string, string[], string[]][] = [
  ["error", ["ERROR", "err"], ["FATAL", "AUDIT", ""]],
  ["err", ["ERROR"], ["err2x"]],
  ["audit", ["AUDIT", "Audit"], ["AUDIT2", "AUDIT X", "ERROR"]],
  ["=error", ["ERROR"], ["WARN"]],
  ["=audit", ["audit"], ["AUDIT"]],
  ["in(err, audit)", ["ERROR", "audit"], ["AUDIT", "WARN"]],
  ["(error OR warning)", ["ERROR", "WARN"], ["INFO"]],
  [">=warn", ["WARN", "ERROR", "FATAL"], ["INFO", "AUDIT", ""]],
  [">warning", ["ERROR"], ["WARN", "AUDIT"]],
  ["<info", ["TRACE", "DEBUG"], ["INFO", "AUDIT", ""]],
  ["<=50", ["ERROR"], ["FATAL"]],
  ["*", ["x"], [""]],
  ["er*", ["ERROR"], ["WARN"]],
  ['~"^E"', ["ERROR"], ["error"]],
];

test("levels are compared as severities", () => {
  for (const [condition, pass, fail] of levels) {
    for (const level of pass)
      assert.ok(passes(`level:${condition}`, entryOf({ level })), `${condition} passes ${level}`);
    for (const level of fail)
      assert.ok(!passes(`level:${condition}`, entryOf({ level })), `${condition} stops ${level}`);
  }
});

/** A condition on the attribute x, values that pass it, and values that don't; undefined: without the attribute. */
const values: [string, string[], (string | undefined)[]][] = [
  [">=500", ["500", "503.5", "5e2", "1KB"], ["499", "500ms", "x", "", undefined]],
  ["<0", ["-1"], ["0", "", undefined]],
  ["<1.5s", ["200ms", "1s499ms", "-1h"], ["1.5s", "1", "0", "1KB", undefined]],
  [">10KiB", ["10241", "11KiB", "1 MB"], ["10240", "10KB", "20s"]],
  ["<=1h30m", ["90m"], ["91m"]],
  ["*", ["0"], ["", undefined]],
];

test("attributes", () => {
  for (const [condition, pass, fail] of values) {
    const filter = `x:${condition}`;
    for (const value of pass)
      assert.ok(passes(filter, entryOf({ attributes: { x: value } })), `${filter} passes ${value}`);
    for (const value of fail) {
      const attributes: Record<string, string> = value === undefined ? {} : { x: value };
      assert.ok(!passes(filter, entryOf({ attributes })), `${filter} stops ${value}`);
    }
  }
  assert.ok(passes('x:""', entryOf({})));
  assert.ok(passes("x:!=a", entryOf({})));
});

test("an entry's own fields", () => {
  const entry = entryOf({ service: "checkout", traceId: "0af7", spanId: "b7ad", message: "hello" });
  assert.ok(passes("service:checkout trace_id:0af7 span_id:=b7ad message:hello", entry));
  assert.ok(!passes("trace_id:0af", entry));
});

test("what every object inherits is no attribute", () => {
  for (const field of ["constructor", "__proto__", "toString"]) {
    assert.ok(!passes(`${field}:*`, entryOf({})), field);
    assert.ok(passes(`${field}:""`, entryOf({})), field);
  }
});

test("trees that no text makes", () => {
  const entry = entryOf({ message: "" });
  assert.ok(compileFilter({ kind: "and", nodes: [] })(entry));
  assert.ok(!compileFilter({ kind: "or", nodes: [] })(entry));
  assert.ok(compileFilter({ kind: "field", field: "message", match: { kind: "phrase", text: "" } })(entry));
  assert.ok(!compileFilter({ kind: "field", field: "message", match: { kind: "prefix", text: "" } })(entry));
});
