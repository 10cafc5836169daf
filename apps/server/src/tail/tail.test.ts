/** Tails: where they begin, what they say while nothing matches, how they resume and end. */
import assert from "node:assert/strict";
import http from "node:http";
import http2 from "node:http2";
import { type TestContext, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import type { TailLogsResponse } from "@logsvc/proto";
import { type LogClient, startServer, type TestServer, until } from "../testing/start-server.ts";

type Request = Parameters<LogClient["tailLogs"]>[0];

/** A tail whose responses are taken as they come. */
class TestTail {
  readonly responses: TailLogsResponse[] = [];
  readonly ended: Promise<ConnectError | undefined>;

  constructor(t: TestContext, client: LogClient, request: Request) {
    const cancel = new AbortController();
    t.after(() => cancel.abort());
    this.ended = this.#take(client.tailLogs(request, { signal: cancel.signal }));
  }

  async #take(responses: AsyncIterable<TailLogsResponse>): Promise<ConnectError | undefined> {
    try {
      for await (const response of responses) this.responses.push(response);
      return undefined;
    } catch (error) {
      return ConnectError.from(error);
    }
  }

  get messages(): string[] {
    return this.responses.flatMap(({ entries }) => entries.map(({ entry }) => entry?.message ?? ""));
  }

  get cursor(): string {
    return this.responses.at(-1)?.cursor ?? "";
  }

  heard(event: TailLogsResponse["event"]["case"]): TailLogsResponse[] {
    return this.responses.filter(
      (response) => response.event.case === event && response.entries.length === 0,
    );
  }

  async until(condition: (tail: this) => boolean): Promise<void> {
    await until(() => condition(this), `${condition}`);
  }
}

async function write(client: LogClient, ...messages: string[]): Promise<void> {
  await client.writeLogs({ entries: messages.map((message) => ({ message })) });
}

test("a tail begins with the next entry, and says at once that it is open", async (t) => {
  const { client } = await startServer(t);
  await write(client, "before");
  const tail = new TestTail(t, client, {});
  await tail.until(({ responses }) => responses.length === 1);
  assert.equal(tail.responses[0]?.event.case, "opened");
  assert.notEqual(tail.cursor, "");
  await write(client, "after");
  await tail.until(({ messages }) => messages.length === 1);
  assert.deepEqual(tail.messages, ["after"]);
});

test("a backlog of matching entries comes first, then what is live", async (t) => {
  const { client } = await startServer(t);
  await write(client, "keep 1", "drop", "keep 2", "keep 3", "drop");
  const tail = new TestTail(t, client, { filter: "keep", last: 2 });
  await tail.until(({ messages }) => messages.length === 2);
  assert.equal(tail.responses[0]?.cursor, "");
  await write(client, "drop", "keep 4");
  await tail.until(({ messages }) => messages.length === 3);
  assert.deepEqual(tail.messages, ["keep 2", "keep 3", "keep 4"]);
});

test("a backlog that is empty still gives a cursor to resume from", async (t) => {
  const { client } = await startServer(t);
  const tail = new TestTail(t, client, { filter: "nothing", last: 5 });
  await tail.until(({ cursor }) => cursor !== "");
  assert.equal(tail.responses.at(-1)?.event.case, "heartbeat");
});

test("a tail that resumes has every entry once", async (t) => {
  const { client } = await startServer(t);
  const first = new TestTail(t, client, {});
  await first.until(({ responses }) => responses.length === 1);
  await write(client, "1", "2");
  await first.until(({ messages }) => messages.length === 2);
  await write(client, "3", "4");
  const second = new TestTail(t, client, { cursor: first.cursor });
  const missing = 4 - first.messages.length;
  await second.until(({ messages }) => messages.length >= missing);
  assert.deepEqual([...first.messages.slice(0, 4 - missing), ...second.messages], ["1", "2", "3", "4"]);
});

test("`since` holds for what is stored and for what is live", async (t) => {
  const { client } = await startServer(t);
  const at = (timestamp: bigint, message: string) => ({ message, timestamp });
  await client.writeLogs({ entries: [at(100n, "old"), at(300n, "stored"), at(150n, "also old")] });
  const tail = new TestTail(t, client, { since: 200n });
  await tail.until(({ messages }) => messages.length === 1);
  await client.writeLogs({ entries: [at(199n, "late"), at(200n, "live")] });
  await tail.until(({ messages }) => messages.length === 2);
  assert.deepEqual(tail.messages, ["stored", "live"]);
});

