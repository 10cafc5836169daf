/** Streams of entries and batches over HTTP/2: order, bounds, and every way to end. */
import assert from "node:assert/strict";
import http2 from "node:http2";
import { type TestContext, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Engine, EngineError } from "@logsvc/engine";
import { LogEntrySchema, type LogResponse, LogResponseSchema, limits } from "@logsvc/proto";
import { type HeldEngine, holdAppends, withAppend } from "../testing/hold-appends.ts";
import { openEnded } from "../testing/open-ended.ts";
import { startServer, until } from "../testing/start-server.ts";

async function startHeld(t: TestContext): Promise<{
  server: Awaited<ReturnType<typeof startServer>>;
  hold: HeldEngine;
}> {
  const holds: HeldEngine[] = [];
  const server = await startServer(t, {
    wrapEngine: (engine) => {
      const hold = holdAppends(engine);
      holds.push(hold);
      return hold.engine;
    },
  });
  const [hold] = holds;
  assert(hold !== undefined);
  return { server, hold };
}

/** Takes answers until the stream ends; never rejects. */
async function collect<T>(answers: AsyncIterable<T>, into: T[] = []): Promise<ConnectError | undefined> {
  try {
    for await (const answer of answers) into.push(answer);
    return undefined;
  } catch (error) {
    return ConnectError.from(error);
  }
}

async function* generate(count: number): AsyncGenerator<{ message: string; sequence: bigint }> {
  for (let index = 1; index <= count; index++) {
    yield { message: index % 10 === 0 ? "" : `entry ${index}`, sequence: BigInt(index) };
  }
}

test("every entry is answered once, in order, with its own verdict", async (t) => {
  const { client } = await startServer(t);
  const answers: LogResponse[] = [];
  const headers = { "logsvc-producer-id": "p" };
  assert.equal(await collect(client.streamLogs(generate(1_000), { headers }), answers), undefined);
  assert.deepEqual(
    answers.map(({ sequence }) => Number(sequence)),
    Array.from({ length: 1_000 }, (_, index) => index + 1),
  );
  assert(answers.every(({ accepted, sequence }) => accepted === (sequence % 10n !== 0n)));
  assert.equal(new Set(answers.map(({ id }) => id)).size, 901);

  const again: LogResponse[] = [];
  await collect(client.streamLogs(generate(1_000), { headers }), again);
  assert(again.every(({ accepted, duplicate }) => accepted === duplicate));
});

test("a stream is read on while its appends are pending", async (t) => {
  const { server, hold } = await startHeld(t);
  const { messages, send, end } = openEnded<{ message: string }>();
  const answers: LogResponse[] = [];
  const ended = collect(server.client.streamLogs(messages), answers);
  for (let index = 0; index < 2; index++) {
    send({ message: `entry ${index}` });
    await until(() => hold.held() > index, "a second append while the first has not ended");
  }
  for (let index = 2; index < 5; index++) send({ message: `entry ${index}` });
  assert.equal(answers.length, 0);
  end();
  hold.letGo();
  assert.equal(await ended, undefined);
  assert.equal(answers.length, 5);
});

test("a sequence that falls back is answered as the repeat it is", async (t) => {
  const { client } = await startServer(t);
  const answers: LogResponse[] = [];
  async function* entries(): AsyncGenerator<{ message: string; sequence: bigint }> {
    for (const sequence of [1n, 2n, 1n, 3n]) yield { message: "m", sequence };
  }
  await collect(client.streamLogs(entries(), { headers: { "logsvc-producer-id": "p" } }), answers);
  assert.deepEqual(
    answers.map(({ accepted, duplicate }) => [accepted, duplicate]),
    [
      [true, false],
      [true, false],
      [true, true],
      [true, false],
    ],
  );
});

