import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Clock, Code, ConnectError } from "@logsvc/client-web";
import fc from "fast-check";
import type { Frames } from "./frame-signal.ts";
import { LogBuffer, type LogBufferOptions } from "./log-buffer.ts";
import { LogSource, type Question, type SourceSnapshot } from "./log-source.ts";
import { MemoryLog } from "./testing/memory-log.ts";

/** Frames that come as soon as the event loop is free. */
const frames: Frames = {
  request(callback) {
    const frame = setImmediate(callback);
    return () => clearImmediate(frame);
  },
};

/** Waits of nothing: retries come at once. */
const clock: Clock = {
  now: () => 1_000_000_000,
  startTimer: (callback) => {
    const timer = setImmediate(callback);
    return () => clearImmediate(timer);
  },
  random: () => 0,
};

const live: Question = { kind: "entries", filter: "", range: { kind: "live" } };
const between = (start: bigint, end: bigint): Question => ({
  kind: "entries",
  filter: "",
  range: { kind: "between", start, end },
});

function openSource(t: Pick<TestContext, "after">, log: MemoryLog, bounds?: LogBufferOptions): LogSource {
  const source = new LogSource(log, { buffer: new LogBuffer(bounds), frames, clock });
  t.after(() => source.close());
  return source;
}

/** Waits for a snapshot that is as wanted. */
async function until(
  source: LogSource,
  wanted: (snapshot: SourceSnapshot) => boolean,
): Promise<SourceSnapshot> {
  if (wanted(source.snapshot())) return source.snapshot();
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = source.subscribe(() => wanted(source.snapshot()) && resolve());
  await promise;
  stop();
  return source.snapshot();
}

function rowsOf({ buffer }: LogSource, from = buffer.first, end = buffer.end): string[] {
  return Array.from({ length: end - from }, (_, index) => {
    const row = buffer.at(from + index);
    return row?.kind === "gap" ? `gap ${row.count}` : (row?.id ?? "none");
  });
}

const ids = (from: number, end: number): string[] =>
  Array.from({ length: end - from }, (_, index) => `id-${from + index}`);

const shows = (count: number) => (snapshot: SourceSnapshot) => snapshot.end - snapshot.first === count;

test("live begins with the last 500, and goes on with what comes", async (t) => {
  const log = new MemoryLog();
  log.write(2_000);
  const source = openSource(t, log);
  source.ask(live);
  await until(source, shows(500));
  log.write(100);
  const { state, older } = await until(source, shows(600));
  assert.equal(state.kind, "live");
  assert.equal(older.kind, "more");
  assert.deepEqual(rowsOf(source), ids(1_500, 2_100));
});

test("subscribers hear once a frame, however much comes", async (t) => {
  const log = new MemoryLog();
  let due: (() => void) | undefined;
  const source = new LogSource(log, {
    clock,
    frames: {
      request(callback) {
        due = callback;
        return () => {
          due = undefined;
        };
      },
    },
  });
  t.after(() => source.close());
  let told = 0;
  source.subscribe(() => told++);
  log.write(5_000);
  source.ask({ kind: "entries", filter: "", range: { kind: "live" } });
  while (source.buffer.length < 500) await new Promise(setImmediate);
  assert.equal(told, 0);
  const before = source.snapshot();
  due?.();
  assert.equal(told, 1);
  assert.notEqual(source.snapshot(), before);
  assert.equal(source.snapshot(), source.snapshot());
});

test("a pause shows nothing new, counts what waits, and loses nothing", async (t) => {
  const log = new MemoryLog();
  log.write(500);
  const source = openSource(t, log);
  source.ask(live);
  await until(source, shows(500));
  source.pause();
  log.write(1_234);
  const { end, first, paused } = await until(source, ({ waiting }) => waiting === 1_234);
  assert.equal(paused, true);
  assert.equal(end - first, 500);
  source.resume();
  assert.equal(source.snapshot().waiting, 0);
  await until(source, shows(1_734));
  assert.deepEqual(rowsOf(source), ids(0, 1_734));
});

test("what is not there yet, or goes with the next answer, is not held", async (t) => {
  const log = new MemoryLog();
  log.write(500);
  const source = openSource(t, log);
  source.ask(live);
  source.pause();
  assert.equal(source.snapshot().paused, false);
  await until(source, shows(500));
  source.ask({ kind: "around", id: "id-499" });
  await until(source, ({ state }) => state.kind === "done");
  source.ask(live);
  source.pause();
  await until(source, shows(500));
  assert.equal(source.snapshot().paused, false);
});