test("while nothing matches, heartbeats advance the cursor", async (t) => {
  const { client, engine } = await startServer(t, { heartbeatIntervalMs: 20 });
  const tail = new TestTail(t, client, { filter: "match" });
  await tail.until((open) => open.heard("heartbeat").length >= 2);
  await write(client, "noise", "noise");
  await tail.until(({ cursor }) => engine.lag(cursor) === 0);
  await write(client, "match");
  await tail.until(({ messages }) => messages.length === 1);
  const resumed = new TestTail(t, client, { cursor: tail.cursor, filter: "match" });
  await resumed.until((open) => open.heard("heartbeat").length >= 1);
  assert.deepEqual(resumed.messages, []);
});

test("heartbeats also come while blocks flow that do not match", async (t) => {
  const { client } = await startServer(t, { heartbeatIntervalMs: 20 });
  const tail = new TestTail(t, client, { filter: "match" });
  await tail.until(({ responses }) => responses.length === 1);
  await until(async () => {
    await write(client, "noise");
    return tail.heard("heartbeat").length >= 3;
  }, "heartbeats between the blocks");
});

test("a block that does not match puts no heartbeat off", async (t) => {
  const heartbeatIntervalMs = 400;
  const { client } = await startServer(t, { heartbeatIntervalMs });
  let late = false;
  let heartbeats = 0;
  let timer: NodeJS.Timeout | undefined;
  let noise: NodeJS.Timeout | undefined;
  for await (const { event } of client.tailLogs({ filter: "match" })) {
    clearTimeout(timer);
    clearTimeout(noise);
    if (event.case === "heartbeat") heartbeats += 1;
    if (heartbeats === 3) break;
    timer = setTimeout(() => (late = true), heartbeatIntervalMs * 1.5);
    noise = setTimeout(() => void write(client, "noise"), heartbeatIntervalMs * 0.9);
  }
  assert(!late, "a silence of one and a half intervals");
});

test("a tail that is behind says so at once, and again when it has caught up", async (t) => {
  const { client } = await startServer(t);
  await write(client, "zero");
  const first = new TestTail(t, client, { last: 1 });
  await first.until(({ messages }) => messages.length === 1);
  await write(client, "one");
  await write(client, "two");
  const tail = new TestTail(t, client, { cursor: first.responses[1]?.cursor ?? "" });
  await tail.until(({ responses }) => responses.length >= 4);
  const told = tail.responses.map(({ event }) => (event.case === "heartbeat" ? event.value.lag : event.case));
  assert.deepEqual(
    told.filter((event) => event !== undefined),
    ["opened", 2n, 0n],
  );
  assert.deepEqual(tail.messages, ["one", "two"]);
  assert.equal(tail.responses.at(-1)?.event.case, "heartbeat");
});

for (const [method, request] of [
  ["backlog", { last: 1 }],
  ["cursorAtTime", { since: 1n }],
] as const) {
  test(`a tail is open, and not silent, while the engine's ${method} takes its time`, async (t) => {
    const held = Promise.withResolvers<void>();
    const { client } = await startServer(t, {
      heartbeatIntervalMs: 20,
      wrapEngine: (engine) =>
        new Proxy(engine, {
          get: (target, key) => {
            const value: unknown = Reflect.get(target, key);
            if (typeof value !== "function") return value;
            if (key !== method) return value.bind(target);
            return (...given: unknown[]) => held.promise.then(() => Reflect.apply(value, target, given));
          },
        }),
    });
    await write(client, "one");
    const tail = new TestTail(t, client, request);
    await tail.until((open) => open.heard("heartbeat").length >= 2);
    assert(tail.responses.every(({ cursor }) => cursor === ""));
    held.resolve();
    await tail.until(({ messages }) => messages.length === 1);
    await tail.until(({ cursor }) => cursor !== "");
  });
}

