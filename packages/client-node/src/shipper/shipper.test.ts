/** The shipper before a server of its own package: what it promises, one by one. The real server: e2e/shipper.test.ts. */
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import { type Clock, Code, ConnectError, type LogEntry, systemClock } from "@logsvc/client";
import { logService, MemoryLog } from "../testing/memory-log.ts";
import { type LogServiceImpl, startServer } from "../testing/test-server.ts";
import { createShipper } from "./create-shipper.ts";
import type { LogShipper, RejectedWrite, ShipperFault, ShipperOptions } from "./log-shipper.ts";

const mebibyte = 1024 * 1024;

/** Waits a twentieth of the time, so that retries don't make a test slow. */
const fastClock: Clock = {
  ...systemClock,
  startTimer: (callback, delayMs) => systemClock.startTimer(callback, delayMs / 20),
};

function open(t: TestContext, options: ShipperOptions): LogShipper {
  const shipper = createShipper({ clock: fastClock, ...options });
  t.after(() => shipper.close({ timeoutMs: 0 }));
  return shipper;
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "logsvc-shipper-"));
  // The shipper that writes there is closed after it, as hooks go in the order in which they were added.
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** An address at which nobody listens, until `startServer` with its port. */
async function awayServer(t: TestContext): Promise<{ readonly url: string; readonly port: number }> {
  const server = await startServer(t, {});
  await server.kill();
  return server;
}

