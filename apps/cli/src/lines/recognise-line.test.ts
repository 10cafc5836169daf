import assert from "node:assert/strict";
import { test } from "node:test";
import { type EntryJson, limits } from "@logsvc/proto";
import { createSeededRandom } from "../testing/seeded-random.ts";
import type { LineEntry } from "./line-fields.ts";
import { createLineRecogniser, type LineKind, type RecogniseOptions } from "./recognise-line.ts";

const defaults: RecogniseOptions = {
  format: "auto",
  parseTime: false,
  service: "",
  level: "",
  labels: new Map(),
};

const recognise = (
  line: string,
  options: Partial<RecogniseOptions> = {},
): { kind: LineKind; entry: LineEntry } => createLineRecogniser({ ...defaults, ...options })(line);

const entryOf = (expected: Partial<LineEntry>): LineEntry => ({
  level: "",
  message: "",
  timestamp: 0n,
  service: "",
  attributes: {},
  traceId: "",
  spanId: "",
  ...expected,
});

/** Lines as each logger writes them with its defaults. */
const samples: { logger: string; line: string; kind?: LineKind; entry: Partial<LineEntry> }[] = [
  {
    logger: "pino",
    line: '{"level":50,"time":1795340200123,"pid":7,"hostname":"h","name":"api","err":{"type":"Error","message":"no","stack":"Error: no\\n    at x"},"msg":"failed"}',
    entry: {
      level: "ERROR",
      message: "failed",
      timestamp: 1795340200123000000n,
      service: "api",
      attributes: {
        pid: "7",
        hostname: "h",
        "err.type": "Error",
        "err.message": "no",
        "err.stack": "Error: no\n    at x",
      },
    },
  },
  {
    logger: "bunyan",
    line: '{"name":"myapp","hostname":"banana","pid":40161,"level":30,"msg":"hi","time":"2026-11-22T09:36:40.300Z","v":0}',
    entry: {
      level: "INFO",
      message: "hi",
      timestamp: 1795340200300000000n,
      service: "myapp",
      attributes: { hostname: "banana", pid: "40161", v: "0" },
    },
  },
  {
    logger: "winston",
    line: '{"level":"warn","message":"slow","timestamp":"2026-11-22T09:36:40.300Z","ms":[1,2],"service":"shop"}',
    entry: {
      level: "warn",
      message: "slow",
      timestamp: 1795340200300000000n,
      service: "shop",
      attributes: { ms: "[1,2]" },
    },
  },
  {
    logger: "zap",
    line: '{"level":"info","ts":1795340200.1234567,"caller":"main.go:9","msg":"up","url":"/","backoff":1.5}',
    entry: {
      level: "info",
      message: "up",
      timestamp: 1795340200123457000n,
      attributes: { caller: "main.go:9", url: "/", backoff: "1.5" },
    },
  },
  {
    logger: "zerolog",
    line: '{"level":"debug","time":1795340200,"message":"hello","ok":true,"none":null}',
    entry: {
      level: "debug",
      message: "hello",
      timestamp: 1795340200000000000n,
      attributes: { ok: "true", none: "null" },
    },
  },
  {
    logger: "logrus",
    line: '{"animal":"walrus","level":"warning","msg":"swims","time":"2026-11-22T10:36:40+01:00"}',
    entry: {
      level: "warning",
      message: "swims",
      timestamp: 1795340200000000000n,
      attributes: { animal: "walrus" },
    },
  },
  {
    logger: "logrus, text",
    line: 'time="2026-11-22T09:36:40Z" level=warning msg="swims far" animal=walrus',
    kind: "logfmt",
    entry: {
      level: "warning",
      message: "swims far",
      timestamp: 1795340200000000000n,
      attributes: { animal: "walrus" },
    },
  },
  {
    logger: "slog with Open Telemetry",
    line: '{"time":"2026-11-22T09:36:40.5Z","level":"INFO","msg":"m","trace_id":"4BF92F3577B34DA6A3CE929D0E0E4736","spanId":"00f067aa0ba902b7"}',
    entry: {
      level: "INFO",
      message: "m",
      timestamp: 1795340200500000000n,
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "00f067aa0ba902b7",
    },
  },
  {
    logger: "Open Telemetry's own record",
    line: '{"timeUnixNano":"1795340200123456789","severityNumber":17,"body":{"stringValue":"otel"},"traceId":"not hex"}',
    entry: {
      level: "ERROR",
      message: "otel",
      timestamp: 1795340200123456789n,
      attributes: { traceId: "not hex" },
    },
  },
  {
    logger: "Elastic Common Schema",
    line: '{"@timestamp":"2026-11-22T09:36:40Z","log":{"level":"error","logger":"a.B"},"message":"ecs","service":{"name":"pay"}}',
    entry: {
      level: "error",
      message: "ecs",
      timestamp: 1795340200000000000n,
      service: "pay",
      attributes: { "log.logger": "a.B" },
    },
  },
  {
    logger: "Serilog, compact",
    line: '{"@t":"2026-11-22T09:36:40Z","@mt":"Hello {User}","@l":"Warning","User":"a"}',
    entry: {
      level: "Warning",
      message: "Hello {User}",
      timestamp: 1795340200000000000n,
      attributes: { User: "a" },
    },
  },
  {
    logger: "GELF",
    line: '{"version":"1.1","host":"h","short_message":"gelf","timestamp":1795340200.5,"level":3}',
    entry: {
      level: "ERROR",
      message: "gelf",
      timestamp: 1795340200500000000n,
      attributes: { version: "1.1", host: "h" },
    },
  },
  {
    logger: "journald",
    line: '{"__REALTIME_TIMESTAMP":"1795340200123456","PRIORITY":"4","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"j"}',
    entry: { level: "WARN", message: "j", timestamp: 1795340200123456000n, service: "sshd" },
  },
  {
    logger: "Docker around plain text",
    line: '{"log":"ERROR: plain\\n","stream":"stderr","time":"2026-11-22T09:36:40.123456789Z"}',
    kind: "plain",
    entry: {
      level: "ERROR",
      message: "ERROR: plain",
      timestamp: 1795340200123456789n,
      attributes: { stream: "stderr" },
    },
  },
  {
    logger: "Docker around pino",
    line: '{"log":"{\\"level\\":20,\\"time\\":1795340200000,\\"msg\\":\\"in\\"}\\n","stream":"stdout","time":"2026-11-22T09:36:41Z"}',
    entry: {
      level: "DEBUG",
      message: "in",
      timestamp: 1795340200000000000n,
      attributes: { stream: "stdout" },
    },
  },
  {
    logger: "an unknown one",
    line: '{"user":"a","t":12,"name":"b","id":12345678901234567890}',
    entry: {
      message: '{"user":"a","t":12,"name":"b","id":12345678901234567890}',
      attributes: { user: "a", t: "12", name: "b", id: "12345678901234567890" },
    },
  },
  {
    logger: "nobody",
    line: "  plain text, as it is\t",
    kind: "plain",
    entry: { message: "  plain text, as it is\t" },
  },
  {
    logger: "a broken one",
    line: '{"level":30,"msg":"cut',
    kind: "plain",
    entry: { message: '{"level":30,"msg":"cut' },
  },
];

