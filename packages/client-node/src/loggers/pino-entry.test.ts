import assert from "node:assert/strict";
import { test } from "node:test";
import { type PinoConfig, pinoEntry } from "./pino-entry.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

function entryOf(line: Record<string, unknown>, config: PinoConfig = {}) {
  return pinoEntry(line, { config, hasService: false });
}

test("levels are named, those in between and own ones too", () => {
  const levels = [10, 20, 30, 40, 50, 60, 35, 5, 70].map((level) => entryOf({ level, msg: "m" }).level);
  assert.deepEqual(levels, ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "INFO", "TRACE", "FATAL"]);
  const config = { levels: { labels: { 30: "info", 35: "audit", 42: "warning" } } };
  const own = entryOf({ level: 35, msg: "m" }, config);
  assert.deepEqual([own.level, own.attributes], ["INFO", { "log.level": "audit" }]);
  assert.equal(entryOf({ level: 42, msg: "m" }, config).level, "warning");
  assert.equal(entryOf({ level: "error", msg: "m" }).level, "error");
});

test("times in every form that pino writes", () => {
  const times = [
    1_795_340_200_123,
    1_795_340_200,
    "2026-11-22T09:36:40.123456789Z",
    "2026-11-22T10:36:40+01:00",
  ];
  assert.deepEqual(
    times.map((time) => entryOf({ time, msg: "m" }).timestamp),
    [1795340200123000000n, 1795340200000000000n, 1795340200123456789n, 1795340200000000000n],
  );
  const odd = entryOf({ time: "yesterday", msg: "m" });
  assert.deepEqual([odd.timestamp, odd.attributes], [undefined, { time: "yesterday" }]);
});

test("the message is msg, the error's or the fields", () => {
  assert.equal(entryOf({ msg: "m", err: { message: "e" } }).message, "m");
  assert.equal(entryOf({ err: { message: "e" } }).message, "e");
  assert.equal(entryOf({ a: 1 }).message, '{"a":1}');
  assert.equal(entryOf({ msg: { a: 1 } }).message, '{"a":1}');
  assert.equal(entryOf({ text: "m", error: { message: "e" } }, { messageKey: "text" }).message, "m");
  assert.equal(entryOf({ error: { message: "e" } }, { errorKey: "error" }).message, "e");
});

test("the name is the service unless there is one", () => {
  assert.equal(entryOf({ name: "api", msg: "m" }).service, "api");
  const other = pinoEntry({ name: "api", msg: "m" }, { hasService: true });
  assert.deepEqual([other.service, other.attributes], [undefined, { name: "api" }]);
});

test("trace and span in all spellings; what is no id stays an attribute", () => {
  const spellings = [
    { trace_id: traceId, span_id: spanId },
    { traceId: traceId.toUpperCase(), spanId },
    { "trace.id": traceId, "span.id": spanId },
    { otelTraceID: traceId, otelSpanID: spanId },
    { trace: { id: traceId }, span: { id: spanId } },
    { traceparent: `00-${traceId}-${spanId}-01` },
  ];
  for (const fields of spellings) {
    const entry = entryOf({ msg: "m", ...fields });
    assert.deepEqual(
      [entry.traceId, entry.spanId, entry.attributes],
      [traceId, spanId, {}],
      JSON.stringify(fields),
    );
  }
  const none = entryOf({ msg: "m", trace_id: "1234", span_id: "0000000000000000" });
  assert.equal(none.traceId, undefined);
  assert.deepEqual(none.attributes, { "log.trace_id": "1234", "log.span_id": "0000000000000000" });
});
