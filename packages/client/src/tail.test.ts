import assert from "node:assert/strict";
import test from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { FilterErrorSchema } from "@logsvc/proto";
import { filterErrorOf } from "./retryable.ts";
import type { ManualClock } from "./testing/manual-clock.ts";
import {
  backoffMs,
  entries,
  type Handler,
  heartbeat,
  heartbeatIntervalMs,
  opened,
  scene,
  silence,
  take,
  until,
  watchMs,
} from "./testing/scripted-log.ts";

/** A small random sequence that a seed repeats: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const breakCodes = [Code.Unavailable, Code.Internal, Code.Unknown, Code.Aborted, Code.Canceled];

/** Serves a log of `size` entries from the request's cursor on, and breaks off in a random way at a random point. */
function unreliableLog(size: number, random: () => number, clock: () => ManualClock): Handler {
  const upTo = (max: number): number => Math.floor(random() * max);
  return async function* (request, { signal }) {
    if (random() < 0.1) throw new ConnectError("refused", Code.Unavailable);
    let position = Number(request.cursor);
    yield opened(request.cursor);
    while (random() > 0.15) {
      const next = Math.min(size, position + 1 + upTo(7));
      const kind = random();
      if (position === size || kind < 0.15) {
        yield heartbeat(String(position), BigInt(size - position));
      } else if (kind < 0.3) {
        yield {
          cursor: String(next),
          event: {
            case: "gap",
            value: { from: String(position), to: String(next), count: BigInt(next - position) },
          },
        };
        position = next;
      } else {
        yield entries(...Array.from({ length: next - position }, (_, index) => position + 1 + index));
        position = next;
      }
    }
    const end = random();
    if (end < 0.2) return;
    if (end < 0.4) {
      void clock().fire(watchMs);
      await silence(signal);
    }
    throw new ConnectError("cut", breakCodes[upTo(breakCodes.length)]);
  };
}

test("each entry arrives once and in order, whatever breaks", async (t) => {
  for (let seed = 1; seed <= 25; seed++) {
    const size = 200;
    const seen: number[] = [];
    const { tail, clock, requests } = scene(t, [unreliableLog(size, randomFrom(seed), () => clock)], {
      cursor: "0",
      onState: ({ kind }) => {
        if (kind === "retrying") void clock.fire(backoffMs);
      },
    });
    for await (const event of tail) {
      if (event.kind === "entries") seen.push(...event.entries.map((stored) => Number(stored.id)));
      else for (let offset = Number(event.from) + 1; offset <= Number(event.to); offset++) seen.push(offset);
      assert.equal(event.cursor, String(seen.at(-1)));
      assert.equal(tail.cursor, event.cursor);
      if (seen.length >= size) break;
    }
    const expected = Array.from({ length: size }, (_, index) => index + 1);
    assert.deepEqual(seen, expected, `seed ${seed}`);
    assert.ok(requests.length > 1, "something broke");
  }
});

test("a new connection resumes after the last response, matching or not, and repeats filter and since", async (t) => {
  const { tail, clock, requests } = scene(
    t,
    [
      async function* () {
        yield opened("");
        yield entries(3, 4);
        yield { cursor: "9" };
      },
      async function* () {
        yield opened("9");
        yield entries(10);
      },
    ],
    { filter: "level:error", last: 2, since: 1_700_000_000_000_000_000n },
  );
  const reader = tail[Symbol.asyncIterator]();
  const seen = take(reader, 3);
  await clock.fire(backoffMs);
  assert.deepEqual(await seen, [3, 4, 10]);
  const asked = requests.map(({ filter, cursor, since }) => ({ filter, cursor, since }));
  const always = { filter: "level:error", since: 1_700_000_000_000_000_000n };
  assert.deepEqual(asked, [
    { ...always, cursor: "" },
    { ...always, cursor: "9" },
  ]);
});

test("before the first cursor it begins anew with `last`", async (t) => {
  const { tail, clock, requests } = scene(
    t,
    [
      async function* () {
        yield opened("");
        throw new ConnectError("cut", Code.Unavailable);
      },
      async function* () {
        yield opened("");
        yield entries(1, 2, 3);
      },
    ],
    { last: 3 },
  );
  const seen = take(tail[Symbol.asyncIterator](), 3);
  await clock.fire(backoffMs);
  assert.deepEqual(await seen, [1, 2, 3]);
  assert.deepEqual(
    requests.map(({ cursor, last }) => ({ cursor, last })),
    [
      { cursor: "", last: 3 },
      { cursor: "", last: 3 },
    ],
  );
});

