/**
 * `@logsvc/client-node` against the real server, which is killed again and
 * again: what is sent is stored once, and what is tailed comes once, in order.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import {
  type BatchSender,
  createNodeClient,
  type NodeLogClient,
  openBatchSender,
  type Tail,
} from "@logsvc/client-node";
import { assertSameLines } from "./harness/lines-match.ts";
import { messagesOf, readStats } from "./harness/rpc.ts";
import { type Server, startServer } from "./harness/server.ts";
import { waitFor } from "./harness/wait-for.ts";

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `entry ${index}`);

test("a batch sender and a tail ride through three kills", { timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  const client = connectClient(t, server);
  const messages = numbered(30_000);
  const tailed: string[] = [];
  const following = follow(client.tail({ last: 0 }), tailed, messages.length);
  await waitFor("the tail to open", async () => (await readStats(client.rpc)).tail?.open === 1n);

  const sender = openBatchSender(client);
  const sending = sendAll(sender, messages);
  for (const killAt of [1, 9000, 20_000]) {
    await waitFor(`${killAt} entries`, () => tailed.length >= killAt, 60_000);
    await server.kill();
    await server.start();
  }
  await sending;
  const summary = await sender.close();
  assert.deepEqual(
    { ...summary, duplicates: 0 },
    { sent: messages.length, accepted: messages.length, duplicates: 0, rejected: 0, pending: 0 },
  );
  await following;
  assertSameLines(tailed, messages);
  const found = await Array.fromAsync(client.query({ order: "oldest", limit: Number.POSITIVE_INFINITY }));
  assertSameLines(messagesOf(found), messages);
});

test("an upload is found again by every way to ask", { timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  const client = connectClient(t, server);
  const messages = numbered(25_000);
  const start = new Date("2024-02-29T00:00:00Z").getTime();
  const entries = messages.map((message, index) => ({
    message,
    level: index % 10 === 0 ? "error" : "info",
    timestamp: new Date(start + index),
    service: index % 2 === 0 ? "even" : "odd",
  }));
  const uploaded = await client.upload(entries);
  assert.equal(uploaded.accepted, 25_000n);

  const newest = await Array.fromAsync(client.query({ limit: Number.POSITIVE_INFINITY }));
  assertSameLines(messagesOf(newest), messages.toReversed());
  const errors = await Array.fromAsync(
    client.query({ filter: "level:error service:even", limit: 3, order: "oldest" }),
  );
  assert.deepEqual(messagesOf(errors), ["entry 0", "entry 10", "entry 20"]);

  const middle = newest[12_499]?.id ?? "";
  const around = await client.around(middle, { limit: 4 });
  const at = around.findIndex(({ id }) => id === middle);
  assert.ok(at > 0 && at < around.length - 1, `found at ${at} of ${around.length}`);
  assertSameLines(messagesOf(around), messages.slice(12_500 - at, 12_500 - at + around.length));

  const count = await client.count({ groupBy: "level", interval: 10_000_000_000n });
  assert.equal(count.total, 25_000n);
  assert.deepEqual(
    count.series.map(({ value, counts }) => [value, counts]),
    [
      ["ERROR", [1000n, 1000n, 500n]],
      ["INFO", [9000n, 9000n, 4500n]],
    ],
  );
  const values = await client.values({ field: "service", filter: "level:error" });
  assert.deepEqual(
    values.values.map(({ value, count }) => [value, count]),
    [["even", 2500n]],
  );
});

test("an entry stream answers each write", { timeout: 60_000 }, async (t) => {
  const client = connectClient(t, await startServer(t));
  const stream = client.stream();
  const answers = await Promise.all(numbered(1000).map((message) => stream.write({ message })));
  await stream.end();
  const stored = await Array.fromAsync(client.query({ order: "oldest", limit: 1000 }));
  assertSameLines(
    answers.map(({ id }) => id),
    stored.map(({ id }) => id),
  );
  assertSameLines(messagesOf(stored), numbered(1000));
});

function connectClient(t: TestContext, server: Server): NodeLogClient {
  const client = createNodeClient({ url: server.url });
  t.after(() => client.close());
  return client;
}

/** Gathers a tail's messages until there are so many. */
async function follow(tail: Tail, into: string[], count: number): Promise<void> {
  for await (const event of tail) {
    assert.equal(event.kind, "entries");
    if (event.kind === "entries") into.push(...messagesOf(event.entries));
    if (into.length >= count) break;
  }
}

async function sendAll(sender: BatchSender, messages: readonly string[]): Promise<void> {
  for (let start = 0; start < messages.length; start += 500)
    await sender.send(messages.slice(start, start + 500).map((message) => ({ message })));
}
