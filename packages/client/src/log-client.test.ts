import assert from "node:assert/strict";
import test from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type ServiceImpl } from "@connectrpc/connect";
import {
  type CountLogsRequest,
  LogEntrySchema,
  LogService,
  Order,
  type QueryLogsRequest,
  type WriteLogsRequest,
  WriteLogsRequestSchema,
} from "@logsvc/proto";
import { bearerToken } from "./bearer-token.ts";
import { encodedRequest, encodeEntries } from "./entry-encoding.ts";
import { createLogClient, type LogClient } from "./log-client.ts";
import { toLogEntry, toWireTime } from "./log-entry-init.ts";

function clientOf(implementation: Partial<ServiceImpl<typeof LogService>>): LogClient {
  return createLogClient(createRouterTransport(({ service }) => service(LogService, implementation)));
}

const stored = (offset: number) => ({ id: String(offset), entry: { message: `entry ${offset}` } });

test("write sends entries with times in nanoseconds, and its origin", async () => {
  const requests: WriteLogsRequest[] = [];
  const client = clientOf({
    writeLogs: (request) => {
      requests.push(request);
      return { accepted: request.entries.length };
    },
  });
  const timestamp = new Date("2026-01-02T03:04:05.678Z");
  const response = await client.write([{ message: "a", timestamp, attributes: { status: "500" } }], {
    producerId: "p",
    firstSequence: 7,
  });
  assert.equal(response.accepted, 1);
  const [request] = requests;
  assert.equal(request?.producerId, "p");
  assert.equal(request?.firstSequence, 7n);
  assert.equal(request?.entries[0]?.timestamp, 1_767_323_045_678_000_000n);
  assert.deepEqual(request?.entries[0]?.attributes, { status: "500" });
});

test("write does not split a batch: it names the limit and the value", async () => {
  const client = clientOf({});
  const entries = Array.from({ length: 100_001 }, () => ({ message: "x" }));
  await assert.rejects(client.write(entries), /at most 100000 entries in a batch, got 100001/);
  await assert.rejects(client.write([], { producerId: "é".repeat(65) }), /at most 128 bytes, got 130/);
  await assert.rejects(
    client.write([], { producerId: "p", firstSequence: 1.5 }),
    /from 0 to 2\^53 - 1, got 1.5/,
  );
  await assert.rejects(client.write([], { firstSequence: 1 }), /Expected a producerId/);
});

test("a time is a Date or nanoseconds, and the server takes it for what it is", () => {
  assert.equal(toWireTime(undefined), 0n);
  assert.equal(toWireTime(1_700_000_000_000_000_001n), 1_700_000_000_000_000_001n);
  assert.equal(toWireTime(new Date(1_700_000_000_001)), 1_700_000_000_001_000_000n);
  // In nanoseconds this would be read as microseconds of the year 1970.
  assert.equal(toWireTime(new Date("1971-01-01T00:00:00.500Z")), 31_536_000n);
  assert.throws(() => toWireTime(new Date("nonsense")), /valid Date/);
  assert.throws(() => toWireTime(new Date("2300-01-01")), RangeError);
  assert.throws(() => toLogEntry({ message: "a", sequence: -1n }), /sequence to be from 0 .* got -1/);
});

test("a message goes as it is", () => {
  const entry = create(LogEntrySchema, { message: "a" });
  assert.equal(toLogEntry(entry), entry);
});

test("encoded entries are a request that any server reads", () => {
  const inits = [{ message: "a" }, { message: "b".repeat(300), level: "error", attributes: { k: "v" } }];
  const { bytes, ends, lengths } = encodeEntries(inits);
  const wire = toBinary(WriteLogsRequestSchema, encodedRequest(bytes, "p", 5));
  const entries = inits.map(toLogEntry);
  const expected = create(WriteLogsRequestSchema, { entries, producerId: "p", firstSequence: 5n });
  assert.deepEqual(fromBinary(WriteLogsRequestSchema, wire), expected);
  assert.deepEqual(
    [...lengths],
    entries.map((entry) => toBinary(LogEntrySchema, entry).length),
  );
  const second = encodedRequest(bytes.subarray(ends[0]), "p", 6);
  const read = fromBinary(WriteLogsRequestSchema, toBinary(WriteLogsRequestSchema, second));
  assert.deepEqual(read.entries, entries.slice(1));
});

test("an entry that can't be encoded is named as the fault", () => {
  const wrong = { message: "a", timestamp: 2n ** 70n };
  assert.throws(() => encodeEntries([wrong]), {
    name: "TypeError",
    message: /An entry can't be encoded: Expected a time of 64 bits/,
  });
});