test("silence twice as long as the heartbeat's interval ends a connection", async (t) => {
  let abandoned = false;
  const { tail, clock, states } = scene(t, [
    async function* (_, { signal }) {
      signal.addEventListener("abort", () => {
        abandoned = true;
      });
      yield opened("5");
      await silence(signal);
    },
    async function* () {
      yield opened("5");
      yield entries(6);
    },
  ]);
  const seen = take(tail[Symbol.asyncIterator](), 1);
  await clock.fire(watchMs);
  await clock.fire(backoffMs);
  assert.deepEqual(await seen, [6]);
  assert.ok(abandoned);
  const retrying = states.find((state) => state.kind === "retrying");
  assert.match(retrying?.error.message ?? "", /nothing was heard from the server for 20000 ms/);
});

test("a server that does not even open the tail is given up as well", async (t) => {
  const { tail, clock, requests } = scene(t, [
    async function* (_, { signal }) {
      await silence(signal);
      yield opened("never");
    },
    async function* () {
      yield opened("5");
      yield entries(6);
    },
  ]);
  const seen = take(tail[Symbol.asyncIterator](), 1);
  await until(() => requests.length === 1);
  await clock.fire(30_000);
  await clock.fire(backoffMs);
  assert.deepEqual(await seen, [6]);
});

test("a reader that takes its time does not make the server look dead", async (t) => {
  const { tail, clock, requests } = scene(t, [
    async function* () {
      yield opened("0");
      yield entries(1);
      yield entries(2);
    },
  ]);
  const reader = tail[Symbol.asyncIterator]();
  assert.deepEqual(await take(reader, 1), [1]);
  assert.deepEqual(clock.delays, [], "nothing is timed while the reader is busy");
  clock.nowMs += 100 * watchMs;
  tail.wake();
  assert.deepEqual(await take(reader, 1), [2]);
  assert.equal(requests.length, 1);
});

test("a timer that comes late does not count as the server's silence", async (t) => {
  const step = Promise.withResolvers<void>();
  const { tail, clock, requests } = scene(t, [
    async function* () {
      yield opened("0");
      await step.promise;
      yield entries(1);
    },
  ]);
  const seen = take(tail[Symbol.asyncIterator](), 1);
  await clock.fire(watchMs, 3_600_000);
  assert.deepEqual(clock.delays, [5_000], "it goes on reading for a while");
  step.resolve();
  assert.deepEqual(await seen, [1]);
  assert.equal(requests.length, 1);
});

test("where every timer comes late, as in hidden pages, a dead connection is found all the same", async (t) => {
  const { tail, clock, requests } = scene(t, [
    async function* (_, { signal }) {
      yield opened("0");
      await silence(signal);
    },
    async function* () {
      yield opened("0");
      yield entries(1);
    },
  ]);
  const seen = take(tail[Symbol.asyncIterator](), 1);
  await clock.fire(watchMs, 55_000);
  await clock.fire(5_000, 55_000);
  await clock.fire(backoffMs, 55_000);
  assert.deepEqual(await seen, [1]);
  assert.equal(requests.length, 2);
});

test("waking ends the wait before a retry", async (t) => {
  const { tail } = scene(
    t,
    [
      async function* () {
        yield opened("0");
        throw new ConnectError("cut", Code.Unavailable);
      },
      async function* () {
        yield opened("0");
        yield entries(1);
      },
    ],
    { onState: ({ kind }) => void (kind === "retrying" && setImmediate(() => tail.wake())) },
  );
  assert.deepEqual(await take(tail[Symbol.asyncIterator](), 1), [1]);
});

