/**
 * One API, every way to speak it: all nine RPCs over Connect, gRPC and
 * gRPC-Web, in binary and JSON, over HTTP/1.1 and HTTP/2, give the same answers.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import {
  LogEntrySchema,
  LogService,
  Order,
  type WriteLogsRequest,
  WriteLogsRequestSchema,
} from "@logsvc/proto";
import { connectRpc, type LogRpc, messagesOf, readStats, readTail } from "./harness/rpc.ts";
import { startServer } from "./harness/server.ts";
import { waitFor } from "./harness/wait-for.ts";

/** A way to speak to the server. */
interface Way {
  readonly protocol: "connect" | "grpc" | "grpc-web";
  readonly httpVersion: "1.1" | "2";
  readonly format: "binary" | "json";
}

const ways: Way[] = (["connect", "grpc", "grpc-web"] as const)
  .flatMap((protocol) => (["1.1", "2"] as const).map((httpVersion) => ({ protocol, httpVersion })))
  .flatMap((way) => (["binary", "json"] as const).map((format) => ({ ...way, format })))
  // gRPC is defined over HTTP/2 alone.
  .filter(({ protocol, httpVersion }) => protocol !== "grpc" || httpVersion === "2");

const nameOf = ({ protocol, httpVersion, format }: Way): string =>
  `${protocol} in ${format} over HTTP/${httpVersion}`;

test("all RPCs, every way", { timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  for (const [index, way] of ways.entries()) {
    await t.test(nameOf(way), async (t) => {
      const rpc = createClient(LogService, openTransport(t, server.url, way));
      const isBidi = way.httpVersion === "2";
      assert.deepEqual(await converse(rpc, `way-${index}`, isBidi), expected(isBidi));
      if (!isBidi) await refusesBidi(rpc);
      await failsClearly(rpc);
    });
  }
  await t.test("nothing is left open", async (t) => {
    const rpc = connectRpc(t, server.url);
    await waitFor("every stream to end", async () => {
      const { ingest, tail, query } = await readStats(rpc);
      const open = [ingest?.streams, ingest?.inFlightBytes, tail?.open, query?.running];
      return open.every((count) => count === 0n);
    });
    assert.deepEqual(server.errors, []);
  });
});

test("all RPCs over TLS", { timeout: 60_000 }, async (t) => {
  const server = await startServer(t, { tls: true });
  for (const [index, httpVersion] of (["1.1", "2"] as const).entries()) {
    const way: Way = { protocol: "connect", httpVersion, format: "binary" };
    await t.test(nameOf(way), async (t) => {
      const rpc = createClient(LogService, openTransport(t, server.url, way));
      const isBidi = httpVersion === "2";
      assert.deepEqual(await converse(rpc, `way-${index}`, isBidi), expected(isBidi));
    });
  }
});

function openTransport(t: TestContext, baseUrl: string, way: Way): Transport {
  const nodeOptions = { rejectUnauthorized: false };
  const useBinaryFormat = way.format === "binary";
  if (way.httpVersion === "1.1") {
    const options = { baseUrl, httpVersion: way.httpVersion, useBinaryFormat, nodeOptions };
    return way.protocol === "grpc-web" ? createGrpcWebTransport(options) : createConnectTransport(options);
  }
  const sessionManager = new Http2SessionManager(baseUrl, {}, nodeOptions);
  t.after(() => sessionManager.abort());
  const options = { baseUrl, httpVersion: way.httpVersion, useBinaryFormat, sessionManager };
  if (way.protocol === "grpc") return createGrpcTransport(options);
  return way.protocol === "grpc-web" ? createGrpcWebTransport(options) : createConnectTransport(options);
}

