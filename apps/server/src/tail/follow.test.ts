/** Both forms of a tail, straight on an engine: the same entries, sharing, rests, and who is slow. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { type TestContext, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { EntryBatchBuilder } from "@logsvc/engine";
import { LogEntrySchema, type TailLogsResponse, TailLogsResponseSchema } from "@logsvc/proto";
import { Lifecycle } from "../lifecycle.ts";
import { Counters } from "../stats/counters.ts";
import { startServer, until } from "../testing/start-server.ts";
import { Rest, restMsOf } from "./rest.ts";
import { SharedMatches } from "./shared-matches.ts";
import { followEncoded, followLog, type TailOptions, type TailRequest } from "./tail.ts";

const everything: TailRequest = { filter: "", cursor: "", last: 0, since: 0n };

async function openLog(
  t: TestContext,
): Promise<TailOptions & { write(...messages: string[]): Promise<void> }> {
  const { engine } = await startServer(t);
  let seconds = 0n;
  const write = async (...messages: string[]): Promise<void> => {
    const builder = new EntryBatchBuilder();
    for (const message of messages) {
      // 1970, the first second, the second one, …
      seconds += 1n;
      builder.add(create(LogEntrySchema, { message, timestamp: seconds * 1_000_000_000n }));
    }
    await engine.append(builder.build());
  };
  const lifecycle = new Lifecycle();
  t.after(() => lifecycle.drain(0));
  return {
    engine,
    lifecycle,
    counters: new Counters(),
    matches: new SharedMatches(),
    heartbeatIntervalMs: 15_000,
    write,
  };
}

/** What a client of a binary format makes of a response. */
function decoded(response: TailLogsResponse): TailLogsResponse {
  return fromBinary(TailLogsResponseSchema, toBinary(TailLogsResponseSchema, response));
}

interface Taken {
  readonly messages: string[];
  readonly ids: string[];
  cursor: string;
}

/** Takes responses until there are so many entries. */
async function take(
  responses: AsyncIterable<Pick<TailLogsResponse, "cursor" | "entries">>,
  count: number,
): Promise<Taken> {
  const taken: Taken = { messages: [], ids: [], cursor: "" };
  for await (const { cursor, entries } of responses) {
    taken.messages.push(...entries.map(({ entry }) => entry?.message ?? ""));
    taken.ids.push(...entries.map(({ id }) => id));
    taken.cursor = cursor;
    if (taken.messages.length >= count) break;
  }
  return taken;
}

async function* eachDecoded(responses: AsyncIterable<TailLogsResponse>): AsyncGenerator<TailLogsResponse> {
  for await (const response of responses) yield decoded(response);
}

/** Ends a tail that waits for what never comes. */
const patience = (): AbortSignal => AbortSignal.timeout(20_000);

test("a tail has the same backlog, entries and cursors in both forms", async (t) => {
  const log = await openLog(t);
  await log.write("a 1", "b", "a 2", "a 3");
  for (const request of [
    { ...everything, filter: "a", last: 2 },
    { ...everything, filter: "a", since: 2n },
    { ...everything, filter: "a", since: 3n, last: 5 },
  ]) {
    const asObjects = take(followLog(request, patience(), log), 4);
    const asBytes = take(eachDecoded(followEncoded(request, patience(), log)), 4);
    await until(() => log.counters.tails.size === 2, "two tails");
    await log.write("b", "a 4", "a 5", "b");
    await log.write("b", "a 6");
    const [objects, bytes] = await Promise.all([asObjects, asBytes]);
    const count = Math.min(objects.messages.length, bytes.messages.length);
    assert(count >= 4);
    assert.deepEqual(bytes.messages.slice(0, count), objects.messages.slice(0, count));
    assert.deepEqual(bytes.ids.slice(0, count), objects.ids.slice(0, count));
    for (const { cursor } of [objects, bytes]) assert(log.engine.lag(cursor) >= 0);
  }
  assert.equal(log.matches.size, 0, "who has gone is forgotten");
});

test("of two tails with one filter, the one who does not read makes the other wait for nothing, and loses nothing", async (t) => {
  const log = await openLog(t);
  const slow = followEncoded({ ...everything, filter: "entry" }, patience(), log);
  const fast = followEncoded({ ...everything, filter: "message:entry" }, patience(), log);
  assert.equal((await slow.next()).value?.event.case, "opened");
  assert.equal((await fast.next()).value?.event.case, "opened");
  assert.equal(log.matches.size, 1);
  const expected = Array.from({ length: 60 }, (_, index) => `entry ${index}`);
  const reading = take(eachDecoded(fast), 60);
  for (const message of expected) await log.write(message, "noise");
  assert.deepEqual((await reading).messages, expected);
  assert.deepEqual((await take(eachDecoded(slow), 60)).messages, expected);
});

test("a tail among very many rests, and loses nothing; its stop ends the rest at once", async (t) => {
  const log = await openLog(t);
  for (let index = 0; index < 5_000; index++) log.counters.tails.add({ cursor: "" });
  const stop = new AbortController();
  const tail = followEncoded(everything, stop.signal, log);
  await tail.next();
  const messages: string[] = [];
  const reading = (async () => {
    for await (const { entries } of eachDecoded(tail)) {
      messages.push(...entries.map(({ entry }) => entry?.message ?? ""));
    }
  })();
  const expected = Array.from({ length: 30 }, (_, index) => `entry ${index}`);
  for (const message of expected) await log.write(message);
  await until(() => messages.length === 30, "all entries");
  assert.deepEqual(messages, expected);
  stop.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
});

test("rests grow with the number of tails, up to a bound, and end when the tail has to", async () => {
  assert.deepEqual([1, 6, 100, 1_000, 20_000].map(restMsOf), [0, 0, 14, 140, 140]);
  const stop = new AbortController();
  const rest = new Rest(stop.signal);
  const long = rest.take(2 ** 30);
  stop.abort();
  await long;
  await rest.take(2 ** 30);
  rest.close();
});

test("rests that begin together end together, the shorter ones first", async () => {
  const { signal } = new AbortController();
  let turn = 0;
  const counting = setInterval(() => turn++, 0);
  const endOf = async (ms: number) => {
    const rest = new Rest(signal);
    await rest.take(ms);
    rest.close();
    return turn;
  };
  const [long, ...short] = await Promise.all([200, ...Array.from({ length: 200 }, () => 20)].map(endOf));
  clearInterval(counting);
  assert.ok(long !== undefined && short.every((end) => end <= long));
  assert.ok(new Set(short).size <= 10, `they ended in ${new Set(short).size} turns`);
});

test("a tail that has nothing to do does not keep those alive that rested with it", async () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const { signal } = new AbortController();
  const idle = new Rest(signal);
  const others: WeakRef<Rest>[] = [];
  const rests = Array.from({ length: 20 }, async () => {
    const rest = new Rest(signal);
    others.push(new WeakRef(rest));
    await rest.take(20);
    // Whoever goes on leaves the rest that they had together behind.
    await rest.take(20);
    rest.close();
  });
  await Promise.all([idle.take(20), ...rests]);
  await until(() => {
    collectGarbage();
    return others.every((rest) => rest.deref() === undefined);
  }, "the end of those that are closed");
  idle.close();
});

test("a tail that has ended is told of no drain", async (t) => {
  const log = await openLog(t);
  const tail = followEncoded(everything, patience(), log);
  await tail.next();
  assert.equal(getEventListeners(log.lifecycle.draining, "abort").length, 1);
  await tail.return();
  assert.equal(getEventListeners(log.lifecycle.draining, "abort").length, 0);
});