test("waking gives up a connection whose heartbeat is overdue, and only such a one", async (t) => {
  const { tail, clock, requests, states } = scene(t, [
    async function* (_, { signal }) {
      yield opened("0");
      await silence(signal);
    },
    async function* () {
      yield opened("0");
      yield entries(1);
    },
  ]);
  const seen = take(tail[Symbol.asyncIterator](), 1);
  await until(() => tail.state.kind === "live" && clock.delays.includes(watchMs));
  clock.nowMs += heartbeatIntervalMs;
  tail.wake();
  clock.nowMs += 1;
  assert.equal(states.length, 2, "connecting, live");
  tail.wake();
  await clock.fire(backoffMs);
  assert.deepEqual(await seen, [1]);
  assert.equal(requests.length, 2);
});

test("a connection that dies after waking is given up when its heartbeat is overdue, not after twice as long", async (t) => {
  const { tail, clock, requests } = scene(t, [
    async function* (_, { signal }) {
      yield opened("0");
      await silence(signal);
    },
    async function* () {
      yield opened("0");
      yield entries(1);
    },
  ]);
  const seen = take(tail[Symbol.asyncIterator](), 1);
  await until(() => tail.state.kind === "live" && clock.delays.includes(watchMs));
  clock.nowMs += 4_000;
  tail.wake();
  assert.deepEqual(clock.delays, [heartbeatIntervalMs - 4_000 + 2_000]);
  await clock.fire(heartbeatIntervalMs - 4_000 + 2_000);
  await clock.fire(backoffMs);
  assert.deepEqual(await seen, [1]);
  assert.equal(requests.length, 2);
});

test("a proxy that cuts every quiet stream after some seconds does not make the waits grow", async (t) => {
  const { tail, clock, states } = scene(t, [
    async function* () {
      yield opened("0");
      clock.nowMs += 9_000;
    },
  ]);
  const reader = tail[Symbol.asyncIterator]();
  const next = reader.next();
  for (let cut = 1; cut <= 5; cut++) await clock.fire(backoffMs);
  await until(() => states.filter(({ kind }) => kind === "retrying").length === 6);
  const waits = states.flatMap((state) => (state.kind === "retrying" ? [state.attempt, state.delayMs] : []));
  assert.deepEqual(waits.slice(0, 10), [1, 250, 1, 250, 1, 250, 1, 250, 1, 250]);
  assert.equal(waits[10], 1);
  await reader.return?.();
  assert.deepEqual(await next, { done: true, value: undefined });
});

test("a token that expires ends the tail, and a new one goes on after what it had", async (t) => {
  const handlers: Handler[] = [
    async function* () {
      yield opened("0");
      yield entries(1, 2);
      throw new ConnectError("the token has expired", Code.Unauthenticated);
    },
    async function* ({ cursor }) {
      yield opened(cursor);
      yield entries(3);
    },
  ];
  const first = scene(t, handlers);
  const reader = first.tail[Symbol.asyncIterator]();
  assert.deepEqual(await take(reader, 2), [1, 2]);
  await assert.rejects(reader.next(), { code: Code.Unauthenticated });
  const { state, cursor } = first.tail;
  assert.ok(state.kind === "closed" && state.error?.code === Code.Unauthenticated);
  const second = scene(t, handlers.slice(1), { cursor });
  assert.deepEqual(await take(second.tail[Symbol.asyncIterator](), 1), [3]);
  assert.equal(second.requests[0]?.cursor, "2");
});

test("errors that no retry mends end the tail", async (t) => {
  const codes = [
    Code.InvalidArgument,
    Code.Unauthenticated,
    Code.PermissionDenied,
    Code.OutOfRange,
    Code.Unimplemented,
    Code.NotFound,
    Code.DataLoss,
  ];
  for (const code of codes) {
    const { tail, requests } = scene(t, [
      async function* () {
        yield opened("0");
        throw new ConnectError("no", code);
      },
    ]);
    await assert.rejects(take(tail[Symbol.asyncIterator](), 1), { name: "ConnectError", code });
    const { state } = tail;
    assert.ok(state.kind === "closed" && state.error?.code === code);
    assert.equal(requests.length, 1);
  }
});

test("a filter that does not parse says where", async (t) => {
  const value = create(FilterErrorSchema, { start: 6, end: 8, reason: "expected a value" });
  const { tail } = scene(t, [
    // biome-ignore lint/correctness/useYield: it fails before it can yield
    async function* () {
      throw new ConnectError("bad filter", Code.InvalidArgument, undefined, [
        { desc: FilterErrorSchema, value },
      ]);
    },
  ]);
  const failed = take(tail[Symbol.asyncIterator](), 1);
  await assert.rejects(failed, (reason) => filterErrorOf(reason)?.start === 6);
});

