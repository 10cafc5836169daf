/** The routes for curl and jq, over real HTTP. */
import assert from "node:assert/strict";
import net from "node:net";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { limits } from "@logsvc/proto";
import { startServer, type TestServer, until } from "../testing/start-server.ts";

type Line = Readonly<Record<string, unknown>>;

async function get(server: TestServer, path: string, t?: TestContext): Promise<Response> {
  const cancel = new AbortController();
  t?.after(() => cancel.abort());
  return fetch(server.url + path, { signal: cancel.signal });
}

async function linesOf(response: Response): Promise<Line[]> {
  const text = await response.text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

async function write(server: TestServer, ...messages: string[]): Promise<void> {
  const timestamp = (index: number): bigint => 1_764_000_000n + BigInt(index);
  const entries = messages.map((message, index) => ({ message, timestamp: timestamp(index) }));
  await server.client.writeLogs({ entries });
}

const messagesOf = (lines: readonly Line[]): unknown[] => lines.map((line) => line["message"]);

/** Lines as they come, until the response ends. */
function follow(response: Response): string[] {
  const lines: string[] = [];
  assert(response.body !== null);
  const input = Readable.fromWeb(response.body);
  input.on("error", () => undefined);
  const reader = createInterface({ input });
  reader.on("line", (line) => lines.push(line));
  reader.on("error", () => undefined);
  return lines;
}

test("GET /query: filter, order, limit and range", async (t) => {
  const server = await startServer(t);
  await write(server, "one", "two", "three", "four");
  const newest = await get(server, "/query?limit=2");
  assert.equal(newest.headers.get("content-type"), "application/x-ndjson");
  assert.deepEqual(messagesOf(await linesOf(newest)), ["four", "three"]);
  const range = "/query?start=1764000001&end=2025-11-24T16:00:03Z&order=oldest";
  assert.deepEqual(messagesOf(await linesOf(await get(server, range))), ["two", "three"]);
  const filtered = await linesOf(await get(server, `/query?filter=${encodeURIComponent("t* OR one")}`));
  assert.deepEqual(messagesOf(filtered), ["three", "two", "one"]);
  assert.equal(filtered[2]?.["timestamp"], "2025-11-24T16:00:00.000000000Z");
  assert.deepEqual(await linesOf(await get(server, "/query?start=1h")), []);
});

test("GET /query: limits above a page are served page by page", async (t) => {
  const server = await startServer(t);
  const count = 12_345;
  for (let first = 0; first < count; first += 5_000) {
    const length = Math.min(5_000, count - first);
    await server.client.writeLogs({
      entries: Array.from({ length }, (_, index) => ({ message: `${first + index}` })),
    });
  }
  const expected = Array.from({ length: count }, (_, index) => `${index}`);
  assert.deepEqual(messagesOf(await linesOf(await get(server, "/query?limit=all&order=oldest"))), expected);
  const some = await linesOf(await get(server, "/query?limit=10001&order=oldest"));
  assert.deepEqual(messagesOf(some), expected.slice(0, 10_001));
});

test("GET /query: a page that is cut by its bytes is gone on with up to the limit", async (t) => {
  const server = await startServer(t);
  const count = 70;
  const message = "x".repeat(limits.pageBytesMax / (count - 5));
  for (let first = 0; first < count; first += 10) await write(server, ...Array(10).fill(message));
  const response = await get(server, `/query?limit=${count}`);
  assert.equal((await linesOf(response)).length, count);
});

test("both routes answer over HTTP/1.0, which proxies speak, and which has no trailers", async (t) => {
  const server = await startServer(t);
  await write(server, "one", "two");
  for (const path of ["/query?limit=1", "/tail?last=1"]) {
    const socket = net.connect(server.port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.write(`GET ${path} HTTP/1.0\r\nhost: localhost\r\n\r\n`);
    let answer = "";
    socket.on("data", (bytes) => (answer += String(bytes)));
    await until(() => answer.includes('"message":"two"'), `an answer to ${path}`);
  }
});

test("GET /query: errors are a status and JSON", async (t) => {
  const server = await startServer(t);
  for (const [path, status, message] of [
    ["/query?limt=1", 400, /limt: not a parameter/],
    ["/query?limit=-1", 400, /limit: expected a whole number, got "-1"/],
    ["/query?limit=1&limit=2", 400, /limit: given more than once/],
    ["/query?order=up", 400, /order: expected newest or oldest/],
    ["/query?start=yesterday", 400, /start: expected a Unix time/],
    ["/query?start=2&end=1", 400, /start: must be before end/],
    ["/query?filter=(", 400, /filter, character/],
    ["/query?page_token=x", 400, /./],
    ["/tail?cursor=x", 400, /./],
    ["/tail?last=10001", 400, /last: at most 10000/],
    ["/nowhere", 404, /nothing is at GET \/nowhere/],
  ] as const) {
    const response = await get(server, path);
    assert.equal(response.status, status, path);
    const body: unknown = await response.json();
    assert(typeof body === "object" && body !== null && "message" in body && "code" in body, path);
    assert.match(String(body.message), message);
  }
});

test("GET /tail: backlog, live entries, and a cursor on each to resume from", async (t) => {
  const server = await startServer(t);
  await write(server, "one", "two", "three");
  const lines = follow(await get(server, "/tail?last=2", t));
  await until(() => lines.length === 2, "the backlog");
  await write(server, "four");
  await until(() => lines.length === 3, "a live line");
  const entries: Line[] = lines.map((line) => JSON.parse(line));
  assert.deepEqual(messagesOf(entries), ["two", "three", "four"]);
  const cursor = encodeURIComponent(String(entries[0]?.["cursor"]));
  const resumed = follow(await get(server, `/tail?cursor=${cursor}`, t));
  await until(() => resumed.length === 2, "what came after the first line");
  assert.deepEqual(messagesOf(resumed.map((line) => JSON.parse(line))), ["three", "four"]);
});

test("GET /tail: headers at once, empty lines for heartbeats, an error line for a drain", async (t) => {
  const server = await startServer(t, { heartbeatIntervalMs: 20 });
  const lines = follow(await get(server, "/tail", t));
  await until(() => lines.length >= 2, "two heartbeats");
  assert(lines.every((line) => line === ""));
  await server.app.close();
  await until(() => lines.at(-1) !== "", "the last line");
  assert.match(lines.at(-1) ?? "", /^\{"error":\{"code":"unavailable"/);
});

test("GET /tail: a client that leaves ends its tail", async (t) => {
  const server = await startServer(t);
  const cancel = new AbortController();
  await fetch(`${server.url}/tail`, { signal: cancel.signal });
  const open = async (): Promise<number> => {
    for await (const { tail } of server.client.watchStats({})) return Number(tail?.open);
    return -1;
  };
  assert.equal(await open(), 1);
  cancel.abort();
  await until(async () => (await open()) === 0, "no open tail");
});

test("GET /: lines to paste, as text and as a page", async (t) => {
  const server = await startServer(t, { version: "1.2.3" });
  const text = await (await get(server, "/")).text();
  assert.match(text, /^logsvc 1\.2\.3/);
  assert(text.includes(`${server.url}/logsvc.LogService/WriteLogs`));
  const page = await fetch(server.url, { headers: { accept: "text/html,*/*" } });
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(await page.text(), /^<!doctype html>/);
});

test("inject reaches the routes without a port", async (t) => {
  const { app } = await startServer(t);
  assert.deepEqual((await app.inject("/readyz")).json(), { status: "ok" });
  const answer = await app.inject({
    method: "POST",
    url: "/logsvc.LogService/WriteLogs",
    payload: { entries: [{ message: "m" }] },
  });
  assert.equal(answer.json().accepted, 1);
});
