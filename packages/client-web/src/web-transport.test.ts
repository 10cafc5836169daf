import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import test, { type TestContext } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { type FilterError, filterErrorOf, isRetryable, LogService } from "@logsvc/client";
import { FilterErrorSchema } from "@logsvc/proto";
import { stored } from "./testing/served-log.ts";
import { createWebTransport } from "./web-transport.ts";

/** A client over fetch of a real server over HTTP/1.1, and the requests that it got. */
async function serve(t: TestContext, service: Partial<ServiceImpl<typeof LogService>>) {
  const requests: IncomingMessage[] = [];
  const routes = connectNodeAdapter({ routes: (router) => router.service(LogService, service) });
  const server = createServer((request, response) => {
    requests.push(request);
    routes(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address);
  const baseUrl = `http://127.0.0.1:${address.port}`;
  const client = createClient(LogService, createWebTransport({ baseUrl, interceptors: [] }));
  return { client, requests, server };
}

const badFilter = (): ConnectError =>
  new ConnectError("the filter does not parse", Code.InvalidArgument, { "retry-after": "5" }, [
    {
      desc: FilterErrorSchema,
      value: create(FilterErrorSchema, { start: 6, end: 8, reason: "expected a value" }),
    },
  ]);

function faultOf(reason: unknown): [Code, string | null, FilterError["start"] | undefined] {
  const error = ConnectError.from(reason);
  return [error.code, error.metadata.get("retry-after"), filterErrorOf(error)?.start];
}

test("what has no side effects is asked with GET, what has with POST, both in the binary format", async (t) => {
  const { client, requests } = await serve(t, {
    countLogs: ({ filter }) => ({ total: BigInt(filter.length) }),
    writeLogs: ({ entries }) => ({ accepted: entries.length }),
  });
  assert.equal((await client.countLogs({ filter: "level:error" })).total, 11n);
  assert.equal((await client.writeLogs({ entries: [{ message: "a" }] })).accepted, 1);
  assert.deepEqual(
    requests.map(({ method, headers }) => [method, headers["content-type"]]),
    [
      ["GET", undefined],
      ["POST", "application/proto"],
    ],
  );
  assert.match(requests[0]?.url ?? "", /encoding=proto/);
});

test("an error of a call comes with its code, its headers and its details", async (t) => {
  const { client } = await serve(t, {
    countLogs: () => {
      throw badFilter();
    },
    writeLogs: () => {
      throw badFilter();
    },
  });
  for (const call of [client.countLogs({}), client.writeLogs({})]) {
    await assert.rejects(call, (reason) => {
      assert.deepEqual(faultOf(reason), [Code.InvalidArgument, "5", 6]);
      return true;
    });
  }
});

test("a stream brings message after message, and its end or its error", async (t) => {
  const { client } = await serve(t, {
    async *queryLogs({ limit }) {
      for (let offset = 1; offset <= limit; offset++) yield { entries: [stored(offset)] };
      if (limit === 3) throw badFilter();
    },
  });
  const read = async (limit: number, seen: string[]): Promise<string[]> => {
    for await (const { entries } of client.queryLogs({ limit })) seen.push(...entries.map(({ id }) => id));
    return seen;
  };
  assert.deepEqual(await read(2, []), ["1", "2"]);
  const seen: string[] = [];
  await assert.rejects(read(3, seen), (reason) => {
    assert.deepEqual(faultOf(reason), [Code.InvalidArgument, "5", 6]);
    return true;
  });
  assert.deepEqual(seen, ["1", "2", "3"]);
});

test("a stream that is cut off, and a server that is none, are errors that a retry may mend", async (t) => {
  const { client, server } = await serve(t, {
    async *tailLogs() {
      yield { cursor: "1" };
      setImmediate(() => server.closeAllConnections());
      await new Promise(() => undefined);
    },
  });
  const stream = client.tailLogs({})[Symbol.asyncIterator]();
  assert.equal((await stream.next()).value?.cursor, "1");
  await assert.rejects(stream.next(), (reason) => isRetryable(reason));

  const page = createServer((_, response) => response.end("<!doctype html>"));
  page.listen(0, "127.0.0.1");
  await once(page, "listening");
  t.after(() => page.close());
  const address = page.address();
  assert.ok(typeof address === "object" && address);
  const elsewhere = createClient(
    LogService,
    createWebTransport({ baseUrl: `http://127.0.0.1:${address.port}`, interceptors: [] }),
  );
  await assert.rejects(elsewhere.writeLogs({}), { name: "ConnectError" });
  await assert.rejects(elsewhere.tailLogs({})[Symbol.asyncIterator]().next(), { name: "ConnectError" });
});

test("aborting ends a stream at once, also on the server; a timeout does as well", async (t) => {
  const ended = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let calls = 0;
  const { client } = await serve(t, {
    async *tailLogs(_, { signal }) {
      const { resolve } = ended[calls++] ?? {};
      signal.addEventListener("abort", () => resolve?.());
      yield { cursor: "1" };
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  const stop = new AbortController();
  const stream = client.tailLogs({}, { signal: stop.signal })[Symbol.asyncIterator]();
  await stream.next();
  const next = stream.next();
  stop.abort();
  await assert.rejects(next, { code: Code.Canceled });
  await ended[0]?.promise;
  const timed = client.tailLogs({}, { timeoutMs: 100 })[Symbol.asyncIterator]();
  await timed.next();
  await assert.rejects(timed.next(), { code: Code.DeadlineExceeded });
  await ended[1]?.promise;
});

test("streaming to a server is refused: no browser can", async (t) => {
  const { client, requests } = await serve(t, {});
  await assert.rejects(
    client.uploadLogs(
      (async function* () {
        yield {};
      })(),
    ),
    { code: Code.Unimplemented },
  );
  assert.equal(requests.length, 0);
});
