import assert from "node:assert/strict";
import test from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ConnectionGate, ConnectionWish } from "./connection-gate.ts";
import { entries, heartbeat, opened, scene, silence, take, until } from "./testing/scripted-log.ts";

/** A gate that the test opens and closes. */
class ManualGate implements ConnectionGate {
  readonly wishes: ConnectionWish[] = [];
  released = 0;
  #recall = new AbortController();
  #opened = Promise.withResolvers<void>();

  constructor(isOpen: boolean) {
    if (isOpen) this.open();
  }

  async enter(wish: ConnectionWish) {
    this.wishes.push(wish);
    const aborted = new Promise((resolve) => wish.signal.addEventListener("abort", resolve));
    await Promise.race([this.#opened.promise, aborted]);
    if (wish.signal.aborted) return undefined;
    this.#recall = new AbortController();
    const release = (): void => {
      this.released += 1;
    };
    return { recalled: this.#recall.signal, release };
  }

  open(): void {
    this.#opened.resolve();
  }

  /** Takes the last connection back; the next wish waits. */
  recall(): void {
    this.#opened = Promise.withResolvers();
    this.#recall.abort();
  }
}

test("a tail whose connection is recalled goes on where it was, without a word about it", async (t) => {
  const gate = new ManualGate(true);
  const { tail, clock, requests, states } = scene(
    t,
    [
      async function* (_, { signal }) {
        yield opened("0");
        yield entries(1);
        yield entries(2);
        await silence(signal);
      },
      async function* ({ cursor }) {
        yield opened(cursor);
        yield heartbeat(cursor, 2n);
        yield entries(2, 3);
        yield heartbeat("3");
      },
    ],
    {},
    { gate },
  );
  const reader = tail[Symbol.asyncIterator]();
  assert.deepEqual(await take(reader, 1), [1]);
  // Also while the reader does something else, with a response on its way to it.
  gate.recall();
  const seen = take(reader, 2);
  await until(() => gate.wishes.length === 2);
  assert.equal(requests.length, 1);
  gate.open();
  assert.deepEqual(await seen, [2, 3]);
  assert.deepEqual(
    requests.map(({ cursor }) => cursor),
    ["", "1"],
  );
  assert.deepEqual(
    states.map(({ kind }) => kind),
    ["connecting", "live"],
  );
  assert.deepEqual(clock.delays, [], "no wait before the next turn, and no watch that is left");
});

test("a wait that is long shows, and nothing else does", async (t) => {
  const gate = new ManualGate(true);
  const { tail, clock, states } = scene(
    t,
    [
      async function* () {
        yield opened("0");
        yield entries(1);
        yield heartbeat("1", 5n);
        await new Promise(() => undefined);
      },
      async function* () {
        yield opened("1");
        yield entries(2);
      },
    ],
    {},
    { gate },
  );
  const reader = tail[Symbol.asyncIterator]();
  await take(reader, 1);
  const seen = take(reader, 1);
  await until(() => tail.state.kind === "behind");
  gate.recall();
  await clock.fire(10_000);
  assert.deepEqual(tail.state, { kind: "connecting", attempt: 1, waiting: true });
  gate.open();
  assert.deepEqual(await seen, [2]);
  assert.deepEqual(
    states.map(({ kind }) => kind),
    ["connecting", "live", "behind", "connecting", "live"],
  );
});

test("a tail may leave when its connection was of use, not before", async (t) => {
  const gate = new ManualGate(true);
  const next = Promise.withResolvers<void>();
  const { tail } = scene(
    t,
    [
      async function* () {
        yield opened("");
        yield heartbeat("", 9n);
        yield heartbeat("3", 9n);
        yield heartbeat("3", 6n);
        await next.promise;
        yield entries(4);
        await new Promise(() => undefined);
      },
      async function* ({ cursor }) {
        yield opened(cursor);
        yield heartbeat(cursor, 5n);
        await new Promise(() => undefined);
      },
    ],
    { last: 5 },
    { gate },
  );
  const reader = tail[Symbol.asyncIterator]();
  const first = take(reader, 1);
  assert.equal(gate.wishes[0]?.mayLeave(), false, "there is no connection yet");
  await until(() => tail.cursor === "3");
  assert.equal(gate.wishes[0]?.mayLeave(), true, "it has found its beginning");
  next.resolve();
  await first;
  const second = take(reader, 1);
  gate.recall();
  gate.open();
  await until(() => tail.state.kind === "behind" && tail.state.lag === 5);
  assert.equal(gate.wishes[1]?.mayLeave(), false, "it is behind and has come no further");
  await reader.return?.();
  assert.deepEqual(await second, []);
});

test("leaving while it waits for a connection ends the wait, and passes are given back", async (t) => {
  const gate = new ManualGate(false);
  const { tail, requests, clock } = scene(t, [], {}, { gate });
  const reader = tail[Symbol.asyncIterator]();
  const next = reader.next();
  await until(() => gate.wishes.length === 1);
  await reader.return?.();
  assert.deepEqual(await next, { done: true, value: undefined });
  assert.equal(requests.length, 0);
  assert.deepEqual(clock.delays, []);

  const open = new ManualGate(true);
  const failing = scene(
    t,
    [
      // biome-ignore lint/correctness/useYield: it fails before it can yield
      async function* () {
        throw new ConnectError("no", Code.PermissionDenied);
      },
    ],
    {},
    { gate: open },
  );
  await assert.rejects(take(failing.tail[Symbol.asyncIterator](), 1), { code: Code.PermissionDenied });
  assert.equal(open.released, 1);
});

test("stats begin anew after a recall, and end as they do without a gate", async (t) => {
  const gate = new ManualGate(true);
  let calls = 0;
  const { client } = scene(
    t,
    [],
    {},
    {
      gate,
      service: {
        async *watchStats(_, { signal }) {
          calls += 1;
          yield { uptimeMs: BigInt(calls) };
          if (calls === 1) await silence(signal);
          throw new ConnectError("draining", Code.Unavailable);
        },
      },
    },
  );
  const reader = client.watchStats()[Symbol.asyncIterator]();
  assert.equal((await reader.next()).value?.uptimeMs, 1n);
  const next = reader.next();
  gate.recall();
  gate.open();
  assert.equal((await next).value?.uptimeMs, 2n);
  await assert.rejects(reader.next(), { code: Code.Unavailable });
  assert.equal(gate.released, 2);
});
