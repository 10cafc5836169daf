/**
 * The adapters that run beside the application, against a real server. winston
 * and OpenTelemetry's API are the real ones; bunyan is no longer maintained, so
 * its stream is tested against its documented contract: an object with `write`,
 * which is given the record.
 */
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { Console } from "node:console";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import type { LogEntry } from "@logsvc/client";
import { type Context, context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import winston from "winston";
import { createShipper } from "../shipper/create-shipper.ts";
import { startServer } from "../testing/test-server.ts";
import { createBunyanStream } from "./bunyan.ts";
import { captureConsole } from "./console.ts";
import { openTelemetryContext, traceMixin } from "./otel.ts";
import { createWinstonTransport } from "./winston.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

async function startLog(t: TestContext): Promise<{ url: string; entries: LogEntry[] }> {
  const entries: LogEntry[] = [];
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const batch of batches) {
        entries.push(...batch.entries);
        yield { accepted: batch.entries.length };
      }
    },
  });
  return { url, entries };
}

test("winston: levels, times, errors and fields; ending the logger flushes", async (t) => {
  const { url, entries } = await startLog(t);
  const transport = createWinstonTransport({ url });
  const { combine, errors, timestamp, splat, colorize } = winston.format;
  const logger = winston.createLogger({
    level: "silly",
    defaultMeta: { service: "api" },
    format: combine(errors({ stack: true }), timestamp(), splat(), colorize()),
    transports: [transport],
  });
  logger.info("placed %s", "order", { order: { id: 17 } });
  logger.verbose("more");
  logger.error(Object.assign(new Error("no"), { code: "E_NO" }));
  logger.log({ level: "warn", message: "span", traceId, spanId });
  logger.end();
  await once(transport, "finish");
  const [info, verbose, error, warn] = entries;
  assert.deepEqual([info?.level, info?.message, info?.service], ["info", "placed order", "api"]);
  assert.deepEqual(info?.attributes, { "order.id": "17" });
  assert.ok(Math.abs(Number((info?.timestamp ?? 0n) / 1_000_000n) - Date.now()) < 60_000);
  assert.deepEqual([verbose?.level, verbose?.attributes], ["DEBUG", { "log.level": "verbose" }]);
  assert.deepEqual([error?.message, error?.attributes["code"]], ["no", "E_NO"]);
  assert.match(error?.attributes["stack"] ?? "", /^Error: no\n {4}at /);
  assert.deepEqual([warn?.traceId, warn?.spanId, warn?.attributes], [traceId, spanId, {}]);
  assert.equal(transport.shipper.state.kind, "closed");
});

test("winston: a transport's own level, and a shipper of the application's", async (t) => {
  const { url, entries } = await startLog(t);
  const shipper = createShipper({ url, service: "api" });
  t.after(() => shipper.close());
  const transport = createWinstonTransport({ shipper, hasService: true, level: "warn" });
  const logger = winston.createLogger({ level: "debug", transports: [transport] });
  logger.info("not this");
  logger.warn("this", { service: "other" });
  logger.end();
  await once(transport, "finish");
  assert.deepEqual(
    entries.map(({ message, service, attributes }) => [message, service, attributes]),
    [["this", "api", { "log.service": "other" }]],
  );
  assert.equal(shipper.state.kind, "open");
});

test("bunyan: a raw stream takes records", async (t) => {
  const { url, entries } = await startLog(t);
  const stream = createBunyanStream({ url });
  const time = new Date("2026-11-22T09:36:40.123Z");
  const err = { message: "no", name: "TypeError", stack: "TypeError: no\n    at a" };
  stream.write({
    name: "api",
    hostname: "h",
    pid: 1,
    level: 50,
    msg: "failed",
    time,
    v: 0,
    err,
    request: { id: 7 },
  });
  await stream.end();
  const [entry] = entries;
  assert.deepEqual(
    [entry?.level, entry?.message, entry?.service, entry?.timestamp],
    ["ERROR", "failed", "api", 1795340200123000000n],
  );
  assert.deepEqual(entry?.attributes, {
    hostname: "h",
    pid: "1",
    "err.message": "no",
    "err.name": "TypeError",
    "err.stack": err.stack,
    "request.id": "7",
  });
});

test("console: what is printed is shipped, and the methods are given back", async (t) => {
  const { url, entries } = await startLog(t);
  const printed = new PassThrough().setEncoding("utf8");
  const target = new Console(printed);
  const { log, assert: assertMethod } = target;
  const capture = captureConsole(target, { url });
  target.log("a %d", 1, { b: 2 });
  target.error("failed:", new RangeError("no"));
  target.assert(1 > 2, "one is not more than two");
  target.assert(true, "no word");
  target.debug("");
  await capture.restore();
  assert.equal(target.log, log);
  assert.equal(target.assert, assertMethod);
  target.log("not this");
  assert.deepEqual(
    entries.map(({ level, message }) => [level, message.split("\n")[0]]),
    [
      ["INFO", "a 1 { b: 2 }"],
      ["ERROR", "failed: RangeError: no"],
      ["ERROR", "Assertion failed: one is not more than two"],
      ["DEBUG", " "],
    ],
  );
  assert.equal(entries[1]?.attributes["err.type"], "RangeError");
  assert.match(String(printed.read()), /^a 1 \{ b: 2 \}\nfailed: RangeError: no\n[\s\S]*not this\n$/);
});

test("console: captured by two, given back in any order", async (t) => {
  const { url, entries } = await startLog(t);
  const target = new Console(new PassThrough());
  const { log } = target;
  const first = captureConsole(target, { url, prints: false });
  const second = captureConsole(target, { url });
  target.log("both");
  await first.restore();
  target.log("second");
  await second.restore();
  target.log("none");
  assert.deepEqual(entries.map(({ message }) => message).sort(), ["both", "both", "second"]);
  assert.notEqual(target.log, undefined);
  assert.equal(typeof log, "function");
});

test("OpenTelemetry: the active span's ids, and none without a span", async (t) => {
  const { url, entries } = await startLog(t);
  const storage = new AsyncLocalStorage<Context>();
  context.setGlobalContextManager({
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, run, self, ...args) => storage.run(active, () => run.call(self, ...args)),
    bind: (_active, value) => value,
    enable() {
      return this;
    },
    disable() {
      return this;
    },
  });
  t.after(() => context.disable());
  const traceContext = openTelemetryContext(trace);
  const mixin = traceMixin(traceContext);
  const target = new Console(new PassThrough());
  const capture = captureConsole(target, { url, traceContext });
  const stream = createBunyanStream({ shipper: capture.shipper, traceContext });
  assert.deepEqual(mixin(), {});
  target.log("outside");
  const span = trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: 1 });
  context.with(span, () => {
    assert.deepEqual(mixin(), { trace_id: traceId, span_id: spanId });
    target.log("inside");
    stream.write({ level: 30, msg: "record" });
  });
  await capture.restore();
  assert.deepEqual(
    entries.map((entry) => [entry.message, entry.traceId, entry.spanId]),
    [
      ["outside", "", ""],
      ["inside", traceId, spanId],
      ["record", traceId, spanId],
    ],
  );
});
