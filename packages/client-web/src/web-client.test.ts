import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { type Clock, Code, createWebClient, type TailState } from "./index.ts";
import { type PageStanding, pagePresence } from "./page-events.ts";

/** A clock that never lets a wait end, so that only an event of the page can. */
const stoppedClock: Clock = { now: () => 0, startTimer: () => () => undefined, random: () => 0 };

/** Nothing listens on this port of the local machine. */
const nowhere = "http://127.0.0.1:9";

/** A page whose events the test fires: the browser's are real EventTargets as well. */
function openPage(t: TestContext) {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const scope = new EventTarget();
  const globals = {
    document: page,
    addEventListener: scope.addEventListener.bind(scope),
    removeEventListener: scope.removeEventListener.bind(scope),
  };
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => {
      if (before === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, before);
    });
  }
  return { page, scope };
}

/** The states of a tail that can't connect, and a way to wait for the next. */
function startTail() {
  const states: TailState["kind"][] = [];
  let told = Promise.withResolvers<void>();
  const tail = createWebClient({ url: nowhere, clock: stoppedClock }).tail({
    onState: ({ kind }) => {
      states.push(kind);
      told.resolve();
      told = Promise.withResolvers<void>();
    },
  });
  const reader = tail[Symbol.asyncIterator]();
  const next = reader.next();
  const until = async (count: number): Promise<void> => {
    while (states.length < count) await told.promise;
  };
  return { states, reader, next, until };
}

test("a tail tries again at once when the page comes back", async (t) => {
  const { page, scope } = openPage(t);
  const { states, reader, next, until } = startTail();
  await until(2);
  page.visibilityState = "hidden";
  page.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(states, ["connecting", "retrying"], "hidden is no reason");
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  await until(4);
  scope.dispatchEvent(new Event("online"));
  await until(6);
  page.dispatchEvent(new Event("resume"));
  await until(8);
  scope.dispatchEvent(new Event("pageshow"));
  assert.equal(states.length, 8, "the page was just loaded");
  scope.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  await until(10);
  await reader.return?.();
  assert.equal((await next).done, true);
  assert.deepEqual(states, [...Array.from({ length: 5 }, () => ["connecting", "retrying"]).flat(), "closed"]);
});

test("a page is away from its freezing or leaving until it is back", (t) => {
  const { page, scope } = openPage(t);
  const presence = pagePresence();
  assert.equal(pagePresence(), presence, "one for all clients of a page");
  const told: PageStanding[] = [];
  const forget = presence.onChange(() => told.push(presence.standing));
  const hide = (state: "visible" | "hidden"): void => {
    page.visibilityState = state;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  hide("hidden");
  page.dispatchEvent(new Event("freeze"));
  hide("hidden");
  page.dispatchEvent(new Event("resume"));
  hide("visible");
  scope.dispatchEvent(new Event("pagehide"));
  scope.dispatchEvent(new Event("pageshow"));
  assert.deepEqual(told, ["hidden", "away", "away", "hidden", "visible", "away", "visible"]);
  forget();
  hide("hidden");
  assert.equal(told.length, 7);
});

/** Calls that `fetch` was asked for, none of which is answered before it is aborted. */
function watchFetch(t: TestContext): Request[] {
  const calls: Request[] = [];
  t.mock.method(globalThis, "fetch", (input: string, init: RequestInit) => {
    const request = new Request(input, init);
    calls.push(request);
    return new Promise((_, reject) => {
      init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
  });
  return calls;
}

test("each call has the token of its time, also each connection of a tail, and an abort ends it at once", async (t) => {
  const calls = watchFetch(t);
  const tokens = ["first", undefined, "third"];
  const client = createWebClient({
    url: nowhere,
    clock: stoppedClock,
    token: async () => tokens[calls.length],
  });
  for (let call = 0; call < 2; call++) {
    const stop = new AbortController();
    const counting = client.count({ signal: stop.signal });
    while (calls.length <= call) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await assert.rejects(counting, { code: Code.Canceled });
  }
  const reader = client.tail()[Symbol.asyncIterator]();
  const next = reader.next();
  while (calls.length < 3) await new Promise((resolve) => setImmediate(resolve));
  await reader.return?.();
  assert.equal((await next).done, true);
  assert.deepEqual(
    calls.map(({ headers }) => headers.get("authorization")),
    ["Bearer first", null, "Bearer third"],
  );
});

test("where there is no page, a tail works all the same", async () => {
  const { states, reader, next, until } = startTail();
  await until(2);
  await reader.return?.();
  await next;
  assert.deepEqual(states, ["connecting", "retrying", "closed"]);
});

test("a URL that is none is refused, and without one there must be a page", () => {
  assert.throws(() => createWebClient({ url: "logs.example.com" }), /got "logs.example.com"/);
  assert.throws(() => createWebClient(), /got ""/);
});