test("a query reads page after page until its limit, and sums up what it cost", async () => {
  const requests: QueryLogsRequest[] = [];
  const client = clientOf({
    async *queryLogs(request) {
      requests.push(request);
      const first = Number(request.pageToken || 1);
      const count = Math.min(request.limit, 10_000, 25_000 - first + 1);
      yield { progress: { blocksScanned: 1n } };
      yield { entries: Array.from({ length: count }, (_, index) => stored(first + index)) };
      yield {
        progress: {
          // Of the whole range, in each page: there are no more blocks because there are more pages.
          blocksTotal: 40n,
          blocksScanned: 2n,
          matches: BigInt(count),
          nextPageToken: `${first + count}`,
          complete: true,
        },
      };
    },
  });
  const told: number[] = [];
  const query = client.query({
    filter: "x",
    order: "oldest",
    limit: 20_500,
    onProgress: ({ blocksScanned }) => void told.push(blocksScanned),
  });
  const seen: number[] = [];
  for await (const { id } of query) seen.push(Number(id));
  assert.deepEqual(
    seen,
    Array.from({ length: 20_500 }, (_, index) => index + 1),
  );
  assert.deepEqual(
    requests.map(({ limit, pageToken, order }) => ({ limit, pageToken, order })),
    [
      { limit: 10_000, pageToken: "", order: Order.OLDEST_FIRST },
      { limit: 10_000, pageToken: "10001", order: Order.OLDEST_FIRST },
      { limit: 500, pageToken: "20001", order: Order.OLDEST_FIRST },
    ],
  );
  assert.deepEqual(told, [1, 2, 3, 4, 5, 6]);
  assert.equal(query.progress.matches, 20_500);
  assert.equal(query.progress.blocksTotal, 40);
  assert.equal(query.nextPageToken, "20501");
});

test("a query without a limit ends with the last page", async () => {
  const client = clientOf({
    async *queryLogs({ pageToken }) {
      const last = pageToken === "2";
      yield { entries: [stored(last ? 2 : 1)], progress: { nextPageToken: last ? "" : "2", complete: true } };
    },
  });
  const seen: string[] = [];
  for await (const { id } of client.query({ limit: Number.POSITIVE_INFINITY })) seen.push(id);
  assert.deepEqual(seen, ["1", "2"]);
});

test("a query that stops before it is complete is an error, not an end", async () => {
  const client = clientOf({
    async *queryLogs() {
      yield { entries: [stored(1)] };
    },
  });
  await assert.rejects(Array.fromAsync(client.query()), { code: Code.Unavailable });
});

test("a server that repeats a page is not asked for ever", async () => {
  const client = clientOf({
    async *queryLogs() {
      yield { progress: { nextPageToken: "same", complete: true } };
    },
  });
  await assert.rejects(Array.fromAsync(client.query({ limit: 5 })), { code: Code.Internal });
});

test("leaving a query cancels it", async () => {
  const canceled = Promise.withResolvers<void>();
  const client = clientOf({
    async *queryLogs(_, { signal }) {
      signal.addEventListener("abort", () => canceled.resolve());
      yield { entries: [stored(1)] };
      await canceled.promise;
    },
  });
  for await (const _ of client.query()) break;
  await canceled.promise;
});

test("limits of a query are checked where it is written", () => {
  const client = clientOf({});
  for (const limit of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => client.query({ limit }), { name: "RangeError", message: new RegExp(`got ${limit}`) });
  }
});

test("around needs an id: to the service none means a search for everything", async () => {
  await assert.rejects(clientOf({}).around(""), { name: "RangeError", message: /^id: .* got ""$/ });
});

test("around, count and values pass on what they were asked", async () => {
  const counted: CountLogsRequest[] = [];
  const client = clientOf({
    async *queryLogs({ around, limit }) {
      yield { entries: [stored(Number(around) - 1), stored(Number(around))] };
      yield { entries: [stored(limit)], progress: { complete: true } };
    },
    countLogs: (request) => {
      counted.push(request);
      return { total: 3n };
    },
    listValues: ({ field }) => ({ values: [{ value: field, count: 2n }] }),
  });
  const entries = await client.around("7", { limit: 9 });
  assert.deepEqual(
    entries.map(({ id }) => id),
    ["6", "7", "9"],
  );
  const { total } = await client.count({ filter: "x", start: new Date(1_700_000_000_000), groupBy: "level" });
  assert.equal(total, 3n);
  assert.equal(counted[0]?.start, 1_700_000_000_000_000_000n);
  assert.equal(counted[0]?.groupBy, "level");
  const { values } = await client.values({ field: "service" });
  assert.equal(values[0]?.value, "service");
});

test("leaving the stats cancels them", async () => {
  const canceled = Promise.withResolvers<void>();
  const client = clientOf({
    async *watchStats({ intervalMs }, { signal }) {
      signal.addEventListener("abort", () => canceled.resolve());
      yield { version: String(intervalMs) };
      await canceled.promise;
    },
  });
  for await (const { version } of client.watchStats({ intervalMs: 100 })) {
    assert.equal(version, "100");
    break;
  }
  await canceled.promise;
});

test("a token goes with every call, and is asked anew", async () => {
  const seen: (string | null)[] = [];
  let count = 0;
  const transport = createRouterTransport(
    ({ service }) =>
      service(LogService, {
        writeLogs: (_, { requestHeader }) => {
          seen.push(requestHeader.get("authorization"));
          return {};
        },
      }),
    { transport: { interceptors: [bearerToken(() => `token ${++count}`)] } },
  );
  const client = createLogClient(transport);
  await client.write([]);
  await client.write([]);
  assert.deepEqual(seen, ["Bearer token 1", "Bearer token 2"]);
});

test("errors of the server come through with their code", async () => {
  const client = clientOf({
    writeLogs: () => {
      throw new ConnectError("draining", Code.Unavailable);
    },
  });
  await assert.rejects(client.write([]), { name: "ConnectError", code: Code.Unavailable });
});
