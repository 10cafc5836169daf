/**
 * SIGTERM: what was received is answered, what is open ends in a way that says
 * "go on elsewhere", the process ends with 0, and nothing is lost over it.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type LogEntry, LogEntrySchema, type LogResponse } from "@logsvc/proto";
import { assertSameLines } from "./harness/lines-match.ts";
import { connectRpc, messagesOf, readAll, readTail } from "./harness/rpc.ts";
import { startServer } from "./harness/server.ts";
import { waitFor } from "./harness/wait-for.ts";

test("SIGTERM with an open tail and an open StreamLogs", { timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  const answers: LogResponse[] = [];
  const tailed: string[] = [];
  let cursor = "";

  const writing = endOf(async () => {
    for await (const answer of connectRpc(t, server.url).streamLogs(endlessEntries())) answers.push(answer);
  });
  const tailing = endOf(async () => {
    for await (const response of connectRpc(t, server.url).tailLogs({ last: 10_000 })) {
      tailed.push(...messagesOf(response.entries));
      cursor = response.cursor;
    }
  });
  await waitFor("the tail to follow", () => tailed.length > 100 && answers.length > 100);

  const exit = await server.stop();
  assert.deepEqual(exit, { code: 0, signal: null }, server.stderr);
  assert.equal((await writing)?.code, Code.Unavailable);
  assert.equal((await tailing)?.code, Code.Unavailable);
  assert.ok(answers.every(({ accepted }) => accepted));
  assert.deepEqual(server.errors, []);

  await server.start();
  const rpc = connectRpc(t, server.url);
  const stored = await readAll(rpc);
  // Everything that was stored was answered, and the other way round.
  assertSameLines(
    stored.map(({ id }) => id),
    answers.map(({ id }) => id),
  );
  assertSameLines(
    messagesOf(stored),
    answers.map((_, index) => `entry ${index}`),
  );

  await rpc.writeLogs({ entries: [{ message: "after the restart" }] });
  const all = [...messagesOf(stored), "after the restart"];
  const rest = await readTail(rpc, { cursor }, all.length - tailed.length);
  assertSameLines([...tailed, ...messagesOf(rest.entries)], all);
});

test("SIGTERM with nothing open ends at once, and so does SIGINT", { timeout: 60_000 }, async (t) => {
  const server = await startServer(t);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
  await server.start();
  assert.deepEqual(await server.program.kill("SIGINT"), { code: 0, signal: null });
});

/** Entries as fast as they are taken, but never in the way of the answers. */
async function* endlessEntries(): AsyncGenerator<LogEntry> {
  for (let index = 0; ; index += 1) {
    yield create(LogEntrySchema, { message: `entry ${index}` });
    if (index % 50 === 49) await turn();
  }
}

/** The error that ended a call; undefined when it ended well. */
async function endOf(call: () => Promise<void>): Promise<ConnectError | undefined> {
  return call().then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
}
