/** The bound on unary requests, over real connections. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import http from "node:http";
import { type TestContext, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "@logsvc/proto";
import Fastify from "fastify";
import { buildRoutes } from "../build-server.ts";
import { startServer, until } from "../testing/start-server.ts";
import { mountConnect } from "./mount-connect.ts";
import { ReceiveBound } from "./receive-bound.ts";

/** A batch of about 600 bytes. */
const batch = `{"entries":[{"message":"${"x".repeat(560)}"}]}`;

async function startBounded(t: TestContext, bytesMax: number): Promise<number> {
  const { engine } = await startServer(t);
  const app = Fastify();
  mountConnect(app, {
    messages: buildRoutes({ version: "1" }, engine),
    encoded: () => undefined,
    receiveBound: new ReceiveBound(bytesMax),
  });
  t.after(() => app.close());
  await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  assert(address !== null && typeof address === "object");
  return address.port;
}

interface Call {
  readonly request: http.ClientRequest;
  readonly status: Promise<number | undefined>;
}

function write(t: TestContext, port: number): Call {
  const path = "/logsvc.LogService/WriteLogs";
  const headers = { "content-type": "application/json" };
  const request = http.request({ host: "127.0.0.1", port, path, method: "POST", headers, agent: false });
  t.after(() => request.destroy());
  request.on("error", () => undefined);
  const status = once(request, "response").then(([response]) => {
    response.resume();
    return response.statusCode;
  });
  return { request, status };
}

test("what all receive together is bounded, and let go of with the answers", async (t) => {
  const port = await startBounded(t, 1_000);
  const first = write(t, port);
  first.request.write(batch.slice(0, -1));
  // Until the first one's bytes have arrived there is room for a second.
  await until(async () => {
    const second = write(t, port);
    second.request.end(batch);
    return (await second.status) === 429;
  }, "a refusal");
  first.request.end(batch.slice(-1));
  assert.equal(await first.status, 200);
  const third = write(t, port);
  third.request.end(batch);
  assert.equal(await third.status, 200);
});

test("a body that breaks off is let go of", async (t) => {
  const port = await startBounded(t, 1_000);
  const broken = write(t, port);
  broken.status.catch(() => undefined);
  broken.request.write(batch.slice(0, -1));
  const written = async (): Promise<number | undefined> => {
    const { request, status } = write(t, port);
    request.end(batch);
    return status;
  };
  await until(async () => (await written()) === 429, "a refusal");
  broken.request.destroy();
  await until(async () => (await written()) === 200, "room again");
});

test("who is refused is told to come back", async () => {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(6);
    yield new Uint8Array(6);
  }
  const bound = new ReceiveBound(10);
  const taken: number[] = [];
  const failure = await (async () => {
    for await (const { length } of bound.count(body(), new EventEmitter())) taken.push(length);
  })().catch(ConnectError.from);
  assert(failure instanceof ConnectError);
  assert.equal(failure.code, Code.ResourceExhausted);
  assert.equal(failure.rawMessage, "request body: all bodies together hold at most 10 bytes, got 12");
  assert.equal(failure.findDetails(RetryInfoSchema)[0]?.retryDelay?.seconds, 1n);
  assert.deepEqual(taken, [6]);
});