test("entries without a cursor can't be resumed after, so they are refused", async (t) => {
  const { tail } = scene(t, [
    async function* () {
      yield { ...entries(1), cursor: "" };
    },
  ]);
  await assert.rejects(take(tail[Symbol.asyncIterator](), 1), { code: Code.DataLoss });
});

test("an abort ends the iteration at once, without an error, and cancels the RPC", async (t) => {
  const canceled = Promise.withResolvers<void>();
  const stop = new AbortController();
  const { tail } = scene(
    t,
    [
      async function* (_, { signal }) {
        signal.addEventListener("abort", () => canceled.resolve());
        yield opened("0");
        yield entries(1);
        await silence(signal);
      },
    ],
    { signal: stop.signal },
  );
  const reader = tail[Symbol.asyncIterator]();
  assert.deepEqual(await take(reader, 1), [1]);
  const next = reader.next();
  stop.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
  await canceled.promise;
  assert.deepEqual(tail.state, { kind: "closed" });
});

test("an abort ends the wait before a retry", async (t) => {
  const stop = new AbortController();
  const { tail, requests, clock } = scene(
    t,
    [
      async function* () {
        yield opened("0");
      },
    ],
    {
      signal: stop.signal,
      onState: ({ kind }) => void (kind === "retrying" && setImmediate(() => stop.abort())),
    },
  );
  assert.deepEqual(await take(tail[Symbol.asyncIterator](), 1), []);
  assert.equal(requests.length, 1);
  assert.deepEqual(clock.delays, [], "no timer is left");
});

test("leaving while a message is awaited cancels the RPC at once", async (t) => {
  const canceled = Promise.withResolvers<void>();
  const { tail, clock } = scene(t, [
    async function* (_, { signal }) {
      signal.addEventListener("abort", () => canceled.resolve());
      yield opened("0");
      await silence(signal);
    },
  ]);
  const reader = tail[Symbol.asyncIterator]();
  const next = reader.next();
  await until(() => tail.state.kind === "live");
  await reader.return?.();
  assert.deepEqual(await next, { done: true, value: undefined });
  await canceled.promise;
  assert.deepEqual(clock.delays, []);
  assert.deepEqual(tail.state, { kind: "closed" });
});

test("an aborted signal opens nothing", async (t) => {
  const { tail, requests } = scene(t, [], { signal: AbortSignal.abort() });
  assert.deepEqual(await take(tail[Symbol.asyncIterator](), 1), []);
  assert.equal(requests.length, 0);
});

test("the states tell the story", async (t) => {
  const { tail, clock, states } = scene(
    t,
    [
      async function* () {
        yield opened("1");
        yield heartbeat("1", 7n);
        yield heartbeat("1");
        throw new ConnectError("cut", Code.Unavailable);
      },
      // biome-ignore lint/correctness/useYield: it fails before it can yield
      async function* () {
        throw new ConnectError("refused", Code.Unavailable);
      },
      async function* () {
        yield opened("1");
        yield entries(2);
      },
    ],
    { cursor: "1" },
  );
  const seen = (async () => {
    for await (const _ of tail) break;
  })();
  await clock.fire(backoffMs);
  await clock.fire(backoffMs);
  await seen;
  const told = states.map((state) => {
    if (state.kind === "behind") return `behind ${state.lag}`;
    return "attempt" in state ? `${state.kind} ${state.attempt}` : state.kind;
  });
  assert.deepEqual(told, [
    "connecting 1",
    "live",
    "behind 7",
    "live",
    "retrying 1",
    "connecting 2",
    "retrying 2",
    "connecting 3",
    "live",
    "closed",
  ]);
});

test("a tail has one reader", (t) => {
  const { tail } = scene(t, []);
  tail[Symbol.asyncIterator]();
  assert.throws(() => tail[Symbol.asyncIterator](), /one reader/);
});

test("a backlog out of range is refused with range and value", (t) => {
  assert.throws(() => scene(t, [], { last: 10_001 }), /last to be an integer from 0 to 10000, got 10001/);
});