test("batches are answered in order, and an impossible one ends the stream after them", async (t) => {
  const { client } = await startServer(t);
  const answers: number[] = [];
  async function* batches(): AsyncGenerator<{ entries: { message: string }[]; firstSequence?: bigint }> {
    for (let count = 1; count <= 50; count++) yield { entries: Array(count).fill({ message: "m" }) };
    yield { entries: [{ message: "m" }], firstSequence: 1n };
  }
  const counts = (async function* () {
    for await (const { accepted } of client.shipLogs(batches())) yield accepted;
  })();
  const failure = await collect(counts, answers);
  assert.equal(failure?.code, Code.InvalidArgument);
  assert.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
});

test("a cancel ends the stream at once, with appends pending", async (t) => {
  const { server, hold } = await startHeld(t);
  const { messages, send } = openEnded<{ message: string }>();
  const cancel = new AbortController();
  const ended = collect(server.client.streamLogs(messages, { signal: cancel.signal }));
  send({ message: "m" });
  await until(() => hold.held() === 1, "a pending append");
  cancel.abort();
  assert.equal((await ended)?.code, Code.Canceled);
  await until(() => openStreams(server.client).then((open) => open === 0), "the server's end of the stream");
  assert((await inFlightBytes(server.client)) > 0, "what the engine still has to store counts");
  hold.letGo();
  await until(() => inFlightBytes(server.client).then((bytes) => bytes === 0), "nothing in flight");
});

test("a deadline ends the stream at once, with appends pending", async (t) => {
  const { server, hold } = await startHeld(t);
  const { messages, send } = openEnded<{ message: string }>();
  send({ message: "m" });
  const failure = await collect(server.client.streamLogs(messages, { timeoutMs: 50 }));
  assert.equal(failure?.code, Code.DeadlineExceeded);
  await until(() => openStreams(server.client).then((open) => open === 0), "the server's end of the stream");
  const unary = server.client.writeLogs({ entries: [{ message: "m" }] }, { timeoutMs: 50 });
  assert.equal(((await unary.catch(ConnectError.from)) as ConnectError).code, Code.DeadlineExceeded);
  hold.letGo();
});

async function inFlightBytes(client: Awaited<ReturnType<typeof startServer>>["client"]): Promise<number> {
  for await (const { ingest } of client.watchStats({})) return Number(ingest?.inFlightBytes);
  return -1;
}

async function openStreams(client: Awaited<ReturnType<typeof startServer>>["client"]): Promise<number> {
  for await (const { ingest } of client.watchStats({})) return Number(ingest?.streams);
  return -1;
}

test("a drain answers what was read, and then ends the stream", async (t) => {
  const { server, hold } = await startHeld(t);
  const { messages, send } = openEnded<{ message: string }>();
  const answers: LogResponse[] = [];
  const ended = collect(server.client.streamLogs(messages), answers);
  send({ message: "read before the drain" });
  await until(() => hold.held() === 1, "a pending append");
  const closed = server.app.close();
  await until(async () => (await fetch(`${server.url}/readyz`)).status === 503, "a server that is not ready");
  const refused = await server.client.writeLogs({ entries: [{ message: "m" }] }).catch(ConnectError.from);
  assert(refused instanceof ConnectError);
  assert.equal(refused.code, Code.Unavailable);
  hold.letGo();
  assert.equal((await ended)?.code, Code.Unavailable);
  assert.deepEqual(
    answers.map(({ accepted }) => accepted),
    [true],
  );
  await closed;
});

test("a full disk ends the stream after the answers before it", async (t) => {
  const { client } = await startServer(t, { engineOptions: { fileBytesMax: 1024 * 1024 } });
  const answers: LogResponse[] = [];
  async function* entries(): AsyncGenerator<{ message: string }> {
    while (true)
      yield { message: Buffer.from(crypto.getRandomValues(new Uint8Array(48_000))).toString("base64") };
  }
  const failure = await collect(client.streamLogs(entries()), answers);
  assert.equal(failure?.code, Code.Unavailable);
  assert(answers.length > 0 && answers.every(({ accepted }) => accepted));
});