function writeNumbered(shipper: LogShipper, from: number, to: number): void {
  for (let number = from; number <= to; number++) shipper.write({ message: `entry ${number}` });
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `entry ${from + index}`);

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, `${what}, within 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Keeps what is sent, whole. */
function keepEntries(into: LogEntry[]): LogServiceImpl {
  return {
    async *shipLogs(batches) {
      for await (const { entries } of batches) {
        into.push(...entries);
        yield { accepted: entries.length };
      }
    },
  };
}

/** Never answers. */
const silentService: LogServiceImpl = {
  async *shipLogs(_batches, { signal }) {
    await once(signal, "abort");
    yield {};
  },
};

test("entries arrive in the order of the writes, numbered from 1, and are counted", async (t) => {
  const log = new MemoryLog();
  const { url } = await startServer(t, logService(log));
  const shipper = open(t, { url, batchEntriesMax: 300 });
  writeNumbered(shipper, 1, 1_000);
  assert.equal(shipper.summary.pending, 1_000);
  const summary = await shipper.flush();
  assert.deepEqual(log.messages, numbered(1, 1_000));
  assert.deepEqual(
    log.batches.map(({ firstSequence }) => firstSequence),
    [1, 301, 601, 901],
  );
  assert.equal(summary.accepted, 1_000);
  assert.equal(summary.pending, 0);
  assert.deepEqual(summary.inMemory, { entries: 0, bytes: 0 });
  assert.equal(shipper.state.kind, "open");
  await shipper.close();
  assert.equal(shipper.state.kind, "closed");
});

test("an entry has the shipper's service, attributes and time where it has none of its own", async (t) => {
  const entries: LogEntry[] = [];
  const { url } = await startServer(t, keepEntries(entries));
  const shipper = open(t, { url, service: "api", attributes: { host: "a", env: "prod" } });
  const before = BigInt(Date.now()) * 1_000_000n;
  shipper.write({ message: "plain" });
  shipper.write({
    message: "own",
    service: "db",
    attributes: { host: "b", n: "1" },
    timestamp: 1_764_000_000_000_000_000n,
  });
  shipper.write({
    message: "ids",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    sequence: 7n,
  });
  await shipper.flush();
  const [plain, own, ids] = entries;
  assert.ok(plain !== undefined && own !== undefined && ids !== undefined);
  assert.deepEqual([plain.service, plain.attributes], ["api", { host: "a", env: "prod" }]);
  assert.ok(plain.timestamp >= before && plain.timestamp <= BigInt(Date.now()) * 1_000_000n);
  assert.deepEqual([own.service, own.attributes], ["db", { host: "b", env: "prod", n: "1" }]);
  assert.equal(own.timestamp, 1_764_000_000_000_000_000n);
  assert.deepEqual(
    [ids.traceId, ids.spanId, ids.sequence],
    ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 0n],
  );
});

test("a lonely entry is sent by itself after the age of a batch", async (t) => {
  const log = new MemoryLog();
  const { url } = await startServer(t, logService(log));
  const shipper = open(t, { url, batchAgeMsMax: 10 });
  shipper.write({ message: "lonely" });
  await until("the entry", () => log.messages.length === 1);
});

test("whatever breaks, each entry is stored once and in order, also over restarts of server and shipper", async (t) => {
  const log = new MemoryLog();
  let batches = 0;
  let restarting: Promise<unknown> = Promise.resolve();
  const service = logService(log, async () => {
    // Every ninth batch is stored, and its answer is never heard.
    if (++batches % 9 !== 0) return;
    restarting = restart();
    await new Promise<never>(() => undefined);
  });
  let server = await startServer(t, service);
  const { url, port } = server;
  async function restart(): Promise<void> {
    await server.kill();
    server = await startServer(t, service, { port });
  }
  const spool = await temporaryFolder(t);
  const runs = 4;
  for (let run = 0; run < runs; run++) {
    const shipper = open(t, { url, spool, batchEntriesMax: 20, inFlightMax: 4 });
    writeNumbered(shipper, run * 500 + 1, run * 500 + 500);
    // The last one stays until everything has arrived; the others are closed in the middle.
    if (run === runs - 1) await shipper.flush();
    const { pending, spooled } = await shipper.close({ timeoutMs: 5 });
    assert.equal(pending, spooled.entries);
  }
  await restarting;
  assert.deepEqual(log.messages, numbered(1, runs * 500));
});

test("what waits for longer than a second is on disk, and is sent before anything new", async (t) => {
  const { url, port } = await awayServer(t);
  const spool = await temporaryFolder(t);
  const first = open(t, { url, spool });
  writeNumbered(first, 1, 10);
  await until("the spool", () => first.summary.spooled.entries === 10);
  writeNumbered(first, 11, 20);
  const closed = await first.close({ timeoutMs: 0 });
  assert.deepEqual([closed.pending, closed.spooled.entries, closed.accepted], [20, 20, 0]);
  const log = new MemoryLog();
  await startServer(t, logService(log), { port });
  const second = open(t, { url, spool });
  writeNumbered(second, 21, 30);
  const summary = await second.flush();
  assert.deepEqual([summary.recovered, summary.accepted, summary.spooled.entries], [20, 30, 0]);
  assert.deepEqual(log.messages, numbered(1, 30));
  assert.equal(new Set(log.batches.map(({ producerId }) => producerId)).size, 2);
});

test("a flood goes through memory and spool in order, and memory keeps its bound", async (t) => {
  const { url, port } = await awayServer(t);
  const spool = await temporaryFolder(t);
  const shipper = open(t, {
    url,
    spool,
    memoryBytesMax: 4 * mebibyte,
    batchBytesMax: 64 * 1024,
    overflow: "block",
  });
  const count = 40_000;
  let most = 0;
  for (let number = 1; number <= count; number++) {
    if (!shipper.write({ message: `entry ${number}`, attributes: { padding: "x".repeat(300) } }))
      await shipper.ready();
    most = Math.max(most, shipper.summary.inMemory.bytes);
  }
  assert.ok(most <= 4 * mebibyte, `${most} bytes in memory`);
  assert.ok(shipper.summary.spooled.bytes > 8 * mebibyte, `${shipper.summary.spooled.bytes} bytes on disk`);
  const log = new MemoryLog();
  await startServer(t, logService(log), { port });
  const summary = await shipper.flush();
  assert.deepEqual([summary.accepted, summary.dropped, summary.duplicates], [count, 0, 0]);
  assert.deepEqual(log.messages, numbered(1, count));
});

test("what the spool has is given back by memory, and nothing is dropped while it has room", async (t) => {
  const { url } = await awayServer(t);
  const spool = await temporaryFolder(t);
  const shipper = open(t, { url, spool, memoryBytesMax: 4 * mebibyte, batchBytesMax: 64 * 1024 });
  for (let number = 1; number <= 40_000; number++) {
    shipper.write({ message: `entry ${number}`, attributes: { padding: "x".repeat(300) } });
    if (number % 500 === 0) await until("room", () => shipper.summary.inMemory.bytes < 2.5 * mebibyte);
  }
  const { dropped, spooled } = shipper.summary;
  assert.equal(dropped, 0);
  assert.ok(spooled.entries > 30_000, `${spooled.entries} in the spool`);
});

test("the server's refusals are told one by one, with the entry, and written to the dead letter file", async (t) => {
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { entries } of batches) {
        const bad = entries.flatMap(({ message }, index) => (message === "" ? [index] : []));
        const rejections = bad.map((index) => ({ index, reason: "message: empty" }));
        yield { accepted: entries.length - bad.length, rejections };
      }
    },
  });
  const deadLetter = join(await temporaryFolder(t), "rejected.ndjson");
  const shipper = open(t, { url, deadLetter, service: "api" });
  const told: RejectedWrite[] = [];
  shipper.on("rejected", (rejection) => told.push(rejection));
  shipper.write({ message: "a" });
  shipper.write({ message: "", attributes: { n: "2" } });
  assert.equal(shipper.write({ message: "x".repeat(mebibyte) }), false);
  // @ts-expect-error JavaScript may hand in anything.
  assert.equal(shipper.write({ message: "c", timestamp: "yesterday" }), false);
  // @ts-expect-error
  assert.equal(shipper.write(undefined), false);
  shipper.write({ message: "d" });
  const summary = await shipper.close();
  assert.deepEqual([summary.written, summary.accepted, summary.rejected, summary.pending], [6, 2, 4, 0]);
  assert.deepEqual(
    told.map(({ reason }) => reason.slice(0, 20)),
    ["entry: 1048595 bytes", "An entry can't be en", "An entry can't be en", "message: empty"],
  );
  const last = told.at(-1)?.entry;
  assert.deepEqual([last?.service, last?.attributes], ["api", { n: "2" }]);
  const lines = (await readFile(deadLetter, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(lines.length, 4);
  assert.equal(lines[3].reason, "message: empty");
  assert.deepEqual(lines[3].entry.attributes, { n: "2" });
});

test("an entry that is refused for now is sent again, alone, and nothing is lost", async (t) => {
  const log = new MemoryLog();
  let refused = false;
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { producerId, firstSequence, entries } of batches) {
        const messages = entries.map(({ message }) => message);
        if (refused) {
          yield log.write(producerId, Number(firstSequence), messages);
          continue;
        }
        refused = true;
        log.write(producerId, 1, messages.slice(0, 1));
        log.write(producerId, 3, messages.slice(2));
        yield { accepted: messages.length - 1, rejections: [{ index: 1, reason: "busy", retryable: true }] };
      }
    },
  });
  const shipper = open(t, { url });
  writeNumbered(shipper, 1, 4);
  const summary = await shipper.flush();
  assert.deepEqual([summary.accepted, summary.duplicates, summary.rejected], [4, 0, 0]);
  assert.deepEqual(log.messages, ["entry 1", "entry 3", "entry 4", "entry 2"]);
});

test("a batch that the server refuses as a whole does not stop those behind it", async (t) => {
  const log = new MemoryLog();
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { producerId, firstSequence, entries } of batches) {
        if (firstSequence === 11n) throw new ConnectError("entries: malformed", Code.InvalidArgument);
        yield log.write(
          producerId,
          Number(firstSequence),
          entries.map(({ message }) => message),
        );
      }
    },
  });
  const shipper = open(t, { url, batchEntriesMax: 10 });
  const reasons: string[] = [];
  shipper.on("rejected", ({ reason }) => reasons.push(reason));
  writeNumbered(shipper, 1, 40);
  const summary = await shipper.flush();
  assert.deepEqual([summary.accepted, summary.rejected], [30, 10]);
  assert.deepEqual(reasons, Array(10).fill("entries: malformed"));
  assert.deepEqual(log.messages, [...numbered(1, 10), ...numbered(21, 40)]);
});

test("a token that is refused is tried again: somebody may mend it", async (t) => {
  const log = new MemoryLog();
  let isKnown = false;
  const service = logService(log);
  const { url } = await startServer(t, {
    async *shipLogs(batches, context) {
      if (!isKnown) throw new ConnectError("who are you", Code.Unauthenticated);
      if (service.shipLogs !== undefined) yield* service.shipLogs(batches, context);
    },
  });
  const shipper = open(t, { url });
  shipper.write({ message: "patient" });
  await until("a retry", () => shipper.state.kind === "retrying");
  assert.ok(shipper.state.kind === "retrying" && shipper.state.error.code === Code.Unauthenticated);
  isKnown = true;
  assert.equal((await shipper.flush()).accepted, 1);
});

for (const overflow of ["drop-oldest", "drop-newest"] as const) {
  test(`${overflow}: what does not fit is counted and told, never more and never less`, async (t) => {
    const { url, port } = await awayServer(t);
    const shipper = open(t, {
      url,
      overflow,
      memoryBytesMax: 4 * mebibyte,
      batchBytesMax: 32 * 1024,
      inFlightMax: 2,
    });
    let told = 0;
    shipper.on("dropped", ({ count, reason }) => {
      assert.equal(reason, "overflow");
      told += count;
    });
    const count = 20_000;
    let refused = 0;
    for (let number = 1; number <= count; number++) {
      if (!shipper.write({ message: `entry ${number} ${"x".repeat(500)}` })) refused++;
    }
    const { dropped, pending, inMemory } = shipper.summary;
    assert.ok(dropped > count / 2 && dropped < count, `${dropped} dropped`);
    assert.equal(dropped + pending, count);
    assert.equal(refused, overflow === "drop-newest" ? dropped : 0);
    assert.ok(inMemory.bytes < 4.5 * mebibyte);
    const log = new MemoryLog();
    await startServer(t, logService(log), { port });
    const summary = await shipper.close();
    assert.equal(summary.accepted, count - dropped);
    assert.equal(told, dropped);
    const numbers = log.messages.map((message) => Number(message.split(" ")[1]));
    assert.ok(
      numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)),
      "in order",
    );
    assert.equal(numbers.includes(count), overflow === "drop-oldest");
    assert.equal(numbers.at(-1), overflow === "drop-oldest" ? count : pending);
  });
}

test("a full spool gives up its oldest entries for newer ones, and says how many", async (t) => {
  const { url, port } = await awayServer(t);
  const spool = { folder: await temporaryFolder(t), bytesMax: 4 * mebibyte };
  const shipper = open(t, {
    url,
    spool,
    memoryBytesMax: 4 * mebibyte,
    batchBytesMax: 32 * 1024,
    inFlightMax: 2,
  });
  let count = 0;
  const writeNext = (): boolean => shipper.write({ message: `entry ${++count} ${"x".repeat(500)}` });
  while (count < 30_000) {
    writeNext();
    if (count % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until("drops", () => shipper.summary.dropped > count / 4);
  // While all of memory is on its way to the disk there is nothing older to give up.
  await until("room for a last one", writeNext);
  const log = new MemoryLog();
  await startServer(t, logService(log), { port });
  const { accepted, dropped, pending } = await shipper.flush();
  assert.deepEqual([accepted + dropped, pending], [count, 0]);
  assert.equal(log.messages.length, accepted);
  assert.ok(log.messages.at(-1)?.startsWith(`entry ${count} `));
});

test("a full spool that must not give anything up leaves the event loop alone, and goes on when there is room", async (t) => {
  const { url, port } = await awayServer(t);
  const spool = { folder: await temporaryFolder(t), bytesMax: 4 * mebibyte };
  const sizes = { memoryBytesMax: 4 * mebibyte, batchBytesMax: 32 * 1024, inFlightMax: 2 };
  const shipper = open(t, { url, spool, ...sizes, overflow: "drop-newest" });
  let written = 0;
  while (shipper.summary.dropped === 0) {
    shipper.write({ message: `entry ${++written} ${"x".repeat(500)}` });
    if (written % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  // Timers fire, a second at least.
  const startedAt = performance.now();
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(performance.now() - startedAt < 5_000);
  const log = new MemoryLog();
  await startServer(t, logService(log), { port });
  const { accepted, dropped } = await shipper.flush();
  assert.deepEqual([accepted, dropped], [written - 1, 1]);
});

test("block: write says when there is no room, and who waits for it loses nothing", async (t) => {
  const { url, port } = await awayServer(t);
  const shipper = open(t, { url, overflow: "block", memoryBytesMax: 4 * mebibyte });
  let written = 0;
  while (shipper.write({ message: `entry ${++written}`, attributes: { padding: "x".repeat(1_000) } }));
  let isReady = false;
  const ready = shipper.ready().then(() => {
    isReady = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(isReady, false);
  const log = new MemoryLog();
  await startServer(t, logService(log), { port });
  await ready;
  const summary = await shipper.close();
  assert.deepEqual([summary.accepted, summary.dropped], [written, 0]);
  assert.deepEqual(log.messages, numbered(1, written));
});

test("flush resolves in time, close too, and what is written after it is dropped aloud", async (t) => {
  const { url } = await startServer(t, silentService);
  const shipper = open(t, { url });
  writeNumbered(shipper, 1, 10);
  const flushed = await shipper.flush({ timeoutMs: 30 });
  assert.equal(flushed.pending, 10);
  const dropped: string[] = [];
  shipper.on("dropped", ({ count, reason }) => dropped.push(`${count} ${reason}`));
  const closing = shipper.close({ timeoutMs: 30 });
  assert.equal(shipper.state.kind, "draining");
  assert.equal(shipper.write({ message: "late" }), false);
  const closed = await closing;
  assert.equal(await shipper.close(), closed);
  assert.deepEqual([closed.written, closed.pending, closed.dropped], [11, 10, 1]);
  assert.deepEqual(dropped, ["1 closed"]);
  await shipper.ready();
});

test("an abort closes at once, and keeps the rest in the spool", async (t) => {
  const { url } = await startServer(t, silentService);
  const stop = new AbortController();
  const spool = await temporaryFolder(t);
  const shipper = open(t, { url, spool, signal: stop.signal });
  writeNumbered(shipper, 1, 10);
  await until("a connection", () => shipper.summary.inMemory.entries === 10);
  stop.abort();
  const { pending, spooled } = await shipper.close();
  assert.deepEqual([pending, spooled.entries], [10, 10]);
  assert.equal(open(t, { url, signal: AbortSignal.abort() }).write({ message: "late" }), false);
});

test("a spool that can't be used is told, and entries go through memory", async (t) => {
  const log = new MemoryLog();
  const { url } = await startServer(t, logService(log));
  const file = join(await temporaryFolder(t), "file");
  await writeFile(file, "");
  const shipper = open(t, { url, spool: file });
  const faults: ShipperFault[] = [];
  shipper.on("fault", (fault) => faults.push(fault));
  writeNumbered(shipper, 1, 10);
  assert.equal((await shipper.flush()).accepted, 10);
  assert.equal(faults[0]?.kind, "spool-unavailable");
  assert.match(faults[0]?.message ?? "", /the spool can't be used now: .*file/);
});

test("listeners that throw harm nobody, and diagnostics channels tell the same", async (t) => {
  const log = new MemoryLog();
  const { url } = await startServer(t, logService(log));
  const published: unknown[] = [];
  const note = (message: unknown): unknown => published.push(message);
  for (const name of ["logsvc:shipper:state", "logsvc:shipper:batch"]) {
    subscribe(name, note);
    t.after(() => unsubscribe(name, note));
  }
  const shipper = open(t, { url });
  const faults: ShipperFault[] = [];
  const fail = (): never => {
    throw new Error("mine");
  };
  shipper.on("state", fail).on("fault", (fault) => faults.push(fault));
  writeNumbered(shipper, 1, 3);
  assert.equal((await shipper.flush()).accepted, 3);
  assert.equal(faults[0]?.kind, "listener");
  assert.match(faults[0]?.message ?? "", /"state" threw: mine/);
  shipper.off("state", fail);
  assert.ok(published.some((message) => JSON.stringify(message)?.includes('"entries":3')));
  assert.ok(published.some((message) => JSON.stringify(message) === '{"kind":"open"}'));
});

test("clocks that jump change neither waiting nor order", async (t) => {
  const entries: LogEntry[] = [];
  const { url } = await startServer(t, keepEntries(entries));
  let nowMs = Date.now();
  const shipper = open(t, {
    url,
    clock: { ...fastClock, now: () => nowMs },
    spool: await temporaryFolder(t),
  });
  shipper.write({ message: "now" });
  nowMs -= 365 * 86_400_000;
  shipper.write({ message: "a year ago" });
  nowMs += 2 * 365 * 86_400_000;
  shipper.write({ message: "in a year" });
  await shipper.flush();
  assert.deepEqual(
    entries.map(({ message }) => message),
    ["now", "a year ago", "in a year"],
  );
});

test("several shippers in one process, and in its threads, share a spool's folder", async (t) => {
  const { url, port } = await awayServer(t);
  const folder = await temporaryFolder(t);
  const shippers = [1, 2].map((number) => open(t, { url, spool: folder, service: `main ${number}` }));
  for (const shipper of shippers) writeNumbered(shipper, 1, 100);
  const script = `
    const { workerData, parentPort } = require("node:worker_threads");
    import(workerData.module).then(async ({ createShipper }) => {
      const shipper = createShipper({ url: workerData.url, spool: workerData.folder });
      for (let number = 1; number <= 100; number++) shipper.write({ message: "entry " + number });
      const { spooled } = await shipper.close({ timeoutMs: 0 });
      parentPort.postMessage(spooled.entries);
    });`;
  const workerData = { url, folder, module: new URL("./create-shipper.ts", import.meta.url).href };
  const [spooled] = await once(new Worker(script, { eval: true, workerData }), "message");
  assert.equal(spooled, 100);
  for (const shipper of shippers) {
    assert.equal((await shipper.close({ timeoutMs: 0 })).spooled.entries, 100);
  }
  const log = new MemoryLog();
  await startServer(t, logService(log), { port });
  const next = open(t, { url, spool: folder });
  const summary = await next.flush();
  assert.deepEqual([summary.recovered, summary.accepted, summary.duplicates], [300, 300, 0]);
});

test("options are checked, and named", () => {
  const url = "http://localhost:1";
  const cases: [Partial<ShipperOptions>, RegExp][] = [
    [{ memoryBytesMax: 1 }, /memoryBytesMax to be an integer from 4194304 .* got 1/],
    [{ batchEntriesMax: 0 }, /batchEntriesMax .* got 0/],
    [{ batchBytesMax: 2 ** 30 }, /batchBytesMax .* got 1073741824/],
    [{ batchAgeMsMax: -1 }, /batchAgeMsMax .* got -1/],
    [{ inFlightMax: 0 }, /inFlightMax .* got 0/],
    [{ spool: "" }, /spool to be a folder's path/],
    [{ spool: { folder: "x", bytesMax: 1 } }, /spool.bytesMax .* got 1/],
    // @ts-expect-error
    [{ overflow: "drop" }, /overflow to be "block", .* got "drop"/],
    // @ts-expect-error
    [{ spool: { folder: "x", fsync: true } }, /spool.fsync .* got true/],
  ];
  for (const [options, expected] of cases) assert.throws(() => createShipper({ url, ...options }), expected);
});
