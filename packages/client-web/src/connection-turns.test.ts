import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Clock, ConnectionPass } from "@logsvc/client";
import { ConnectionTurns, type ConnectionTurnsOptions } from "./connection-turns.ts";
import type { PagePresence, PageStanding } from "./page-events.ts";

/** A turn of 1.5 s takes 15 ms. */
const fastClock: Clock = {
  now: () => Date.now(),
  startTimer: (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs / 100);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
const turnMs = 15;

/** A page whose standing the test sets. */
class TestPage implements PagePresence {
  readonly callbacks = new Set<() => void>();
  #standing: PageStanding = "visible";

  get standing(): PageStanding {
    return this.#standing;
  }

  set standing(standing: PageStanding) {
    this.#standing = standing;
    for (const callback of [...this.callbacks]) callback();
  }

  onChange(callback: () => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }
}

let origins = 0;

/** Tabs that share a browser's locks: each its own gate, as in a page of its own. */
function openTabs(count: number, options: Partial<ConnectionTurnsOptions> = {}) {
  origins += 1;
  const origin = `http://host-${origins}`;
  return Array.from({ length: count }, () => {
    const page = new TestPage();
    const presence = page;
    const { locks } = globalThis.navigator;
    const gate = new ConnectionTurns({
      origin,
      areFew: () => true,
      presence,
      clock: fastClock,
      locks,
      ...options,
    });
    return { page, gate, origin };
  });
}

type Tab = ReturnType<typeof openTabs>[number];

/** A stream that connects again and again, as a tail does. */
class Stream {
  readonly #stop = new AbortController();
  readonly ended: Promise<void>;
  turns = 0;
  isConnected = false;
  mayLeave = true;

  constructor(t: TestContext, { gate }: Tab) {
    this.ended = this.#run(gate);
    t.after(() => this.stop());
  }

  async #run(gate: ConnectionTurns): Promise<void> {
    for (;;) {
      const pass = await gate.enter({ signal: this.#stop.signal, mayLeave: () => this.mayLeave });
      if (pass === undefined) return;
      this.turns += 1;
      this.isConnected = true;
      await abortOf(pass.recalled, this.#stop.signal);
      this.isConnected = false;
      pass.release();
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }
}

function abortOf(...signals: AbortSignal[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of signals) {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  }
  return promise;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!condition()) {
    assert.ok(Date.now() < deadline, "the condition did not come to hold");
    await wait(1);
  }
}

const connected = (streams: readonly Stream[]): number =>
  streams.filter(({ isConnected }) => isConnected).length;

test("ten visible tabs have three connections, and all their turns", async (t) => {
  const streams = openTabs(10).map((tab) => new Stream(t, tab));
  let most = 0;
  await until(() => {
    most = Math.max(most, connected(streams));
    return streams.every(({ turns }) => turns >= 5);
  });
  assert.equal(most, 3);
  const turns = streams.map((stream) => stream.turns);
  assert.ok(Math.max(...turns) <= 6 * Math.min(...turns), `about the same for each: ${turns.join(" ")}`);
});

test("who is alone on a slot keeps it", async (t) => {
  const streams = openTabs(3).map((tab) => new Stream(t, tab));
  await until(() => connected(streams) === 3);
  const before = streams.map(({ turns }) => turns);
  await wait(10 * turnMs);
  assert.deepEqual(
    streams.map(({ turns }) => turns),
    before,
  );
});

test("hidden tabs share one connection, and take none from those that are looked at", async (t) => {
  const tabs = openTabs(10);
  const streams = tabs.map((tab) => new Stream(t, tab));
  for (const { page } of tabs.slice(1)) page.standing = "hidden";
  const [visible, ...hidden] = streams;
  assert.equal(connected(hidden), 0, "at once");
  await until(() => connected(hidden) === 1 && visible?.isConnected === true);
  const turnsBefore = visible?.turns;
  let most = 0;
  await until(() => {
    most = Math.max(most, connected(hidden));
    return hidden.every(({ turns }) => turns >= 3);
  });
  assert.equal(most, 1);
  assert.equal(visible?.turns, turnsBefore);

  const shown = tabs[5]?.page;
  if (shown) shown.standing = "visible";
  await until(() => streams[5]?.isConnected === true && connected(hidden) === 2);
});

test("a page that is away holds nothing, whatever it speaks, and is back at once", async (t) => {
  for (const areFew of [true, false]) {
    const [tab] = openTabs(1, { areFew: () => areFew });
    assert.ok(tab);
    const stream = new Stream(t, tab);
    await until(() => stream.isConnected);
    tab.page.standing = "away";
    await until(() => !stream.isConnected);
    await wait(2 * turnMs);
    assert.equal(stream.turns, 1);
    tab.page.standing = "visible";
    await until(() => stream.turns === 2);
    await stream.stop();
    assert.equal(tab.page.callbacks.size, 0, "nothing is listened to any more");
  }
});

test("a stream that got nothing yet keeps its turn, for twenty of them", async (t) => {
  const streams = openTabs(4).map((tab) => new Stream(t, tab));
  for (const stream of streams) stream.mayLeave = false;
  const began = performance.now();
  await until(() => streams.every(({ turns }) => turns > 0));
  // Timers may come late, and never early.
  assert.ok(performance.now() - began >= 19 * turnMs);
});

test("over HTTP/2 nobody waits for anybody", async (t) => {
  const streams = openTabs(20, { areFew: () => false }).map((tab) => new Stream(t, tab));
  await until(() => connected(streams) === 20);
});

test("without shared locks a page takes turns with itself, and holds nothing while it is hidden", async (t) => {
  const [tab] = openTabs(1, { locks: undefined });
  assert.ok(tab);
  const streams = Array.from({ length: 5 }, () => new Stream(t, tab));
  let most = 0;
  await until(() => {
    most = Math.max(most, connected(streams));
    return streams.every(({ turns }) => turns >= 3);
  });
  assert.equal(most, 2);
  tab.page.standing = "hidden";
  const turns = streams.map((stream) => stream.turns);
  await wait(5 * turnMs);
  assert.equal(connected(streams), 0);
  assert.deepEqual(
    streams.map((stream) => stream.turns),
    turns,
  );
  tab.page.standing = "visible";
  await until(() => connected(streams) === 2);
});

test("where the browser refuses its locks, the page's own do", async (t) => {
  const refuse = () => Promise.reject(new DOMException("not in this frame", "SecurityError"));
  const locks: LockManager = { request: refuse, query: refuse };
  const [tab] = openTabs(1, { locks });
  assert.ok(tab);
  const stream = new Stream(t, tab);
  await until(() => stream.isConnected);
});

test("whoever stops waiting leaves no trace", async (t) => {
  for (const own of [false, true]) {
    const [tab] = openTabs(1, own ? { locks: undefined } : {});
    assert.ok(tab);
    const { gate, origin, page } = tab;
    const never = { signal: new AbortController().signal, mayLeave: () => false };
    const passes: (ConnectionPass | undefined)[] = [];
    for (let slot = own ? 2 : 3; slot > 0; slot--) passes.push(await gate.enter(never));
    const stop = new AbortController();
    const waiting = gate.enter({ ...never, signal: stop.signal });
    await wait(turnMs);
    stop.abort();
    assert.equal(await waiting, undefined);
    for (const pass of passes) pass?.release();
    await wait(turnMs);
    const { held = [], pending = [] } = await globalThis.navigator.locks.query();
    assert.deepEqual(
      [...held, ...pending].filter(({ name }) => name?.includes(`${origin} `)),
      [],
    );
    assert.equal(page.callbacks.size, 0);
    const next = await gate.enter(never);
    assert.equal(next?.recalled.aborted, false);
    next?.release();
    t.diagnostic(own ? "own locks" : "the browser's locks");
  }
});
