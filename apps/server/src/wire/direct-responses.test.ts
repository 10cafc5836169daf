/** Tails of a client that takes no compressed messages: their responses go past Connect. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { type TestContext, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import {
  frameHeaderBytes,
  messageLengthAt,
  type TailLogsResponse,
  TailLogsResponseSchema,
} from "@logsvc/proto";
import { type LogClient, startServer, until } from "../testing/start-server.ts";

/** Opens a tail of everything, and waits until it has begun. */
async function openTail(t: TestContext, url: string): Promise<http2.ClientHttp2Stream> {
  const session = http2.connect(url);
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/logsvc.LogService/TailLogs",
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => undefined);
  stream.end(Buffer.alloc(frameHeaderBytes));
  await once(stream, "response");
  return stream;
}

/** The responses of a tail as they come. */
function responsesOf(stream: http2.ClientHttp2Stream): TailLogsResponse[] {
  const responses: TailLogsResponse[] = [];
  let rest: Buffer = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= frameHeaderBytes) {
      const end = frameHeaderBytes + messageLengthAt(rest, 0);
      if (end > rest.length) return;
      responses.push(fromBinary(TailLogsResponseSchema, rest.subarray(frameHeaderBytes, end)));
      rest = rest.subarray(end);
    }
  });
  return responses;
}

async function openTails(client: LogClient): Promise<number> {
  for await (const { tail } of client.watchStats({})) return Number(tail?.open);
  return -1;
}

test("a tail says what comes, and its end by Connect when the server drains", async (t) => {
  const { app, client, url } = await startServer(t);
  const stream = await openTail(t, url);
  const responses = responsesOf(stream);
  const trailers = once(stream, "trailers");
  for (const message of ["one", "two"]) await client.writeLogs({ entries: [{ message }] });
  const messages = (): string[] =>
    responses.flatMap(({ entries }) => entries.map(({ entry }) => entry?.message ?? ""));
  await until(() => messages().length === 2, "both entries");
  assert.equal(responses[0]?.event.case, "opened");
  assert.deepEqual(messages(), ["one", "two"]);
  void app.close();
  const [received] = await trailers;
  assert.equal(received["grpc-status"], "14");
});

for (const leaving of ["cancels", "is gone"]) {
  test(`a tail whose client takes nothing and then ${leaving} is let go`, async (t) => {
    const { client, url } = await startServer(t);
    const stream = await openTail(t, url);
    stream.pause();
    // Ten times the window: a write waits for it.
    for (let written = 0; written < 8; written++) {
      await client.writeLogs({ entries: [{ message: "x".repeat(100_000) }] });
    }
    assert.equal(await openTails(client), 1);
    if (leaving === "cancels") stream.close(http2.constants.NGHTTP2_CANCEL);
    else stream.session?.destroy();
    await until(async () => (await openTails(client)) === 0, "no open tail");
  });
}