for (const { logger, line, kind = "json", entry } of samples) {
  test(`a line of ${logger}`, () => {
    assert.deepEqual(recognise(line), { kind, entry: entryOf(entry) });
  });
}

test("numbers keep their digits", () => {
  const { entry } = recognise(
    '{"id":12345678901234567,"sum":1234567890123456.78,"ratio":0.1,"ts":1795340200.1234567}',
  );
  assert.deepEqual(entry.attributes, { id: "12345678901234567", sum: "1234567890123456.78", ratio: "0.1" });
  assert.equal(entry.timestamp, 1795340200123457000n);
});

test("what the command line says wins, and what the line said is kept", () => {
  const { entry } = recognise('{"service":"line","env":"dev","msg":"m"}', {
    service: "flag",
    level: "warn",
    labels: new Map([["env", "prod"]]),
  });
  const expected = {
    level: "warn",
    message: "m",
    service: "flag",
    attributes: { env: "prod", "line.service": "line", "line.env": "dev" },
  };
  assert.deepEqual(entry, entryOf(expected));
});

test("an exported entry is the same entry again", () => {
  const exported: EntryJson = {
    timestamp: "2026-11-22T09:36:40.123456789Z",
    level: "odd",
    service: "s",
    message: '{"msg":"not this"}',
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    span_id: "00f067aa0ba902b7",
    attributes: { msg: "attribute", "a.b": "1", time: "2020-01-01T00:00:00Z" },
    id: "x",
    received_at: "2026-11-22T09:36:41.000000000Z",
  };
  assert.deepEqual(
    recognise(JSON.stringify(exported)).entry,
    entryOf({
      level: "odd",
      service: "s",
      message: exported.message,
      timestamp: 1795340200123456789n,
      traceId: exported.trace_id ?? "",
      spanId: exported.span_id ?? "",
      attributes: { ...exported.attributes },
    }),
  );
});

test("what only looks exported is taken field by field", () => {
  const line =
    '{"timestamp":"2026-11-22T09:36:40Z","level":"INFO","message":"m","attributes":{"level":"x"},"id":"1","received_at":"r"}';
  const { entry } = recognise(line);
  assert.deepEqual(entry.attributes, { "attributes.level": "x", id: "1", received_at: "r" });
});

test("what is beyond the limits on attributes is kept together", () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, index]));
  const longKey = "k".repeat(limits.attributeKeyBytesMax + 1);
  const { entry } = recognise(JSON.stringify({ msg: "m", [longKey]: "v", "": "e", ...many }));
  assert.equal(Object.keys(entry.attributes).length, limits.attributesMax);
  const rest: unknown = JSON.parse(entry.attributes["line.rest"] ?? "");
  const expected = { [longKey]: "v", "": "e", ...Object.fromEntries(Object.entries(many).slice(255)) };
  assert.deepEqual(rest, expected);
});

