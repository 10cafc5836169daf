import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { type Clock, createWebClient, type TailState } from "./index.ts";

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
  await reader.return?.();
  assert.equal((await next).done, true);
  assert.deepEqual(states, [...Array.from({ length: 4 }, () => ["connecting", "retrying"]).flat(), "closed"]);
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
