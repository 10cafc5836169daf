import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEntry, StoredEntry } from "@logsvc/proto";
import { neutralise } from "./neutralise.ts";
import { createPrettyPrinter } from "./pretty-entry.ts";

function stored(entry: Partial<Omit<LogEntry, "$typeName" | "$unknown">>): StoredEntry {
  return {
    $typeName: "logsvc.StoredEntry",
    id: "1",
    receivedAt: 0n,
    entry: {
      $typeName: "logsvc.LogEntry",
      level: "INFO",
      message: "m",
      timestamp: 1795340200123456789n,
      service: "",
      attributes: {},
      traceId: "",
      spanId: "",
      sequence: 0n,
      ...entry,
    },
  };
}

const plain = createPrettyPrinter({ color: false, utc: true });

test("an entry on one line", () => {
  assert.equal(plain(stored({})), "2026-11-22 09:36:40.123Z INFO  m\n");
  assert.equal(
    plain(stored({ service: "api", attributes: { b: "two words", a: "1", c: "" }, traceId: "abc" })),
    '2026-11-22 09:36:40.123Z INFO  api  m  a=1 b="two words" c="" trace_id=abc\n',
  );
});

test("further lines are indented, and control characters are shown", () => {
  assert.equal(
    plain(stored({ message: "a\u001b[2J\nb\rc", attributes: { stack: "x\ny" } })),
    '2026-11-22 09:36:40.123Z INFO  a\\x1b[2J  stack="x\\ny"\n    b\\x0dc\n',
  );
});

test("colours by level, none where the level is unknown", () => {
  const print = createPrettyPrinter({ color: true, utc: true });
  assert.ok(print(stored({ level: "ERROR" })).includes("\u001b[31mERROR\u001b[39m"));
  assert.match(print(stored({ level: "odd" })), / odd {2} m/);
});

test("local time", () => {
  const date = new Date(1795340200123);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.123 INFO`;
  assert.ok(createPrettyPrinter({ color: false, utc: false })(stored({})).includes(` ${clock}`));
});

test("what a terminal would act on is shown", () => {
  assert.equal(neutralise("tab\t\n\0\u009b\u202Eé😀"), "tab\t\n\\x00\\x9b\\u202eé😀");
});

test("nothing but the message has lines", () => {
  const forged = "x\n2026-11-22 09:36:41.000Z FATAL";
  const text = plain(stored({ level: forged, service: forged, attributes: { [forged]: forged } }));
  assert.equal(text.trimEnd().split("\n").length, 1);
});