test("paused and full, the tail is not read any more; resumed, it goes on exactly there", async (t) => {
  const log = new MemoryLog();
  log.write(100);
  const source = openSource(t, log, { rowsMax: 400, waitingRowsMax: 200 });
  source.ask(live);
  await until(source, shows(100));
  source.pause();
  log.write(5_000);
  const { waiting, dropped } = await until(source, ({ state }) => state.kind === "held");
  assert.ok(waiting >= 500 && waiting < 600, `${waiting} wait`);
  assert.equal(dropped, 0);
  assert.ok(log.read < 700, "the server was not read on");
  source.resume();
  const last = await until(
    source,
    () => log.read === 5_100 && source.buffer.dropped + source.buffer.length === 5_100,
  );
  assert.equal(last.state.kind, "live");
  assert.deepEqual(rowsOf(source), ids(source.buffer.dropped, 5_100));
});

test("entries that left for want of room are counted, and may be loaded again as far as there is room", async (t) => {
  const log = new MemoryLog();
  log.write(1_000);
  const source = openSource(t, log, { rowsMax: 800 });
  source.ask(live);
  await until(source, shows(500));
  log.write(550);
  const { dropped, older } = await until(
    source,
    ({ dropped: left, end, first }) => left + end - first === 1_050,
  );
  assert.equal(dropped, 300);
  assert.equal(older.kind, "more");
  source.pause();
  await source.loadOlder();
  await until(source, (snapshot) => snapshot.older.kind === "more");
  await source.loadOlder();
  await until(source, (snapshot) => snapshot.older.kind === "full");
  assert.deepEqual(rowsOf(source), ids(750, 1_550));
});

test("older entries come before the oldest, each once, though some came late", async (t) => {
  const log = new MemoryLog();
  log.write(1_200);
  // The times of these are among those that are loaded later.
  log.write(50, 700_000_000n);
  log.write(460);
  const source = openSource(t, log);
  source.ask(live);
  await until(source, shows(500));
  for (let pages = 0; pages < 5; pages++) await source.loadOlder();
  await until(source, ({ older }) => older.kind === "none");
  const rows = rowsOf(source);
  assert.deepEqual(new Set(rows), new Set(ids(0, 1_710)));
  assert.equal(rows.length, 1_710);
  assert.deepEqual(rows.slice(-500), ids(1_210, 1_710));
});

test("a range is searched from its newest entry, a page at a time, to its beginning", async (t) => {
  const log = new MemoryLog();
  log.write(5_000);
  const source = openSource(t, log);
  source.ask(between(1_000_000_000n, 4_500_000_000n));
  const { older } = await until(source, ({ state }) => state.kind === "done");
  assert.equal(older.kind, "more");
  assert.deepEqual(rowsOf(source), ids(3_500, 4_500));
  while (source.snapshot().older.kind === "more") {
    await source.loadOlder();
    await until(source, (snapshot) => snapshot.older.kind !== "loading");
  }
  assert.deepEqual(rowsOf(source), ids(1_000, 4_500));
});

test("a page that broke off is asked for again, and nothing comes twice", async (t) => {
  const log = new MemoryLog();
  log.write(2_500);
  const source = openSource(t, log);
  const broken = new ConnectError("the connection was cut", Code.Unavailable);
  log.faults.push(broken, broken, broken);
  const states: string[] = [];
  source.subscribe(() => states.push(source.snapshot().state.kind));
  source.ask(between(0n, 10_000_000_000n));
  await until(source, ({ state }) => state.kind === "done");
  assert.deepEqual(rowsOf(source), ids(1_500, 2_500));
  assert.equal(log.queries, 4);
  assert.ok(states.includes("retrying"));
});

for (const [code, cause] of [
  [Code.Unauthenticated, "token"],
  [Code.PermissionDenied, "permission"],
  [Code.OutOfRange, "position"],
  [Code.InvalidArgument, "request"],
] as const) {
  test(`${Code[code]} is a failure of cause "${cause}"; asked again, it is mended`, async (t) => {
    const log = new MemoryLog();
    log.write(10);
    log.faults.push(new ConnectError("no", code));
    const source = openSource(t, log);
    source.ask(live);
    const { state } = await until(source, (snapshot) => snapshot.state.kind === "failed");
    assert.equal(state.kind === "failed" && state.cause, cause);
    source.retry();
    await until(source, shows(10));
  });
}

