import assert from "node:assert/strict";
import test from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { TailRows, type TailRowsOptions } from "./tail-rows.ts";
import { clientOf, ManualFrames, silence, stored, until } from "./testing/served-log.ts";

const heartbeatIntervalMs = 15_000;

/** A log that has the entries up to `end`, and tells of more as they are added. */
class GrowingLog {
  readonly cursors: string[] = [];
  end = 0;
  /** The first entry that is still there. */
  first = 1;
  batchEntries = 10;
  error: ConnectError | undefined;
  open = 0;
  #grown = Promise.withResolvers<void>();

  grow(end: number): void {
    this.end = end;
    this.#grown.resolve();
    this.#grown = Promise.withResolvers();
  }

  async *tail(cursor: string, signal: AbortSignal) {
    this.cursors.push(cursor);
    this.open += 1;
    try {
      let position = cursor === "" ? this.end : Number(cursor);
      yield { cursor: String(position), event: { case: "opened" as const, value: { heartbeatIntervalMs } } };
      for (;;) {
        if (this.error) throw this.error;
        if (position + 1 < this.first) {
          const value = {
            from: String(position),
            to: String(this.first - 1),
            count: BigInt(this.first - 1 - position),
          };
          position = this.first - 1;
          yield { cursor: value.to, event: { case: "gap" as const, value } };
        } else if (position < this.end) {
          const from = position;
          position = Math.min(this.end, position + this.batchEntries);
          const entries = Array.from({ length: position - from }, (_, index) => stored(from + 1 + index));
          yield { cursor: String(position), entries };
        } else {
          await Promise.race([this.#grown.promise, silence(signal)]);
        }
      }
    } finally {
      this.open -= 1;
    }
  }
}

function scene(options: TailRowsOptions = {}) {
  const log = new GrowingLog();
  const frames = new ManualFrames();
  const client = clientOf({ tailLogs: (request, { signal }) => log.tail(request.cursor, signal) });
  const tail = new TailRows(client, options, frames.timer);
  const messages = (): string[] =>
    tail.view().rows.map((row) => (row.kind === "gap" ? `gap of ${row.count}` : row.entry.message));
  const drawn = (condition: () => boolean): Promise<void> =>
    until(() => {
      frames.draw();
      return condition();
    });
  return { log, frames, tail, messages, drawn };
}

const texts = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `entry ${from + index}`);

test("rows come once a frame, however many there are", async () => {
  const { log, frames, tail, messages } = scene({ cursor: "0" });
  let views = 0;
  const end = tail.follow(() => {
    views += 1;
  });
  log.grow(50);
  await until(() => log.open === 1 && frames.waiting === 1);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(views, 0);
  const before = tail.view();
  assert.equal(tail.view(), before, "the same until there is another");
  frames.draw();
  assert.equal(views, 1);
  assert.deepEqual(messages(), texts(1, 50));
  assert.deepEqual(before.rows, [], "a view does not change");
  assert.equal(tail.view().cursor, "50");
  assert.equal(tail.view().state.kind, "live");
  end();
  await until(() => log.open === 0);
});

test("the oldest rows go, counted, and none before it was shown", async () => {
  const { log, frames, tail, messages } = scene({ cursor: "0", rowsMax: 25 });
  const end = tail.follow(() => undefined);
  log.grow(100);
  const shown = new Set<string>();
  await until(() => {
    frames.draw();
    const rows = messages();
    assert.ok(rows.length <= 30, `${rows.length} rows`);
    for (const row of rows) shown.add(row);
    return rows.at(-1) === "entry 100";
  });
  assert.deepEqual(messages(), texts(76, 100));
  assert.equal(tail.view().dropped, 75);
  // A response may be larger than what is left of a frame.
  assert.ok(shown.size >= 80, `${shown.size} were shown`);
  end();
});

test("a gap has its place among the rows", async () => {
  const { log, tail, messages, drawn } = scene({ cursor: "3" });
  log.end = 20;
  log.first = 18;
  const end = tail.follow(() => undefined);
  await drawn(() => messages().length === 4);
  assert.deepEqual(messages(), ["gap of 14", "entry 18", "entry 19", "entry 20"]);
  assert.equal(tail.view().missing, 14);
  const keys = tail.view().rows.map(({ key }) => key);
  assert.equal(new Set(keys).size, 4);
  end();
});

test("whoever follows again goes on where it was, as StrictMode does it at once", async () => {
  const { log, frames, tail, messages, drawn } = scene();
  // Mounted, unmounted and mounted again.
  tail.follow(() => undefined)();
  let end = tail.follow(() => undefined);
  await drawn(() => tail.view().state.kind === "live");
  end();
  end();
  await until(() => log.open === 0);
  log.grow(2);
  end = tail.follow(() => undefined);
  const other = tail.follow(() => undefined);
  await drawn(() => messages().length === 2);
  end();
  log.grow(3);
  await drawn(() => messages().length === 3);
  assert.deepEqual(messages(), texts(1, 3), "nothing was matched before it was left, and it is not lost");
  assert.deepEqual(log.cursors.slice(-1), ["0"]);
  other();
  await until(() => log.open === 0);
  frames.draw();
  assert.equal(tail.view().state.kind, "closed");
});

test("listening opens nothing", async () => {
  const { log, frames, tail } = scene();
  const end = tail.listen(() => undefined);
  tail.resume();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(log.cursors.length, 0);
  assert.equal(frames.waiting, 0);
  end();
});

test("an expired token closes it, and it can be resumed with another", async () => {
  const { log, tail, messages, drawn } = scene({ cursor: "0" });
  const end = tail.follow(() => undefined);
  log.grow(5);
  await drawn(() => messages().length === 5);
  log.error = new ConnectError("the token has expired", Code.Unauthenticated);
  log.grow(7);
  await drawn(() => tail.view().state.kind === "closed");
  const { state } = tail.view();
  assert.equal(state.kind === "closed" && state.error?.code, Code.Unauthenticated);
  log.error = undefined;
  tail.resume();
  tail.resume();
  await drawn(() => messages().length === 7);
  assert.deepEqual(messages(), texts(1, 7));
  assert.equal(log.cursors.length, 2);
  end();
});

test("a flood that nobody draws is held back", async () => {
  const { log, frames, tail, drawn } = scene({ cursor: "0", rowsMax: 20 });
  const end = tail.follow(() => undefined);
  log.grow(1_000);
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(frames.waiting, 1);
  frames.draw();
  assert.equal(tail.view().cursor, "20");
  end();
  await drawn(() => tail.view().state.kind === "closed");
});

test("bounds are checked where they are written", () => {
  assert.throws(() => scene({ rowsMax: 0 }), /rowsMax to be an integer from 1 to 100000, got 0/);
  assert.throws(() => scene({ last: -1 }), /last to be an integer from 0 to 10000, got -1/);
});