test("fields of one name, and of names that an attribute must not have, are kept", () => {
  const { entry } = recognise('{"msg":"m","message":"other","a.b":1,"a":{"b":2},"__proto__":"p"}');
  assert.deepEqual(entry.attributes, {
    "line.message": "other",
    "a.b": "1",
    "line.__proto__": "p",
    "line.rest": '{"a.b":2}',
  });
});

test("formats that are asked for exclude the others", () => {
  const json = '{"msg":"m"}';
  assert.equal(recognise(json, { format: "plain" }).entry.message, json);
  assert.equal(recognise(json, { format: "logfmt" }).kind, "plain");
  assert.equal(recognise("a=1 b=2", { format: "json" }).kind, "plain");
  assert.equal(recognise("a=1", { format: "logfmt" }).kind, "logfmt");
  assert.equal(recognise("a=1").kind, "plain");
});

test("with parseTime a plain line has its own time, or that of the line before it", () => {
  const recogniser = createLineRecogniser({ ...defaults, parseTime: true });
  const times = ["first", "2026-11-22T09:36:40Z boom", "    at stack (x.js:1)"].map(
    (line) => recogniser(line).entry.timestamp,
  );
  assert.deepEqual(times, [0n, 1795340200000000000n, 1795340200000000000n]);
  assert.equal(recognise("2026-11-22T09:36:40Z boom").entry.timestamp, 0n);
});

function assertWithinLimits(entry: LineEntry): void {
  const bytes = (text: string): number => Buffer.byteLength(text);
  const keys = Object.keys(entry.attributes);
  assert.ok(keys.length <= limits.attributesMax);
  for (const key of keys) {
    assert.ok(key !== "" && bytes(key) <= limits.attributeKeyBytesMax, key);
    assert.ok(!/^(level|message|timestamp|service|trace_id|span_id)$/.test(key), key);
  }
  const texts = [entry.message, entry.level, entry.service, ...keys, ...Object.values(entry.attributes)];
  for (const text of texts) assert.ok(text.isWellFormed());
  assert.ok(texts.reduce((sum, text) => sum + bytes(text) + 16, 0) <= limits.entryBytesMax);
  assert.notEqual(entry.message, "");
  assert.ok(bytes(entry.level) <= limits.levelBytesMax && bytes(entry.service) <= limits.serviceBytesMax);
  assert.match(entry.traceId, /^([\da-f]{32})?$/);
  assert.match(entry.spanId, /^([\da-f]{16})?$/);
  assert.ok(entry.timestamp >= 0n && entry.timestamp < 2n ** 63n);
}

test("whatever the line, its entry is within the limits", () => {
  const random = createSeededRandom(3);
  const pieces: [string, ...string[]] = [
    "x",
    ...[
      '{"',
      '"}',
      '":"',
      '","',
      '":{"',
      '"}}',
      "[1,2]",
      "\\ud800",
      "\ud800",
      "\\u0000",
      "\0",
      "é",
      " ",
      "=",
      '"',
    ],
    ...[
      "level",
      "msg",
      "time",
      "name",
      "trace_id",
      "log",
      "stream",
      "1795340200123",
      "1e999",
      "-1",
      "2026-11-22T09:36:40Z",
    ],
  ];
  for (let round = 0; round < 20_000; round++) {
    const line = `${random.pick(["", "{", '{"'])}x${random.text(pieces, 30)}${random.pick(["", "}", '"}'])}`;
    assertWithinLimits(recognise(line, { parseTime: true }).entry);
  }
});

test("whatever the object, its entry is within the limits", () => {
  const random = createSeededRandom(4);
  const names: [string, ...string[]] = [
    "level",
    "msg",
    "time",
    "ts",
    "service",
    "traceId",
    "a.b",
    "a",
    "b",
    "",
    "__proto__",
  ];
  const randomValue = (depth: number): unknown => {
    const kind = random.int(0, depth > 0 ? 4 : 3);
    if (kind < 2) return random.text(["v", "é", "\ud800", '"', "\n", "4bf92f3577b34da6"], 6);
    if (kind === 2) return random.int(-5, 70);
    if (kind === 3) return [random.int(0, 9), null];
    return Object.fromEntries(Array.from({ length: 3 }, () => [random.pick(names), randomValue(depth - 1)]));
  };
  for (let round = 0; round < 5_000; round++) {
    const object = Object.fromEntries(Array.from({ length: 6 }, () => [random.pick(names), randomValue(3)]));
    assertWithinLimits(recognise(JSON.stringify(object)).entry);
  }
});

test("a line of the greatest length stays one entry, whatever it becomes", () => {
  const labels = new Map([["env", "prod"]]);
  const bound = limits.entryBytesMax - 64 * 1024;
  const value = "v".repeat(bound - 20);
  assertWithinLimits(recognise(`{"other":"${value}"}`, { labels }).entry);
  assertWithinLimits(recognise(value, { labels }).entry);
  assert.equal(recognise(`{"other":"${value}"}`).kind, "plain");
});