test("another question keeps what is shown until its answer begins, and nothing of the former comes after", async (t) => {
  const log = new MemoryLog();
  log.write(600);
  const source = openSource(t, log);
  source.ask(live);
  await until(source, shows(500));
  const { answer } = source.snapshot();
  source.ask(between(0n, 100_000_000n));
  assert.deepEqual(rowsOf(source), ids(100, 600));
  const done = await until(source, ({ state }) => state.kind === "done");
  assert.notEqual(done.answer, answer);
  log.write(100);
  await new Promise(setImmediate);
  assert.deepEqual(rowsOf(source), ids(0, 100));
});

test("another filter is shown from the time that the reader looked at", async (t) => {
  const log = new MemoryLog();
  log.write(4_000);
  const source = openSource(t, log);
  source.ask(live);
  await until(source, shows(500));
  source.lookAt(2_000_000_000n);
  source.ask({ ...live, filter: "api" });
  const { seek, paused } = await until(source, (snapshot) => snapshot.seek !== undefined);
  assert.equal(paused, true);
  const row = source.buffer.at(seek?.position ?? 0);
  assert.equal(row?.kind === "entry" && row.id, "id-2000");
  source.ask(between(0n, 9_000_000_000n));
  assert.equal((await until(source, ({ state }) => state.kind === "done")).seek, undefined, "another range");
});

test("an entry is shown among its neighbours", async (t) => {
  const log = new MemoryLog();
  log.write(1_000);
  const source = openSource(t, log);
  source.ask({ kind: "around", id: "id-400" });
  const { seek, older } = await until(source, ({ state }) => state.kind === "done");
  assert.deepEqual(rowsOf(source), ids(300, 500));
  assert.equal(seek?.position, source.buffer.positionOfId("id-400"));
  assert.equal(older.kind, "none");
});

test("a gap is a row where it happened; what is still there is loaded into its place", async (t) => {
  const log = new MemoryLog();
  log.write(100);
  const source = openSource(t, log);
  source.ask(live);
  await until(source, shows(100));
  const { end } = source.buffer;
  source.pause();
  log.deleted = 250;
  log.write(300);
  await until(source, ({ waiting }) => waiting === 150);
  assert.deepEqual(rowsOf(source, end), ["gap 150", ...ids(250, 400)]);
  const key = source.buffer.keyAt(end) ?? 0;
  log.deleted = 180;
  await source.loadGap(key);
  await until(source, ({ moves }) => moves > 0);
  assert.deepEqual(rowsOf(source), [...ids(0, 100), "gap 80", ...ids(180, 400)]);
  assert.equal(source.snapshot().end, 100, "the pause is where it was");
  const rest = source.buffer.keyAt(100) ?? 0;
  const gap = source.buffer.at(100);
  assert.equal(gap?.kind === "gap" && source.snapshot().gaps.get(gap.key)?.kind, "gone");
  await source.loadGap(rest);
  assert.deepEqual(rowsOf(source).slice(0, 102), [...ids(0, 100), "gap 80", "id-180"]);
});

test("whatever happens, every entry is there once, in order, or counted", async (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write"), count: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ kind: fc.constantFrom("pause", "resume", "older", "turn", "retry") }),
  );
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 1_500 }), fc.array(step, { maxLength: 25 }), async (stored, steps) => {
      const log = new MemoryLog();
      log.write(stored + 1);
      const source = openSource(t, log, { rowsMax: 1_500, waitingRowsMax: 300 });
      source.ask(live);
      let pausedAt: number | undefined;
      for (const { kind, ...rest } of steps) {
        if (kind === "write" && "count" in rest) log.write(rest.count);
        else if (kind === "pause") {
          source.pause();
          // An empty list is not held.
          if (source.snapshot().paused) pausedAt ??= source.buffer.end;
        } else if (kind === "resume") {
          source.resume();
          pausedAt = undefined;
        } else if (kind === "older") await source.loadOlder();
        else if (kind === "retry") source.wake();
        else await new Promise(setImmediate);
        if (pausedAt !== undefined) assert.equal(source.snapshot().end, pausedAt, "a pause holds still");
      }
      source.resume();
      await until(
        source,
        () => log.read === log.entries.length && source.snapshot().end === source.buffer.end,
      );
      const rows = rowsOf(source);
      assert.deepEqual(rows, ids(log.entries.length - rows.length, log.entries.length));
      assert.ok(rows.length <= 1_500);
      source.close();
    }),
    { numRuns: 60 },
  );
});
