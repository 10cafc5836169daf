import assert from "node:assert/strict";
import test from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { RangeEvent } from "./range.ts";
import { backoffMs, entries, type Handler, heartbeat, opened, scene } from "./testing/scripted-log.ts";

/** What a range brings, in short. */
async function read(range: AsyncIterable<RangeEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of range) {
    if (event.kind === "gap") seen.push(`gap of ${event.count}`);
    else seen.push(...event.entries.map(({ id }) => id));
  }
  return seen;
}

const gap = (from: string, to: string, count: bigint) => ({
  cursor: to,
  event: { case: "gap" as const, value: { from, to, count } },
});

test("a range has what lies after its cursor and before its end, once, over a break", async (t) => {
  const { client, clock, requests } = scene(t, [
    async function* () {
      yield opened("3");
      yield entries(4, 5);
      throw new ConnectError("cut", Code.Unavailable);
    },
    async function* () {
      yield opened("5");
      yield entries(6);
      yield entries(7, 8, 9);
      yield entries(10);
    },
  ]);
  const seen = read(client.range({ from: "3", to: "8", filter: "level:error", since: 5n }));
  await clock.fire(backoffMs);
  assert.deepEqual(await seen, ["4", "5", "6", "7"]);
  assert.deepEqual(
    requests.map(({ cursor, filter, since }) => [cursor, filter, since]),
    [
      ["3", "level:error", 5n],
      ["5", "level:error", 5n],
    ],
  );
});

test("a range of nothing is empty", async (t) => {
  const { client } = scene(t, [
    async function* () {
      yield opened("3");
      yield entries(4);
    },
  ]);
  assert.deepEqual(await read(client.range({ from: "3", to: "4" })), []);
});

/** After a gap: entries from `from` on, as the log has them. */
const overtaken = (from: number, count: bigint): Handler =>
  async function* () {
    yield opened("3");
    yield gap("3", String(from - 1), count);
    yield entries(from, from + 1, from + 2);
  };

test("what retention deleted comes as a gap, and the rest of the range after it", async (t) => {
  let asked = 0;
  const { client, clock } = scene(
    t,
    [overtaken(6, 2n)],
    {},
    {
      service: {
        async *queryLogs({ around }) {
          asked += 1;
          if (asked === 1) throw new ConnectError("restarting", Code.Unavailable);
          assert.equal(around, "8");
          yield { entries: [{ id: "8" }], progress: { complete: true } };
        },
      },
    },
  );
  const seen = read(client.range({ from: "3", to: "8" }));
  await clock.fire(backoffMs);
  assert.deepEqual(await seen, ["gap of 2", "6", "7"]);
});

test("when all of a range was deleted it ends with the gap", async (t) => {
  const { client } = scene(
    t,
    [overtaken(20, 16n)],
    {},
    {
      service: {
        // biome-ignore lint/correctness/useYield: it fails before it can yield
        async *queryLogs() {
          throw new ConnectError("no longer in the log", Code.NotFound);
        },
      },
    },
  );
  assert.deepEqual(await read(client.range({ from: "3", to: "8" })), ["gap of 16"]);
});

test("an end that does not come is told, not waited for", async (t) => {
  const { client } = scene(t, [
    async function* () {
      yield opened("3");
      yield heartbeat("3", 2n);
      yield entries(4, 5);
      yield heartbeat("5");
    },
  ]);
  await assert.rejects(read(client.range({ from: "3", to: "2" })), /matching entry after 3, got 2/);
  await assert.rejects(read(client.range({ from: "", to: "2" })), RangeError);
});

test("aborting a range ends it without an error", async (t) => {
  const { client, clock } = scene(t, [
    async function* () {
      yield opened("3");
      yield entries(4);
      await new Promise(() => undefined);
    },
  ]);
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const event of client.range({ from: "3", to: "9", signal: stop.signal })) {
    if (event.kind === "entries") seen.push(...event.entries.map(({ id }) => id));
    stop.abort();
  }
  assert.deepEqual(seen, ["4"]);
  assert.deepEqual(clock.delays, []);
});
