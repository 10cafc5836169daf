import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { type Clock, Code, ConnectError, type LogEntryInit, systemClock } from "@logsvc/client";
import { type BatchSenderState, openBatchSender, type RejectedEntry } from "./batch-sender.ts";
import { createNodeClient, type NodeLogClient } from "./node-client.ts";
import { logService, MemoryLog } from "./testing/memory-log.ts";
import { startServer } from "./testing/test-server.ts";

/** Waits a hundredth of the time, so that retries don't make a test slow. */
const fastClock: Clock = {
  ...systemClock,
  startTimer: (callback, delayMs) => systemClock.startTimer(callback, delayMs / 100),
};

const numbered = (from: number, count: number): LogEntryInit[] =>
  Array.from({ length: count }, (_, index) => ({ message: `entry ${from + index}` }));

function open(t: TestContext, url: string): NodeLogClient {
  const client = createNodeClient({ url });
  t.after(() => client.close());
  return client;
}

test("entries are stored in order, numbered from 1", async (t) => {
  const log = new MemoryLog();
  const { url } = await startServer(t, logService(log));
  const sender = openBatchSender(open(t, url), { producerId: "p" });
  for (let from = 0; from < 500; from += 100) await sender.send(numbered(from, 100));
  const summary = await sender.close();
  assert.deepEqual(summary, { sent: 500, accepted: 500, duplicates: 0, rejected: 0, pending: 0 });
  assert.deepEqual(
    log.messages,
    numbered(0, 500).map(({ message }) => message),
  );
  assert.deepEqual(
    log.batches.map(({ firstSequence }) => firstSequence),
    [1, 101, 201, 301, 401],
  );
  assert.deepEqual(sender.state, { kind: "closed" });
});

test("whatever breaks, each entry is stored once, in order, and its sequences stay", async (t) => {
  const log = new MemoryLog();
  let batches = 0;
  let restarting: Promise<unknown> = Promise.resolve();
  const service = logService(log, async () => {
    // Every seventh batch is stored, and its answer is never heard.
    if (++batches % 7 === 0) {
      restarting = restart();
      await new Promise<never>(() => undefined);
    }
  });
  let server = await startServer(t, service);
  const { url, port } = server;
  async function restart(): Promise<void> {
    await server.kill();
    server = await startServer(t, service, { port });
  }
  const states: BatchSenderState["kind"][] = [];
  const sender = openBatchSender(open(t, url), {
    inFlightMax: 4,
    clock: fastClock,
    onState: ({ kind }) => states.push(kind),
  });
  for (let from = 0; from < 400; from += 10) await sender.send(numbered(from, 10));
  const summary = await sender.close();
  await restarting;
  assert.deepEqual(
    log.messages,
    numbered(0, 400).map(({ message }) => message),
  );
  assert.equal(summary.accepted, 400);
  assert.ok(summary.duplicates >= 10, `${summary.duplicates} repeats were recognised`);
  assert.ok(states.includes("retrying") && states.includes("open") && states.at(-1) === "closed");
  assert.ok(
    log.batches.every(({ producerId, firstSequence }) => producerId !== "" && firstSequence % 10 === 1),
  );
});

test("the server's refusals and entries over the limit are told one by one", async (t) => {
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { entries } of batches) {
        const bad = entries.flatMap(({ message }, index) => (message === "" ? [index] : []));
        yield {
          accepted: entries.length - bad.length,
          rejections: bad.map((index) => ({ index, reason: "message: empty" })),
        };
      }
    },
  });
  const rejected: RejectedEntry[] = [];
  const sender = openBatchSender(open(t, url), { onRejected: (rejection) => rejected.push(rejection) });
  await sender.send([{ message: "a" }]);
  const large = { message: "x".repeat(2 ** 20) };
  await sender.send([{ message: "b" }, large, { message: "" }, { message: "c" }]);
  const summary = await sender.close();
  assert.deepEqual(summary, { sent: 5, accepted: 3, duplicates: 0, rejected: 2, pending: 0 });
  assert.deepEqual(rejected, [
    { entry: large, index: 2, reason: "entry: 1048580 bytes, the limit is 1048576" },
    { entry: { message: "" }, index: 3, reason: "message: empty" },
  ]);
});

test("an entry that is refused for now is sent again, alone, with its own sequence", async (t) => {
  const log = new MemoryLog();
  let refused = false;
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { producerId, firstSequence, entries } of batches) {
        const messages = entries.map(({ message }) => message);
        if (!refused) {
          refused = true;
          log.write(producerId, Number(firstSequence), messages.slice(0, 1));
          log.write(producerId, Number(firstSequence) + 2, messages.slice(2));
          yield { accepted: 2, rejections: [{ index: 1, reason: "busy", retryable: true }] };
        } else {
          yield log.write(producerId, Number(firstSequence), messages);
        }
      }
    },
  });
  const sender = openBatchSender(open(t, url), { clock: fastClock });
  await sender.send(numbered(0, 3));
  const summary = await sender.close();
  assert.deepEqual(summary, { sent: 3, accepted: 3, duplicates: 0, rejected: 0, pending: 0 });
  assert.deepEqual(log.messages, ["entry 0", "entry 2", "entry 1"]);
  assert.deepEqual(
    log.batches.map(({ firstSequence }) => firstSequence),
    [1, 3, 2],
  );
});

