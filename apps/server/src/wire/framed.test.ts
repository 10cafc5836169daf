/** Streams of frames and what runs beside them: everyone gets a turn, and an end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { type TestContext, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  frameHeaderBytes,
  LogEntrySchema,
  LogService,
  limits,
  messageLengthAt,
  writeFrameHeader,
} from "@logsvc/proto";
import { startServer, until } from "../testing/start-server.ts";

/** Frames of one entry each, side by side. */
function framesOf(count: number, message: string): Buffer {
  const entry = toBinary(LogEntrySchema, create(LogEntrySchema, { message, timestamp: 1n }));
  const frame = Buffer.alloc(frameHeaderBytes + entry.length);
  writeFrameHeader(frame, 0, 0, entry.length);
  frame.set(entry, frameHeaderBytes);
  return Buffer.alloc(frame.length * count, frame);
}

function connect(t: TestContext, url: string): http2.ClientHttp2Session {
  const session = http2.connect(url, {
    // MB; what waits to be sent counts.
    maxSessionMemory: 1_000,
    settings: { initialWindowSize: limits.streamWindowBytes },
  });
  session.on("error", () => undefined);
  // As our clients do: while a window of the whole connection is full, HTTP/2 in Node serves the streams in a fixed order.
  session.once("connect", () => {
    if (!session.destroyed) session.setLocalWindowSize(limits.connectionWindowBytes);
  });
  t.after(() => session.destroy());
  return session;
}

function openStream(session: http2.ClientHttp2Session): http2.ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": "/logsvc.LogService/StreamLogs",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => undefined);
  return stream;
}

/** Counts the answers of a stream as they come. */
function countAnswers(stream: http2.ClientHttp2Stream): { readonly count: number } {
  const answers = { count: 0 };
  let rest: Buffer = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (rest.length - at >= frameHeaderBytes) {
      const end = at + frameHeaderBytes + messageLengthAt(rest, at);
      if (end > rest.length) break;
      answers.count += 1;
      at = end;
    }
    rest = rest.subarray(at);
  });
  return answers;
}

/** Writes as fast as the stream takes it, until told to stop. */
function flood(stream: http2.ClientHttp2Stream, bytes: Buffer, isOver: () => boolean): void {
  let over = false;
  const pump = (): void => {
    while (!over && !isOver() && stream.write(bytes));
    if (isOver()) {
      over = true;
      stream.end();
    } else {
      stream.once("drain", pump);
    }
  };
  pump();
}

test("streams that flood one connection share it", async (t) => {
  const { url } = await startServer(t);
  const session = connect(t, url);
  const entries = 20_000;
  const run = framesOf(100, "x".repeat(100));
  const all = Array.from({ length: 8 }, () => {
    const stream = openStream(session);
    const answers = countAnswers(stream);
    return { stream, answers };
  });
  const isOver = (): boolean => all.some(({ answers }) => answers.count >= entries);
  for (const { stream } of all) flood(stream, run, isOver);
  await until(isOver, "a stream with all its answers");
  // When the first one was through, nobody had been left behind.
  const counts = all.map(({ answers }) => answers.count);
  assert(Math.min(...counts) > entries / 4, `the answers of each: ${counts.join(", ")}`);
  await Promise.all(all.map(({ stream }) => once(stream, "end")));
});

test("other calls on the connection of a flood are answered while it lasts", async (t) => {
  const { url } = await startServer(t);
  const session = connect(t, url);
  const stream = openStream(session);
  const answers = countAnswers(stream);
  let flooding = true;
  flood(stream, framesOf(2_000, "x".repeat(100)), () => !flooding);
  await until(() => answers.count > 0, "an answer to the flood");

  const client = createClient(
    LogService,
    createGrpcTransport({
      baseUrl: url,
      sessionManager: {
        authority: url,
        request: async (method, path, headers) =>
          session.request({ ...headers, ":method": method, ":path": path }),
        notifyResponseByteRead: () => undefined,
      },
    }),
  );
  for (let call = 0; call < 20; call++) {
    const before = answers.count;
    const response = await client.writeLogs({ entries: [{ message: `call ${call}` }] });
    assert.equal(response.accepted, 1);
    // It was a flood all along, and went on beside the call.
    await until(() => answers.count > before, "another answer to the flood");
  }
  flooding = false;
  await once(stream, "end");
});

test("a client that is gone in the middle of a frame leaves nothing behind", async (t) => {
  const { client, url } = await startServer(t);
  for (let round = 0; round < 20; round++) {
    const session = connect(t, url);
    const stream = openStream(session);
    stream.write(framesOf(100, "whole"));
    stream.write(framesOf(1, "broken").subarray(0, 7));
    if (round % 2 === 0) await once(stream, "data");
    if (round % 3 === 0) stream.close(http2.constants.NGHTTP2_CANCEL);
    else session.destroy();
  }
  await until(async () => {
    const stats = client.watchStats({})[Symbol.asyncIterator]();
    const { value } = await stats.next();
    await stats.return?.();
    return value?.ingest?.streams === 0n && value.ingest.inFlightBytes === 0n;
  }, "the streams to end");
});

test("a stream that asks for no message is answered with its end", async (t) => {
  const { url } = await startServer(t);
  const session = connect(t, url);
  const stream = openStream(session);
  const trailers = once(stream, "trailers");
  stream.end();
  stream.resume();
  assert.equal((await trailers)[0]["grpc-status"], "0");
});

test("the greatest entry passes, and one byte more is refused by its header", async (t) => {
  const { client, url } = await startServer(t);
  const overhead = toBinary(
    LogEntrySchema,
    create(LogEntrySchema, { level: "INFO", message: "x".repeat(1 << 20), timestamp: 1_000_000_000n }),
  );
  const message = "x".repeat((1 << 20) - (overhead.length - limits.entryBytesMax) - 4);
  const answered: boolean[] = [];
  async function* entries(): AsyncGenerator<{ level: string; message: string; timestamp: bigint }> {
    yield { level: "INFO", message, timestamp: 1n };
  }
  for await (const { accepted } of client.streamLogs(entries())) answered.push(accepted);
  assert.deepEqual(answered, [true]);

  const stream = openStream(connect(t, url));
  const trailers = once(stream, "trailers");
  const header = Buffer.alloc(frameHeaderBytes);
  writeFrameHeader(header, 0, 0, limits.entryBytesMax + 1);
  stream.write(header);
  stream.resume();
  const [received] = await trailers;
  assert.equal(received["grpc-status"], "8");
  assert.match(decodeURIComponent(received["grpc-message"]), /message size 1048577 is larger .* 1048576/);
});
