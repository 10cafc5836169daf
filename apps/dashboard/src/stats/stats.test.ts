import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, type LogClient, type WatchStatsResponse } from "@logsvc/client-web";
import { addStats, emptyHistory, historyMs, type StatsHistory } from "./stats-history.ts";
import { type WatchState, watchDelayMs, watchStats } from "./stats-watch.ts";

const startMs = 1_790_000_000_000;

/** An answer so many seconds after the first. */
function stats(
  second: number,
  accepted: number,
  more: { uptimeMs?: number; commits?: number } = {},
): WatchStatsResponse {
  const { uptimeMs = 60_000 + second * 1_000, commits = 0 } = more;
  return {
    time: BigInt(startMs + second * 1_000) * 1_000_000n,
    uptimeMs: BigInt(uptimeMs),
    version: "1.0.0",
    residentBytes: 1_000n,
    ingest: {
      accepted: BigInt(accepted),
      duplicates: 0n,
      rejected: 0n,
      bytes: BigInt(accepted * 100),
      streams: 2n,
      inFlightBytes: 0n,
      commits: BigInt(commits),
      commitUs: BigInt(commits * 1_500),
    },
    tail: { open: 1n, sent: 0n, lagMax: 7n, gaps: 0n },
    query: { running: 0n, done: 0n },
    // The message's own fields are of no matter here.
  } as unknown as WatchStatsResponse;
}

const rates = (history: StatsHistory): (number | undefined)[] =>
  history.points.map((point) => point.entriesPerSecond);
const historyOf = (...answers: WatchStatsResponse[]): StatsHistory => answers.reduce(addStats, emptyHistory);

describe("the history", () => {
  test("has rates by the server's own times", () => {
    const history = historyOf(stats(0, 0), stats(1, 500, { commits: 10 }), stats(3, 2_500, { commits: 10 }));
    assert.deepEqual(rates(history), [undefined, 500, 1_000]);
    assert.equal(history.points[1]?.bytesPerSecond, 50_000);
    assert.equal(history.points[1]?.commitMs, 1.5);
    assert.equal(history.points[2]?.commitMs, undefined, "no commit, no mean");
    assert.equal(history.points[2]?.lagMax, 7);
    assert.equal(history.points[2]?.diskBytes, undefined, "what is not told is not known");
  });

  test("breaks where the server was started anew, also when its counts are higher by then", () => {
    const history = historyOf(
      stats(0, 100),
      stats(1, 200),
      stats(5, 50, { uptimeMs: 2_000 }),
      stats(6, 80, { uptimeMs: 3_000 }),
    );
    assert.deepEqual(rates(history), [undefined, 100, undefined, undefined, 30]);
    const higher = historyOf(stats(0, 100, { uptimeMs: 3_000 }), stats(9, 900, { uptimeMs: 4_000 }));
    assert.deepEqual(
      rates(higher).filter((rate) => rate !== undefined),
      [],
    );
  });

  test("breaks after a long silence, and begins anew when the clock was set back", () => {
    assert.deepEqual(rates(historyOf(stats(0, 0), stats(1, 10), stats(60, 600))), [
      undefined,
      10,
      undefined,
      undefined,
    ]);
    assert.equal(historyOf(stats(50, 0), stats(51, 10), stats(0, 20)).points.length, 1);
  });

  test("is bounded in time and in points", () => {
    let history = emptyHistory;
    for (let second = 0; second < 1_000; second++) history = addStats(history, stats(second, second));
    assert.ok(history.points.length <= historyMs / 1_000);
    assert.equal(history.points.at(-1)?.timeMs, startMs + 999_000);
    for (let step = 0; step < 2_000; step++)
      history = addStats(history, stats(1_000 + step / 100, 1_000 + step));
    assert.ok(history.points.length <= 600);
  });
});

/** A client whose connections are told one by one: answers, and then an error. */
function clientOf(connections: { answers: number; error?: ConnectError }[]): Pick<LogClient, "watchStats"> {
  return {
    watchStats: async function* () {
      const { answers, error } = connections.shift() ?? { answers: 0 };
      for (let i = 0; i < answers; i++) yield stats(i, i);
      if (error !== undefined) throw error;
      await Promise.resolve();
    },
  };
}

describe("the watch", () => {
  test("goes on after a break and ends with an error that no retry mends", async () => {
    const states: WatchState[] = [];
    let answers = 0;
    const page = new EventTarget();
    const client = clientOf([
      { answers: 2, error: new ConnectError("cut", Code.Unavailable) },
      { answers: 1 },
      { answers: 0, error: new ConnectError("no", Code.Unauthenticated) },
    ]);
    await watchStats(
      client,
      {
        onStats: () => answers++,
        onState: (state) => {
          states.push(state);
          // The network is back at once.
          if (state.kind === "retrying") queueMicrotask(() => page.dispatchEvent(new Event("online")));
        },
      },
      { signal: new AbortController().signal, pageEvents: [page] },
    );
    assert.equal(answers, 3);
    assert.deepEqual(
      states.map((state) => state.kind),
      ["connecting", "live", "retrying", "connecting", "live", "retrying", "connecting", "failed"],
    );
  });

  test("gives up a connection on which nothing comes", async () => {
    const stop = new AbortController();
    const silent: Pick<LogClient, "watchStats"> = {
      watchStats: ({ signal } = {}) => ({
        [Symbol.asyncIterator]: () => ({
          next: () =>
            new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted")))),
        }),
      }),
    };
    const states: WatchState[] = [];
    await watchStats(
      silent,
      {
        onStats: () => assert.fail("nothing comes"),
        onState: (state) => {
          states.push(state);
          if (state.kind === "retrying") stop.abort();
        },
      },
      { signal: stop.signal, silenceMsMax: 5 },
    );
    const last = states.at(-1);
    assert.equal(last?.kind, "retrying");
    assert.match(last?.kind === "retrying" ? last.error.message : "", /no figures/);
  });

  test("waits longer each time, up to a bound", () => {
    assert.deepEqual(
      [1, 2, 3, 20].map((failures) => watchDelayMs(failures, 1)),
      [500, 1_000, 2_000, 15_000],
    );
    assert.equal(watchDelayMs(1, 0), 250);
  });
});
