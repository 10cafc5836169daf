/**
 * Readers who stop reading: the writer goes on, other readers go on, the
 * server's memory stays where it was, and the late ones find everything.
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { TailLogsResponse, WriteLogsRequest } from "@logsvc/proto";
import { assertSameLines } from "./harness/lines-match.ts";
import { batchOf, connectRpc, type LogRpc, messagesOf, readStats } from "./harness/rpc.ts";
import { startServer } from "./harness/server.ts";
import { waitFor } from "./harness/wait-for.ts";

const batchesCount = 96;
const batchEntries = 1000;
/** Makes an entry of about 1 KiB, so that all of them are 96 MiB: more than the server holds in memory. */
const padding = " padding".repeat(125);

const stalledCount = 12;
/**
 * Far above what the server holds of the newest entries (64 MiB) with its
 * garbage, far below the 1.1 GiB that it would take to keep all of them for
 * twelve stalled readers.
 */
const growthBytesMax = 512 * 1024 * 1024;

const messages = Array.from({ length: batchesCount * batchEntries }, (_, index) => `entry ${index}`);

test("readers who stop reading harm nobody", { timeout: 180_000 }, async (t) => {
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  const reading = new AbortController();
  t.after(() => reading.abort());
  // Each on a connection of its own: on a shared one HTTP/2 itself would stop them all.
  const openTail = (service: string): Promise<LogTail> =>
    openTailOf(connectRpc(t, server.url), service, reading.signal);

  const usual = await writeAndFollow(rpc, "usual", await openTail("usual"));
  const stalled = await Promise.all(Array.from({ length: stalledCount }, () => openTail("stalled")));
  const beside = await writeAndFollow(rpc, "stalled", await openTail("stalled"));

  const grown = beside.residentBytesMax - usual.residentBytesMax;
  t.diagnostic(`${usual.rate} entries/s, and ${beside.rate} beside ${stalledCount} stalled readers`);
  t.diagnostic(`the server has ${inMebibytes(beside.residentBytesMax)}, grown by ${inMebibytes(grown)}`);
  assert.ok(grown < growthBytesMax, `the server grew by ${inMebibytes(grown)}`);

  const [late] = stalled;
  assert.ok(late !== undefined);
  assertSameLines(await readMessages(late), messages);

  reading.abort();
  await waitFor("the tails to end", async () => (await readStats(rpc)).tail?.open === 0n);
  assert.deepEqual(server.errors, []);
});

type LogTail = AsyncIterator<TailLogsResponse>;

/** A tail of one service that is open, and not read any further. */
async function openTailOf(rpc: LogRpc, service: string, signal: AbortSignal): Promise<LogTail> {
  const tail = rpc.tailLogs({ filter: `service:=${service}` }, { signal })[Symbol.asyncIterator]();
  const { value } = await tail.next();
  assert.equal(value?.event.case, "opened");
  return tail;
}

/**
 * Writes all messages while a tail follows them, which must get all. The rate,
 * in entries/s, is for people: machines differ too much to assert it.
 */
async function writeAndFollow(
  rpc: LogRpc,
  service: string,
  tail: LogTail,
): Promise<{ rate: number; residentBytesMax: number }> {
  const following = readMessages(tail);
  const start = performance.now();
  const residentBytesMax = await writeAll(rpc, service);
  const rate = Math.round(messages.length / ((performance.now() - start) / 1000));
  assertSameLines(await following, messages);
  return { rate, residentBytesMax };
}

/** The messages that a tail brings, without their padding, until it has brought all. */
async function readMessages(tail: LogTail): Promise<string[]> {
  const read: string[] = [];
  while (read.length < messages.length) {
    const { value, done } = await tail.next();
    if (done) break;
    for (const message of messagesOf(value.entries)) read.push(message.slice(0, -padding.length));
  }
  return read;
}

/** Ships all messages, each batch acknowledged whole. Returns the most memory that the server had meanwhile. */
async function writeAll(rpc: LogRpc, service: string): Promise<number> {
  async function* batches(): AsyncGenerator<WriteLogsRequest> {
    for (let from = 0; from < messages.length; from += batchEntries) {
      const padded = messages.slice(from, from + batchEntries).map((message) => message + padding);
      yield batchOf(padded, service);
    }
  }
  let answered = 0;
  let residentBytesMax = 0;
  for await (const { accepted } of rpc.shipLogs(batches())) {
    assert.equal(accepted, batchEntries);
    answered += 1;
    if (answered % 8 !== 0) continue;
    residentBytesMax = Math.max(residentBytesMax, Number((await readStats(rpc)).residentBytes));
  }
  assert.equal(answered, batchesCount);
  return residentBytesMax;
}

const inMebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