for (const rpc of ["shipLogs", "streamLogs"] as const) {
  test(`what follows on ${rpc} after something that was not stored is not stored before it`, async (t) => {
    const hold = Promise.withResolvers<void>();
    const appended: number[] = [];
    const wrapEngine = (engine: Engine): Engine =>
      withAppend(engine, async (batch) => {
        const number = appended.push(batch.count);
        if (number === 2) throw new EngineError("unavailable", "the disk is full");
        await hold.promise;
        return engine.append(batch);
      });
    const { client } = await startServer(t, { wrapEngine });
    const source = openEnded<{ message: string }>();
    async function* batches() {
      for await (const entry of source.messages) yield { entries: [entry] };
    }
    const answers: unknown[] = [];
    const calls = {
      shipLogs: () => collect(client.shipLogs(batches()), answers),
      streamLogs: () => collect(client.streamLogs(source.messages), answers),
    };
    const failure = calls[rpc]();
    for (const number of [1, 2]) {
      source.send({ message: `entry ${number}` });
      await until(() => appended.length === number, `append ${number}`);
    }
    // The first answer is still awaited, so the stream goes on, and takes more.
    const before = await inFlightBytes(client);
    source.send({ message: "entry 3" });
    await until(async () => (await inFlightBytes(client)) > before || appended.length > 2, "the third entry");
    hold.resolve();
    assert.equal((await failure)?.code, Code.Unavailable);
    assert.equal(answers.length, 1);
    assert.deepEqual(appended, [1, 1]);
  });
}

/** What the server says to a StreamLogs request of raw bytes, over gRPC. */
async function sendRaw(
  t: TestContext,
  url: string,
  bytes: Buffer,
): Promise<{ answers: LogResponse[]; status: string }> {
  const session = http2.connect(url);
  t.after(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/logsvc.LogService/StreamLogs",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let status = "";
  stream.on("trailers", (trailers) => (status = String(trailers["grpc-status"])));
  // Not ended: the server has to end the stream by itself.
  stream.write(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return { answers: [...readEnvelopes(Buffer.concat(chunks))], status };
}

function* readEnvelopes(bytes: Buffer): Generator<LogResponse> {
  for (let start = 0; start < bytes.length; ) {
    const end = start + 5 + bytes.readUInt32BE(start + 1);
    yield fromBinary(LogResponseSchema, bytes.subarray(start + 5, end));
    start = end;
  }
}

function envelope(payload: Uint8Array, length = payload.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, payload]);
}

const goodEntries = ["a", "b", "c"].map((message) =>
  envelope(toBinary(LogEntrySchema, create(LogEntrySchema, { message }))),
);

test("bytes that are not protobuf end the stream after the answers to all before", async (t) => {
  const { url } = await startServer(t);
  const said = await sendRaw(t, url, Buffer.concat([...goodEntries, envelope(Buffer.from("garbage"))]));
  assert.equal(said.status, String(Code.InvalidArgument));
  assert.deepEqual(
    said.answers.map(({ accepted }) => accepted),
    [true, true, true],
  );
});

test("a message over its limit ends the stream before it is received", async (t) => {
  const { url } = await startServer(t);
  const said = await sendRaw(t, url, envelope(Buffer.alloc(0), limits.entryBytesMax + 1));
  assert.equal(said.status, String(Code.ResourceExhausted));
});

test("a client that does not read its answers is read no further than the bound", async (t) => {
  const { server, hold } = await startHeld(t);
  const { messages, end, send } = openEnded<{ message: string }>();
  const answers: LogResponse[] = [];
  const ended = collect(server.client.streamLogs(messages), answers);
  const message = "m".repeat(1_000_000);
  const count = 40;
  for (let index = 0; index < count; index++) send({ message });
  const bound = limits.streamInFlightBytesMax + limits.entryBytesMax;
  let greatest = 0;
  await until(async () => {
    for await (const { ingest } of server.client.watchStats({})) {
      greatest = Math.max(greatest, Number(ingest?.inFlightBytes));
      break;
    }
    return greatest > limits.streamInFlightBytesMax;
  }, "a full stream");
  assert(greatest <= bound, `${greatest} bytes in flight`);
  end();
  hold.letGo();
  assert.equal(await ended, undefined);
  assert.equal(answers.length, count);
});