/** One conversation with all RPCs; what is left out of the answers is what differs from call to call. */
async function converse(rpc: LogRpc, service: string, isBidi: boolean): Promise<unknown> {
  const filter = `service:=${service}`;
  const batch = (...messages: string[]): WriteLogsRequest =>
    create(WriteLogsRequestSchema, {
      entries: messages.map((message, index) => ({
        level: "warn",
        message,
        service,
        timestamp: BigInt(1_700_000_000 + index),
        attributes: { kind: message === "" ? "none" : "some" },
      })),
    });

  const written = await rpc.writeLogs(batch("write 1", "", "write 2"));
  const uploaded = await rpc.uploadLogs(each(batch("upload 1"), batch("", "upload 2")));
  const shipped = isBidi
    ? await all(rpc.shipLogs(each(batch("ship 1", ""), batch("ship 2"))))
    : [await rpc.writeLogs(batch("ship 1", "")), await rpc.writeLogs(batch("ship 2"))];
  const streamed = isBidi
    ? await all(rpc.streamLogs(each(...batch("stream 1", "").entries.map(withSequence))))
    : [];
  if (!isBidi) await rpc.writeLogs(batch("stream 1"));

  const messages = ["write 1", "write 2", "upload 1", "upload 2", "ship 1", "ship 2", "stream 1"];
  const tail = await readTail(rpc, { filter, last: 100 }, messages.length);
  const pages = await all(rpc.queryLogs({ filter, order: Order.OLDEST_FIRST }));
  const count = await rpc.countLogs({ filter, groupBy: "level", interval: 1_000_000_000n });
  const values = await rpc.listValues({ filter, field: "kind" });
  const stats = await readStats(rpc);

  return {
    written: [written.accepted, written.rejections.map(({ index, retryable }) => [index, retryable])],
    uploaded: [uploaded.accepted, uploaded.rejected, uploaded.rejections.map(({ index }) => index)],
    shipped: shipped.map(({ accepted, rejections }) => [accepted, rejections.map(({ index }) => index)]),
    streamed: streamed.map(({ accepted, sequence, id }) => [accepted, sequence, id !== ""]),
    tailed: messagesOf(tail.entries),
    queried: messagesOf(pages.flatMap(({ entries }) => entries)),
    matches: pages.at(-1)?.progress?.matches,
    complete: pages.at(-1)?.progress?.complete,
    count: count.series.map(({ value, counts, total }) => [value, counts, total]),
    values: values.values.map(({ value, count }) => [value, count]),
    engine: stats.storage?.engine,
  };
}

/** What the conversation must come to. */
function expected(isBidi: boolean): unknown {
  return {
    written: [2, [[1, false]]],
    uploaded: [2n, 1n, [1]],
    shipped: [
      [1, [1]],
      [1, []],
    ],
    streamed: isBidi
      ? [
          [true, 1n, true],
          [false, 2n, false],
        ]
      : [],
    tailed: ["write 1", "write 2", "upload 1", "upload 2", "ship 1", "ship 2", "stream 1"],
    // By time: every batch counts its seconds from the same one on.
    queried: ["write 1", "upload 1", "ship 1", "ship 2", "stream 1", "upload 2", "write 2"],
    matches: 7n,
    complete: true,
    count: [["WARN", [5n, 1n, 1n], 7n]],
    values: [["some", 7n]],
    engine: "sqlite",
  };
}

async function refusesBidi(rpc: LogRpc): Promise<void> {
  const entry = create(LogEntrySchema, { message: "can't be" });
  await assert.rejects(all(rpc.streamLogs(each(entry))), ConnectError);
}

async function failsClearly(rpc: LogRpc): Promise<void> {
  const filter = "level:error )";
  await assert.rejects(rpc.countLogs({ filter }), isInvalidArgument);
  await assert.rejects(all(rpc.queryLogs({ filter })), isInvalidArgument);
  await assert.rejects(all(rpc.tailLogs({ filter })), isInvalidArgument);
  const code = await codeOf(all(rpc.tailLogs({ cursor: "nonsense" })));
  assert.equal(code, Code.OutOfRange);
  const late = await codeOf(all(rpc.tailLogs({}, { timeoutMs: 50 })));
  assert.equal(late, Code.DeadlineExceeded);
}

const isInvalidArgument = (error: unknown): boolean =>
  ConnectError.from(error).code === Code.InvalidArgument && /filter/.test(ConnectError.from(error).message);

async function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  return call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const withSequence = <T extends { sequence: bigint }>(entry: T, index: number): T => ({
  ...entry,
  sequence: BigInt(index + 1),
});

async function* each<T>(...values: T[]): AsyncGenerator<T> {
  yield* values;
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(values);
}