test("no more batches are in flight than allowed, and send waits", async (t) => {
  const gate = Promise.withResolvers<void>();
  const arrived: number[] = [];
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { entries } of batches) {
        arrived.push(entries.length);
        await gate.promise;
        yield { accepted: entries.length };
      }
    },
  });
  const sender = openBatchSender(open(t, url), { inFlightMax: 2 });
  await sender.send(numbered(0, 1));
  let sent = false;
  const second = sender.send(numbered(1, 1)).then(() => {
    sent = true;
  });
  await assert.rejects(sender.send(numbered(2, 1)), /before its last call had resolved/);
  while (arrived.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent, false);
  assert.equal(sender.summary.pending, 2);
  gate.resolve();
  await second;
  await sender.close();
});

test("large sends are cut below the bytes of a batch", async (t) => {
  const sizes: number[] = [];
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { entries } of batches) {
        sizes.push(entries.length);
        yield { accepted: entries.length };
      }
    },
  });
  const sender = openBatchSender(open(t, url));
  await sender.send(Array.from({ length: 25 }, () => ({ message: "x".repeat(100_000) })));
  await sender.send(numbered(0, 25_000));
  await sender.close();
  assert.deepEqual(sizes, [10, 10, 5, 10_000, 10_000, 5_000]);
});

test("an error that no retry mends is told to everybody who waits", async (t) => {
  const { url } = await startServer(t, {
    // biome-ignore lint/correctness/useYield: it fails before it can yield
    async *shipLogs() {
      throw new ConnectError("who are you", Code.Unauthenticated);
    },
  });
  const sender = openBatchSender(open(t, url));
  await sender.send(numbered(0, 3));
  await assert.rejects(sender.flush(), { code: Code.Unauthenticated });
  await assert.rejects(sender.send(numbered(3, 1)), { code: Code.Unauthenticated });
  await assert.rejects(sender.close(), { code: Code.Unauthenticated });
  assert.equal(sender.summary.pending, 3);
  assert.ok(sender.state.kind === "closed" && sender.state.error?.code === Code.Unauthenticated);
});

test("it gives up when nothing was answered for as long as it may take", async (t) => {
  const server = await startServer(t, {});
  await server.kill();
  const sender = openBatchSender(open(t, server.url), { retryTimeoutMs: 50, clock: fastClock });
  await sender.send(numbered(0, 1));
  await assert.rejects(sender.flush(), { code: Code.Unavailable });
  assert.equal(sender.summary.pending, 1);
});

test("a server that never answers is given up and sent to again", async (t) => {
  let streams = 0;
  const { url } = await startServer(t, {
    async *shipLogs(batches, { signal }) {
      if (++streams === 1) await new Promise((resolve) => signal.addEventListener("abort", resolve));
      for await (const { entries } of batches) yield { accepted: entries.length };
    },
  });
  const clock: Clock = {
    ...systemClock,
    startTimer: (callback, delayMs) => systemClock.startTimer(callback, delayMs / 1_000),
  };
  const sender = openBatchSender(open(t, url), { clock });
  await sender.send(numbered(0, 1));
  assert.equal((await sender.close()).accepted, 1);
  assert.equal(streams, 2);
});

test("an abort gives up at once", async (t) => {
  const { url } = await startServer(t, {
    async *shipLogs(_, { signal }) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield {};
    },
  });
  const stop = new AbortController();
  const sender = openBatchSender(open(t, url), { signal: stop.signal });
  await sender.send(numbered(0, 1));
  const flushed = sender.flush();
  stop.abort();
  await assert.rejects(flushed, { code: Code.Canceled });
});

test("an answer that does not account for every entry is data loss, not success", async (t) => {
  const { url } = await startServer(t, {
    async *shipLogs(batches) {
      for await (const { entries } of batches) yield { accepted: entries.length - 1 };
    },
  });
  const sender = openBatchSender(open(t, url));
  await sender.send(numbered(0, 5));
  await assert.rejects(sender.close(), { code: Code.DataLoss, message: /answered for 4 of 5 entries/ });
});

test("what can't be encoded is refused before anything of it is sent", async (t) => {
  const log = new MemoryLog();
  const { url } = await startServer(t, logService(log));
  const sender = openBatchSender(open(t, url));
  await assert.rejects(sender.send([{ message: "a" }, { message: "b", timestamp: 2n ** 70n }]), TypeError);
  await sender.send([{ message: "c" }]);
  assert.deepEqual(await sender.close(), { sent: 1, accepted: 1, duplicates: 0, rejected: 0, pending: 0 });
  assert.deepEqual(log.messages, ["c"]);
});

test("a sender that sent nothing closes, and is closed", async (t) => {
  const { url } = await startServer(t, {});
  await using sender = openBatchSender(open(t, url));
  assert.equal((await sender.close()).sent, 0);
  assert.deepEqual(sender.state, { kind: "closed" });
  await assert.rejects(sender.send(numbered(0, 1)), { code: Code.FailedPrecondition });
  assert.throws(() => openBatchSender(open(t, url), { inFlightMax: 0 }), /inFlightMax .* got 0/);
  assert.throws(
    () => openBatchSender(open(t, url), { firstSequence: 0 }),
    /firstSequence to be from 1, got 0/,
  );
});
