/** Every RPC over every protocol, format and HTTP version, against the real engine on a real port. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { Code, ConnectError, createClient, createRouterTransport, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { FilterErrorSchema, LogService, limits, type Order, RetryInfoSchema } from "@logsvc/proto";
import { buildRoutes, buildServer } from "./build-server.ts";
import { type LogClient, startServer, until } from "./testing/start-server.ts";
import { testCertificate } from "./testing/test-certificate.ts";

interface Wire {
  readonly name: string;
  readonly open: (baseUrl: string) => Transport;
  readonly bidi: boolean;
}

const wires: readonly Wire[] = [
  { name: "gRPC", open: (baseUrl) => createGrpcTransport({ baseUrl }), bidi: true },
  {
    name: "gRPC JSON",
    open: (baseUrl) => createGrpcTransport({ baseUrl, useBinaryFormat: false }),
    bidi: true,
  },
  {
    name: "gRPC-Web, HTTP/1.1",
    open: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }),
    bidi: false,
  },
  {
    name: "gRPC-Web, HTTP/2",
    open: (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "2" }),
    bidi: true,
  },
  {
    name: "Connect, HTTP/1.1",
    open: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    bidi: false,
  },
  {
    name: "Connect JSON, HTTP/1.1",
    open: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
    bidi: false,
  },
  {
    name: "Connect, HTTP/2",
    open: (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" }),
    bidi: true,
  },
  {
    name: "Connect JSON, HTTP/2, GET",
    open: (baseUrl) =>
      createConnectTransport({ baseUrl, httpVersion: "2", useBinaryFormat: false, useHttpGet: true }),
    bidi: true,
  },
];

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function writeAndRead(client: LogClient): Promise<void> {
  const written = await client.writeLogs({
    entries: [{ message: "one", level: "warning" }, { message: "" }, { message: "two", service: "api" }],
  });
  assert.equal(written.accepted, 2);
  assert.deepEqual(
    written.rejections.map(({ index, reason }) => [index, reason]),
    [[1, "message: must not be empty"]],
  );
  const uploaded = await client.uploadLogs(
    each([{ entries: [{ message: "three" }] }, { entries: [{ message: "four" }, { message: "" }] }]),
  );
  assert.equal(uploaded.accepted, 2n);
  assert.deepEqual(
    uploaded.rejections.map(({ index }) => index),
    [2],
  );
  const found = [];
  let complete = false;
  for await (const { entries, progress } of client.queryLogs({ filter: "NOT four", order: 2 })) {
    found.push(...entries.map(({ entry }) => `${entry?.level} ${entry?.message}`));
    complete ||= progress?.complete ?? false;
  }
  assert.deepEqual(found, ["WARN one", "INFO two", "INFO three"]);
  assert(complete);
  assert.equal((await client.countLogs({ groupBy: "level" })).total, 4n);
  const { values } = await client.listValues({ field: "level" });
  assert.deepEqual(
    values.map(({ value, count }) => [value, count]),
    [
      ["INFO", 3n],
      ["WARN", 1n],
    ],
  );
  for await (const stats of client.watchStats({})) {
    assert.equal(stats.ingest?.accepted, 4n);
    assert.equal(stats.storage?.entries, 4n);
    break;
  }
}

async function followTo(client: LogClient, last: string): Promise<string[]> {
  const messages: string[] = [];
  for await (const { entries, event } of client.tailLogs({ last: 2 })) {
    if (messages.length === 0 && entries.length === 0) assert.equal(event.case, "opened");
    messages.push(...entries.map(({ entry }) => entry?.message ?? ""));
    if (messages.includes(last)) return messages;
  }
  return messages;
}

async function streamBothWays(client: LogClient): Promise<void> {
  const answers = [];
  for await (const answer of client.streamLogs(each([{ message: "a" }, { message: "" }, { message: "b" }]))) {
    answers.push([answer.accepted, answer.reason, answer.id !== ""]);
  }
  assert.deepEqual(answers, [
    [true, "", true],
    [false, "message: must not be empty", false],
    [true, "", true],
  ]);
  const shipped = [];
  for await (const answer of client.shipLogs(each([{ entries: [{ message: "c" }] }, { entries: [] }]))) {
    shipped.push(answer.accepted);
  }
  assert.deepEqual(shipped, [1, 0]);
}

for (const { name, open, bidi } of wires) {
  test(`every RPC over ${name}`, async (t) => {
    const { url } = await startServer(t);
    const client = createClient(LogService, open(url));
    await writeAndRead(client);
    const followed = followTo(client, "live");
    await until(async () => {
      for await (const { tail } of client.watchStats({})) return tail?.open === 1n;
      return false;
    }, "an open tail");
    await client.writeLogs({ entries: [{ message: "live" }] });
    assert.deepEqual(await followed, ["three", "four", "live"]);
    if (bidi) await streamBothWays(client);
  });
}

for (const httpVersion of ["1.1", "2"] as const) {
  test(`over TLS, HTTP/${httpVersion}`, async (t) => {
    const { app, url } = await startServer(t, { tls: testCertificate });
    const nodeOptions = { ca: testCertificate.cert };
    const client = createClient(
      LogService,
      createConnectTransport({ baseUrl: url.replace("http:", "https:"), httpVersion, nodeOptions }),
    );
    await writeAndRead(client);
    await app.close();
  });
}

test("the address says which protocol it speaks", async (t) => {
  const { engine } = await startServer(t);
  for (const tls of [undefined, testCertificate]) {
    const app = buildServer({ version: "1", ...(tls && { tls }) }, engine);
    t.after(() => app.close());
    const address = await app.listen({ host: "127.0.0.1", port: 0 });
    assert.match(address, tls ? /^https:/ : /^http:/);
  }
});

test("a both-ways stream over HTTP/1.1 is refused in words", async (t) => {
  const { url } = await startServer(t);
  const headers = { "content-type": "application/connect+proto" };
  const response = await fetch(`${url}/logsvc.LogService/StreamLogs`, { method: "POST", headers });
  assert.equal(response.status, 505);
  assert.deepEqual(await response.json(), {
    code: "unimplemented",
    message: "StreamLogs streams both ways, which needs HTTP/2",
  });
});

const refused: readonly (readonly [string, Code, RegExp, (client: LogClient) => Promise<unknown>])[] = [
  [
    "page limit",
    Code.InvalidArgument,
    /limit: at most 10000, got 10001/,
    (c) => all(c.queryLogs({ limit: 10_001 })),
  ],
  [
    "range",
    Code.InvalidArgument,
    /start: must be before end/,
    (c) => all(c.queryLogs({ start: 9n, end: 9n })),
  ],
  ["page token", Code.OutOfRange, /./, (c) => all(c.queryLogs({ pageToken: "x" }))],
  ["id", Code.OutOfRange, /./, (c) => all(c.queryLogs({ around: "x" }))],
  ["order", Code.InvalidArgument, /order: expected/, (c) => all(c.queryLogs({ order: 7 as Order }))],
  ["buckets", Code.InvalidArgument, /buckets: at most 10000/, (c) => c.countLogs({ buckets: 10_001 })],
  ["groups", Code.InvalidArgument, /groups: at most 100/, (c) => c.countLogs({ groups: 101 })],
  ["interval", Code.InvalidArgument, /interval: must not be/, (c) => c.countLogs({ interval: -1n })],
  ["values", Code.InvalidArgument, /limit: at most 1000/, (c) => c.listValues({ limit: 1_001 })],
  [
    "filter size",
    Code.InvalidArgument,
    /filter: at most 8192/,
    (c) => c.listValues({ filter: "a".repeat(8193) }),
  ],
  ["cursor", Code.OutOfRange, /./, (c) => all(c.tailLogs({ cursor: "x" }))],
  ["backlog", Code.InvalidArgument, /last: at most 10000/, (c) => all(c.tailLogs({ last: 10_001 }))],
  [
    "stats interval",
    Code.InvalidArgument,
    /interval_ms: from 100/,
    (c) => all(c.watchStats({ intervalMs: 5 })),
  ],
  [
    "producer",
    Code.InvalidArgument,
    /producer_id: at most 128/,
    (c) => c.writeLogs({ producerId: "p".repeat(129) }),
  ],
  ["numbering", Code.InvalidArgument, /needs a producer_id/, (c) => c.writeLogs({ firstSequence: 1n })],
  [
    "entries in a batch",
    Code.ResourceExhausted,
    /entries: at most 100000/,
    (c) => c.writeLogs({ entries: Array.from({ length: limits.batchEntriesMax + 1 }, () => ({})) }),
  ],
];

async function all<T>(responses: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = [];
  for await (const response of responses) taken.push(response);
  return taken;
}

test("requests out of their range are refused with the field, the limit and the value", async (t) => {
  const { client } = await startServer(t);
  for (const [name, code, message, call] of refused) {
    await assert.rejects(call(client), (error: ConnectError) => {
      assert.equal(error.code, code, `${name}: ${error.message}`);
      assert.match(error.rawMessage, message);
      return true;
    });
  }
});

test("a filter that does not parse is refused with its position", async (t) => {
  const { client } = await startServer(t);
  const failure = await client.countLogs({ filter: "level:error (" }).catch(ConnectError.from);
  assert(failure instanceof ConnectError);
  assert.equal(failure.code, Code.InvalidArgument);
  const [fault] = failure.findDetails(FilterErrorSchema);
  assert.equal(fault?.start, 12);
});

test("bytes that are not protobuf are the sender's fault in every protocol", async (t) => {
  const { url } = await startServer(t);
  const body = Buffer.from("garbage");
  const envelope = Buffer.concat([Buffer.of(0, 0, 0, 0, body.length), body]);
  const connect = await fetch(`${url}/logsvc.LogService/WriteLogs`, {
    method: "POST",
    headers: { "content-type": "application/proto" },
    body,
  });
  assert.equal(connect.status, 400);
  assert.match(await connect.text(), /"invalid_argument"/);
  const grpcWeb = await fetch(`${url}/logsvc.LogService/WriteLogs`, {
    method: "POST",
    headers: { "content-type": "application/grpc-web+proto" },
    body: envelope,
  });
  assert.match(await grpcWeb.text(), /grpc-status: 3/);
});

test("a retry is recognised by the producer of the request or of the header", async (t) => {
  const { client } = await startServer(t);
  const batch = { entries: [{ message: "a" }, { message: "b" }], firstSequence: 1n };
  const first = await client.writeLogs({ ...batch, producerId: "p" });
  assert.deepEqual([first.accepted, first.duplicates], [2, 0]);
  const again = await client.writeLogs(batch, { headers: { "logsvc-producer-id": "p" } });
  assert.deepEqual([again.accepted, again.duplicates, again.firstId], [2, 2, ""]);
  const other = await client.writeLogs({ ...batch, producerId: "q" });
  assert.equal(other.duplicates, 0);
});

test("the entries around an id come in the order of the log", async (t) => {
  const { client } = await startServer(t);
  const entries = Array.from({ length: 9 }, (_, index) => ({ message: `m${index}` }));
  await client.writeLogs({ entries });
  const [found] = await all(client.queryLogs({ filter: "m4" }));
  const around = await all(
    client.queryLogs({ around: found?.entries[0]?.id ?? "", limit: 4, filter: "nothing" }),
  );
  assert.deepEqual(
    around.flatMap(({ entries }) => entries.map(({ entry }) => entry?.message)),
    ["m2", "m3", "m4", "m5"],
  );
  assert.equal(around.at(-1)?.progress?.complete, true);
});

test("a full disk is Unavailable, with when to come back, and the server is not ready", async (t) => {
  const { client, url } = await startServer(t, { engineOptions: { fileBytesMax: 1024 * 1024 } });
  const noise = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(48_000))).toString("base64");
  const fill = async (): Promise<never> => {
    while (true) await client.writeLogs({ entries: [{ message: noise() }] });
  };
  const failure = await fill().catch(ConnectError.from);
  assert.equal(failure.code, Code.Unavailable);
  assert.equal(failure.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds, 1n);
  // Where the log lies on the server is none of its clients' business.
  assert.equal(failure.rawMessage, "the log's file: database or disk is full");
  const ready = await fetch(`${url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /"reason":"the log's file: database or disk is full"/);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test("the routes also serve an in-memory transport", async (t) => {
  const { engine } = await startServer(t);
  const transport = createRouterTransport(buildRoutes({ version: "1" }, engine));
  await writeAndRead(createClient(LogService, transport));
});

for (const [encoding, compress] of [
  ["gzip", gzipSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
] as const) {
  test(`requests compressed with ${encoding}, up to the same limit`, async (t) => {
    const { url } = await startServer(t);
    const write = (text: string): Promise<Response> =>
      fetch(`${url}/logsvc.LogService/WriteLogs`, {
        method: "POST",
        headers: { "content-type": "application/json", "content-encoding": encoding },
        body: new Uint8Array(compress(text)),
      });
    const written = await write('{"entries":[{"message":"small"}]}');
    assert.match(await written.text(), /"accepted":1/);
    const bomb = await write(`{"entries":[{"message":"${" ".repeat(limits.batchBytesMax)}"}]}`);
    assert.equal(bomb.status, 429);
  });
}
