import assert from "node:assert/strict";
import { test } from "node:test";
import { LatestRequest, type PageClock } from "./latest-request.ts";

/** A page whose time passes when told to. */
class TestPage implements PageClock {
  hidden = false;
  #nowMs = 0;
  #timers: { atMs: number; callback: () => void }[] = [];
  #onVisible = new Set<() => void>();

  readonly now = (): number => this.#nowMs;
  readonly isHidden = (): boolean => this.hidden;
  readonly setTimer = (callback: () => void, delayMs: number): (() => void) => {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };
  readonly onVisible = (callback: () => void): (() => void) => {
    this.#onVisible.add(callback);
    return () => this.#onVisible.delete(callback);
  };

  pass(durationMs: number): void {
    this.#nowMs += durationMs;
    const due = this.#timers.filter((timer) => timer.atMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => timer.atMs > this.#nowMs);
    for (const timer of due) timer.callback();
  }

  show(): void {
    this.hidden = false;
    for (const callback of this.#onVisible) callback();
  }
}

/** Calls that are answered when told to. */
class TestServer {
  readonly signals: AbortSignal[] = [];
  readonly #answers: PromiseWithResolvers<string>[] = [];

  readonly call = (signal: AbortSignal): Promise<string> => {
    const answer = Promise.withResolvers<string>();
    this.signals.push(signal);
    this.#answers.push(answer);
    return answer.promise;
  };

  async answer(index: number, text: string): Promise<void> {
    this.#answers[index]?.resolve(text);
    await Promise.resolve();
  }

  async fail(index: number, error: Error): Promise<void> {
    this.#answers[index]?.reject(error);
    await Promise.resolve();
  }
}

test("only the newest answer is kept, and what came before is aborted", async () => {
  const server = new TestServer();
  const request = new LatestRequest<string>(new TestPage());
  request.ask(server.call);
  request.ask(server.call);
  assert.equal(server.signals[0]?.aborted, true);
  await server.answer(1, "second");
  await server.answer(0, "first");
  assert.deepEqual(request.state, { answer: "second", pending: false });
});

test("the last answer stays while the next is awaited, and after an error", async () => {
  const server = new TestServer();
  const request = new LatestRequest<string>(new TestPage());
  request.ask(server.call);
  await server.answer(0, "old");
  request.ask(server.call);
  assert.deepEqual(request.state, { answer: "old", pending: true });
  const error = new Error("down");
  await server.fail(1, error);
  assert.deepEqual(request.state, { answer: "old", error, pending: false });
  request.ask(server.call, { keep: false });
  assert.deepEqual(request.state, { pending: true });
});

test("of many quick questions only the last is asked", () => {
  const page = new TestPage();
  const server = new TestServer();
  const request = new LatestRequest<string>(page);
  for (let question = 0; question < 10; question++) {
    request.ask(server.call, { delayMs: 150 });
    page.pass(100);
  }
  assert.equal(server.signals.length, 0);
  page.pass(50);
  assert.equal(server.signals.length, 1);
});

test("it is asked again after a pause that grows with what the answer takes and with errors", async () => {
  const page = new TestPage();
  const server = new TestServer();
  const request = new LatestRequest<string>(page);
  request.ask(server.call, { everyMs: 1000 });
  await server.answer(0, "quick");
  page.pass(999);
  assert.equal(server.signals.length, 1);
  page.pass(1);
  assert.equal(server.signals.length, 2);
  page.pass(600);
  await server.answer(1, "slow");
  page.pass(2999);
  assert.equal(server.signals.length, 2);
  page.pass(1);
  assert.equal(server.signals.length, 3);
  await server.fail(2, new Error("down"));
  page.pass(1999);
  assert.equal(server.signals.length, 3);
  page.pass(1);
  assert.equal(server.signals.length, 4);
});

test("a hidden page asks nothing, and asks at once when it is shown", async () => {
  const page = new TestPage();
  const server = new TestServer();
  const request = new LatestRequest<string>(page);
  request.ask(server.call, { everyMs: 1000 });
  await server.answer(0, "first");
  page.hidden = true;
  page.pass(1000);
  page.pass(10_000);
  assert.equal(server.signals.length, 1);
  page.show();
  assert.equal(server.signals.length, 2);
});

test("after stop nothing is asked and nothing changes", async () => {
  const page = new TestPage();
  const server = new TestServer();
  const request = new LatestRequest<string>(page);
  let changes = 0;
  request.subscribe(() => changes++);
  request.ask(server.call, { everyMs: 1000 });
  request.stop();
  assert.equal(server.signals[0]?.aborted, true);
  const before = changes;
  await server.answer(0, "late");
  page.pass(10_000);
  assert.equal(changes, before);
  assert.equal(server.signals.length, 1);
});