test("what retention took is told as a gap", async (t) => {
  const engineOptions = { retention: { ageMs: 1 }, retentionIntervalMs: 10 };
  const { client, engine } = await startServer(t, { engineOptions });
  const { cursor } = await new Promise<TailLogsResponse>((resolve, reject) => {
    const tail = new TestTail(t, client, {});
    tail
      .until(({ responses }) => responses.length === 1)
      .then(() => resolve(tail.responses[0] as TailLogsResponse), reject);
  });
  await client.writeLogs({ entries: [{ message: "old", timestamp: 1n }] });
  await until(async () => (await engine.stats()).deleted === 1, "a deletion");
  const tail = new TestTail(t, client, { cursor });
  await tail.until((open) => open.heard("gap").length === 1);
  const [gap] = tail.heard("gap");
  assert(gap?.event.case === "gap");
  assert.equal(gap.event.value.from, cursor);
  assert.equal(gap.event.value.to, gap.cursor);
  assert.equal(gap.event.value.count, 1n);
});

test("a drain ends tails with Unavailable", async (t) => {
  const { app, client } = await startServer(t);
  const tail = new TestTail(t, client, {});
  await tail.until(({ responses }) => responses.length === 1);
  await app.close();
  assert.equal((await tail.ended)?.code, Code.Unavailable);
});

test("a cancelled tail is let go", async (t) => {
  const { client } = await startServer(t);
  const cancel = new AbortController();
  const tail = client.tailLogs({}, { signal: cancel.signal })[Symbol.asyncIterator]();
  await tail.next();
  assert.equal(await openTails(client), 1);
  cancel.abort();
  await assert.rejects(tail.next());
  await until(async () => (await openTails(client)) === 0, "no open tail");
});

async function openTails(client: LogClient): Promise<number> {
  for await (const { tail } of client.watchStats({})) return Number(tail?.open);
  return -1;
}

/** A tail that is never read. */
function neverRead(t: TestContext, server: TestServer, version: "1.1" | "2" = "2"): { destroy(): unknown } {
  const path = "/logsvc.LogService/TailLogs";
  // An empty TailLogsRequest in its envelope.
  const body = Buffer.alloc(5);
  if (version === "1.1") {
    const headers = { "content-type": "application/connect+proto" };
    const request = http.request(server.url + path, { method: "POST", headers, agent: false }).end(body);
    request.on("error", () => undefined);
    request.on("response", (response) => response.on("error", () => undefined).pause());
    t.after(() => request.destroy());
    return request;
  }
  const session = http2.connect(server.url);
  t.after(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  stream.on("error", () => undefined);
  stream.end(body);
  stream.pause();
  return session;
}

const overfillCount = 400;

/** Writes more than all the buffers between the server and a reader hold: 20 MB. */
async function overfill(client: LogClient): Promise<void> {
  const entries = Array.from({ length: 20 }, (_, index) => ({ message: `${index}: ${"x".repeat(50_000)}` }));
  for (let written = 0; written < overfillCount; written += entries.length)
    await client.writeLogs({ entries });
}

async function greatestLag(client: LogClient): Promise<bigint> {
  for await (const { tail } of client.watchStats({})) return tail?.lagMax ?? 0n;
  return 0n;
}

for (const version of ["1.1", "2"] as const) {
  test(`a reader who leaves without having read is let go, HTTP/${version}`, async (t) => {
    const server = await startServer(t);
    const reader = neverRead(t, server, version);
    await until(async () => (await openTails(server.client)) === 1, "an open tail");
    await overfill(server.client);
    await until(async () => (await greatestLag(server.client)) > 50n, "a tail that lags");
    reader.destroy();
    await until(async () => (await openTails(server.client)) === 0, "no open tail");
  });
}

test("a reader who does not read delays a drain by no more than its time", async (t) => {
  const server = await startServer(t, { drainTimeoutMs: 50 });
  neverRead(t, server);
  await until(async () => (await openTails(server.client)) === 1, "an open tail");
  await overfill(server.client);
  await server.app.close();
});

test("a reader who does not read holds up neither the writer nor other tails", async (t) => {
  const server = await startServer(t, { drainTimeoutMs: 50 });
  const { client } = server;
  neverRead(t, server);
  const other = new TestTail(t, client, {});
  await until(async () => (await openTails(client)) === 2, "two open tails");
  const before = process.memoryUsage().arrayBuffers;
  await overfill(client);
  await until(() => other.messages.length === overfillCount, "all entries in the other tail");
  const lag = await greatestLag(client);
  assert(lag > 50n, `lag ${lag}`);
  // The log is 20 MB, which the engine keeps in memory and the other tail's
  // client as well; a queue for the one who does not read would come on top.
  assert(process.memoryUsage().arrayBuffers - before < 100e6);
});
