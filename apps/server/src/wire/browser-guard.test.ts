/** Which pages may call: the rules of browser-guard.ts, over real sockets where they look at the socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import { startServer } from "../testing/start-server.ts";

async function request(
  port: number,
  headers: Readonly<Record<string, string>>,
  method = "POST",
): Promise<{ status: number; headers: http.IncomingHttpHeaders }> {
  const path = "/logsvc.LogService/WriteLogs";
  const sent = http
    .request({ host: "127.0.0.1", port, method, path, agent: false, headers })
    .end(method === "POST" ? '{"entries":[{"message":"from a page"}]}' : undefined);
  const [response]: http.IncomingMessage[] = await once(sent, "response");
  assert(response !== undefined);
  response.resume();
  return { status: response.statusCode ?? 0, headers: response.headers };
}

const json = { "content-type": "application/json" };

const cases: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
  ["a program", {}, 200],
  ["a page of a loopback host", { origin: "http://localhost:5173" }, 200],
  ["a page of an allowed origin", { origin: "https://logs.example.com" }, 200],
  ["a page of another origin", { origin: "https://evil.example" }, 403],
  ["a page without an origin of its own", { origin: "null" }, 403],
  ["another port of an allowed host", { origin: "https://logs.example.com:8443" }, 403],
  ["a domain that points at this machine", { host: "evil.example" }, 403],
  ["the same, calling its own origin", { host: "evil.example", origin: "http://evil.example" }, 403],
  ["an allowed host behind a proxy", { host: "logs.example.com" }, 200],
  ["an address", { host: "192.168.1.7:50051" }, 200],
];

test("pages and programs that may call, and those that may not", async (t) => {
  const { port, engine } = await startServer(t, { corsOrigins: ["https://logs.example.com"] });
  let written = 0;
  for (const [name, headers, status] of cases) {
    assert.equal((await request(port, { ...json, ...headers })).status, status, name);
    if (status === 200) written += 1;
    assert.equal((await engine.stats()).entries, written, name);
  }
});

test('"*" lets every page call', async (t) => {
  const { port } = await startServer(t, { corsOrigins: ["*"] });
  const answer = await request(port, { ...json, host: "evil.example", origin: "https://evil.example" });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["access-control-allow-origin"], "https://evil.example");
});

test("a preflight allows the protocols' headers, and answers show theirs", async (t) => {
  const { port } = await startServer(t);
  const origin = "http://localhost:5173";
  const asked = {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type,x-grpc-web,logsvc-producer-id",
  };
  const preflight = await request(port, asked, "OPTIONS");
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers["access-control-allow-origin"], origin);
  const allowed = preflight.headers["access-control-allow-headers"]?.toLowerCase().split(/, */) ?? [];
  const needed = [
    "content-type",
    "x-grpc-web",
    "connect-protocol-version",
    "logsvc-producer-id",
    "authorization",
  ];
  for (const header of needed) {
    assert(allowed.includes(header), header);
  }
  const answer = await request(port, { ...json, origin });
  assert.equal(answer.headers["access-control-allow-origin"], origin);
  assert.match(answer.headers["access-control-expose-headers"] ?? "", /grpc-status/i);
});
