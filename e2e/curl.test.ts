/**
 * The service without any client of ours: curl writes, tails, counts and
 * searches, over HTTP/1.1 and HTTP/2, in the clear and over TLS.
 */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { FilterErrorSchema, limits } from "@logsvc/proto";
import { curl, ndjsonOf, parseNdjson, rpcArguments } from "./harness/curl.ts";
import { decodeEnvelopes, encodeEnvelope } from "./harness/envelope.ts";
import { isInstalled, startProgram } from "./harness/program.ts";
import { type Server, startServer } from "./harness/server.ts";

/** A server and the flags that make curl speak one version of HTTP to it. */
interface Target {
  readonly server: Server;
  readonly flags: readonly string[];
  readonly httpVersion: string;
  /** Keeps the entries of the targets apart. */
  readonly service: string;
}

test("curl in the clear", { timeout: 120_000 }, async (t) => {
  if (!(await isInstalled(t, "curl"))) return t.skip("curl is not installed");
  const server = await startServer(t);
  await testTarget(t, { server, flags: ["--http1.1"], httpVersion: "1.1", service: "clear-1" });
  await testTarget(t, { server, flags: ["--http2-prior-knowledge"], httpVersion: "2", service: "clear-2" });
  await t.test("wrong input gets a clear error", (t) => testWrongInput(t, server.url));
  await t.test("a rejected entry says what is wrong with it", (t) => testRejections(t, server.url));
});

test("curl over TLS", { timeout: 120_000 }, async (t) => {
  if (!(await isInstalled(t, "curl"))) return t.skip("curl is not installed");
  const server = await startServer(t, { tls: true });
  await testTarget(t, { server, flags: ["-k", "--http1.1"], httpVersion: "1.1", service: "tls-1" });
  await testTarget(t, { server, flags: ["-k", "--http2"], httpVersion: "2", service: "tls-2" });
});

async function testTarget(t: TestContext, target: Target): Promise<void> {
  const name = target.flags.join(" ");
  await t.test(`${name}: WriteLogs stores the good entries and rejects the bad`, (t) => testWrite(t, target));
  await t.test(`${name}: QueryLogs' plain route finds them`, (t) => testQuery(t, target));
  await t.test(`${name}: CountLogs answers a GET`, (t) => testCount(t, target));
  await t.test(`${name}: TailLogs in streaming JSON`, (t) => testStreamingTail(t, target));
  await t.test(`${name}: GET /tail as NDJSON, and on from its cursor`, (t) => testPlainTail(t, target));
  await t.test(`${name}: GET /tail through jq`, (t) => testJq(t, target));
}

async function write(t: TestContext, target: Target, ...messages: string[]): Promise<void> {
  const entries = messages.map((message) => ({ message, service: target.service }));
  const args = [...target.flags, ...rpcArguments(target.server.url, "WriteLogs")];
  const { status, body } = await curl(t, args, JSON.stringify({ entries }));
  assert.equal(status, 200, body);
}

async function testWrite(t: TestContext, target: Target): Promise<void> {
  const entries = [
    { level: "warning", message: "first", service: target.service, attributes: { status: "500" } },
    { level: "info", message: "", service: target.service },
    { level: "info", message: "from the past", timestamp: -1, service: target.service },
    { level: "err", message: "second", timestamp: 1_700_000_000, service: target.service },
  ];
  const args = [...target.flags, ...rpcArguments(target.server.url, "WriteLogs")];
  const { status, httpVersion, body } = await curl(t, args, JSON.stringify({ entries }));

  assert.equal(httpVersion, target.httpVersion);
  assert.equal(status, 200, body);
  const answer: unknown = JSON.parse(body);
  assert.partialDeepStrictEqual(answer, { accepted: 2, rejections: [{ index: 1 }, { index: 2 }] });
  assert.match(body, /"reason":"[^"]*message/);
  assert.match(body, /"reason":"[^"]*timestamp[^"]*-1/);
}

async function testQuery(t: TestContext, target: Target): Promise<void> {
  const found = await curl(t, [
    ...target.flags,
    `${target.server.url}/query?order=oldest&filter=service:${target.service}`,
  ]);
  assert.equal(found.httpVersion, target.httpVersion);
  const [second, first, ...rest] = parseNdjson(found.body);
  // By time: the second entry said that it happened in 2023.
  assert.partialDeepStrictEqual(second, {
    timestamp: "2023-11-14T22:13:20.000000000Z",
    level: "ERROR",
    message: "second",
  });
  assert.partialDeepStrictEqual(first, { level: "WARN", message: "first", attributes: { status: "500" } });
  assert.equal(rest.length, 0);
}

async function testCount(t: TestContext, target: Target): Promise<void> {
  const message = JSON.stringify({ filter: `service:${target.service}`, groupBy: "level" });
  const parameters = { connect: "v1", encoding: "json", message };
  const { status, body, httpVersion } = await curl(t, [
    ...target.flags,
    "--get",
    ...Object.entries(parameters).flatMap(([name, value]) => ["--data-urlencode", `${name}=${value}`]),
    `${target.server.url}/logsvc.LogService/CountLogs`,
  ]);
  assert.equal(httpVersion, target.httpVersion);
  assert.equal(status, 200, body);
  const answer: unknown = JSON.parse(body);
  assert.partialDeepStrictEqual(answer, {
    total: "2",
    series: [
      { value: "ERROR", total: "1" },
      { value: "WARN", total: "1" },
    ],
  });
}

async function testStreamingTail(t: TestContext, target: Target): Promise<void> {
  const tail = startProgram(t, "curl", [
    "-sSN",
    ...target.flags,
    "-H",
    "content-type: application/connect+json",
    "--data-binary",
    "@-",
    `${target.server.url}/logsvc.LogService/TailLogs`,
  ]);
  const request = { filter: `service:${target.service}`, last: 1 };
  tail.endInput(encodeEnvelope(Buffer.from(JSON.stringify(request))));
  const received = (): unknown[] =>
    decodeEnvelopes(tail.stdoutBytes).map(({ payload }): unknown => JSON.parse(payload.toString()));
  await tail.waitUntil("the backlog", () => received().length >= 2);
  assert.partialDeepStrictEqual(received()[0], { opened: {} });
  assert.partialDeepStrictEqual(received()[1], { entries: [{ entry: { message: "second" } }] });

  await write(t, target, "live");
  await tail.waitUntil("the live entry", () => received().length >= 3);
  assert.partialDeepStrictEqual(received()[2], { entries: [{ entry: { message: "live", level: "INFO" } }] });
}

async function testPlainTail(t: TestContext, target: Target): Promise<void> {
  const url = `${target.server.url}/tail?filter=service:${target.service}`;
  const tail = startProgram(t, "curl", ["-sSN", ...target.flags, `${url}&last=1`]);
  await tail.waitForLines(1);
  await write(t, target, "one", "two", "three");
  await tail.waitUntil("three more entries", () => ndjsonOf(tail).length >= 4);
  const lines = ndjsonOf(tail);
  assert.partialDeepStrictEqual(
    lines,
    ["live", "one", "two", "three"].map((message) => ({ message })),
  );

  const resumed = startProgram(t, "curl", ["-sSN", ...target.flags, `${url}&cursor=${cursorOf(lines[1])}`]);
  await resumed.waitUntil("the rest", () => ndjsonOf(resumed).length >= 2);
  assert.deepEqual(ndjsonOf(resumed), lines.slice(2));
}

async function testJq(t: TestContext, target: Target): Promise<void> {
  if (!(await isInstalled(t, "jq"))) return t.skip("jq is not installed");
  const url = `${target.server.url}/tail?filter=service:${target.service}&last=2`;
  const pipeline = `curl -sSN ${target.flags.join(" ")} '${url}' | jq --unbuffered -r .message`;
  const shell = startProgram(t, "sh", ["-c", pipeline], { isGroup: true });
  await shell.waitForLines(2);
  await write(t, target, "through jq");
  await shell.waitForLines(3);
  assert.deepEqual(shell.lines, ["two", "three", "through jq"]);
}

/** What is asked wrongly, and the answer: HTTP status, Connect's code, words that must be in it. */
const wrongRequests: readonly {
  readonly name: string;
  readonly method: string;
  readonly body: string;
  readonly status: number;
  readonly code: string;
  readonly says: RegExp;
}[] = [
  {
    name: "not JSON",
    method: "WriteLogs",
    body: '{"entries": [',
    status: 400,
    code: "invalid_argument",
    says: /JSON/,
  },
  {
    name: "a field of the wrong type",
    method: "WriteLogs",
    body: '{"entries": [{"message": 5}]}',
    status: 400,
    code: "invalid_argument",
    says: /message/,
  },
  {
    name: "a field that does not exist",
    method: "WriteLogs",
    body: '{"entries": [{"mesage": "a slip of the finger"}]}',
    status: 400,
    code: "invalid_argument",
    says: /mesage/,
  },
  {
    name: "a batch beyond the limit",
    method: "WriteLogs",
    body: JSON.stringify({ producerId: "x".repeat(limits.batchBytesMax + 1) }),
    status: 429,
    code: "resource_exhausted",
    says: /\d/,
  },
  {
    name: "a bad filter",
    method: "CountLogs",
    body: '{"filter": "level:error )"}',
    status: 400,
    code: "invalid_argument",
    says: /filter.*1[23]/,
  },
  {
    name: "too many buckets",
    method: "CountLogs",
    body: `{"buckets": ${limits.bucketsMax + 1}}`,
    status: 400,
    code: "invalid_argument",
    says: /buckets.*10[ ,_]?000.*10[ ,_]?001/,
  },
];

async function testWrongInput(t: TestContext, url: string): Promise<void> {
  for (const { name, method, body, status, code, says } of wrongRequests) {
    const answer = await curl(t, rpcArguments(url, method), body);
    assert.equal(answer.status, status, `${name}: ${answer.body}`);
    const error: unknown = JSON.parse(answer.body);
    assert.partialDeepStrictEqual(error, { code }, name);
    assert.match(answer.body, says, name);
  }

  const { body } = await curl(t, rpcArguments(url, "CountLogs"), '{"filter": "level:error )"}');
  const detail = fromBinary(FilterErrorSchema, Buffer.from(detailOf(body, "logsvc.FilterError"), "base64"));
  assert.equal(detail.start, 12);
  assert.equal(detail.end, 13);

  for (const route of ["tail", "query"]) {
    const answer = await curl(t, ["--get", "--data-urlencode", "filter=level:error )", `${url}/${route}`]);
    assert.equal(answer.status, 400, answer.body);
    assert.match(answer.body, /1[23]/);
  }
  const cursor = await curl(t, [`${url}/tail?cursor=nonsense`]);
  assert.equal(cursor.status, 400, cursor.body);
  assert.match(cursor.body, /out_of_range/);
}

async function testRejections(t: TestContext, url: string): Promise<void> {
  const attributes = Object.fromEntries(
    Array.from({ length: limits.attributesMax + 1 }, (_, index) => [`a${index}`, ""]),
  );
  const entries = [
    { message: "x".repeat(limits.entryBytesMax) },
    { message: "m", service: "s".repeat(limits.serviceBytesMax + 1) },
    { message: "m", level: "l".repeat(limits.levelBytesMax + 1) },
    { message: "m", attributes },
    { message: "m", attributes: { ["k".repeat(limits.attributeKeyBytesMax + 1)]: "" } },
    { message: "m", traceId: "xyz" },
    { message: "good" },
  ];
  const { status, body } = await curl(t, rpcArguments(url, "WriteLogs"), JSON.stringify({ entries }));
  assert.equal(status, 200, body);
  const answer: unknown = JSON.parse(body);
  assert.partialDeepStrictEqual(answer, { accepted: 1 });
  const reasons = [...body.matchAll(/"reason":"([^"]*)"/g)].map(([, reason]) => reason ?? "");
  const expected = [
    `${limits.entryBytesMax}`,
    "service.*256",
    "level.*64",
    "attributes.*256",
    "128",
    "trace_?id",
  ];
  assert.equal(reasons.length, expected.length, body);
  for (const [index, pattern] of expected.entries())
    assert.match(reasons[index]?.replaceAll(/(?<=\d)[ ,_](?=\d{3})/g, "") ?? "", new RegExp(pattern, "i"));
}

/** The `cursor` of a line of GET /tail. */
function cursorOf(line: unknown): string {
  if (typeof line === "object" && line !== null && "cursor" in line && typeof line.cursor === "string")
    return encodeURIComponent(line.cursor);
  throw new Error(`a line without a cursor: ${JSON.stringify(line)}`);
}

/** The value, in base64, of the detail of a type in an error's JSON. */
function detailOf(body: string, type: string): string {
  const error: unknown = JSON.parse(body);
  if (typeof error === "object" && error !== null && "details" in error && Array.isArray(error.details)) {
    const details: unknown[] = error.details;
    for (const detail of details) {
      if (typeof detail !== "object" || detail === null) continue;
      if ("type" in detail && detail.type === type && "value" in detail && typeof detail.value === "string")
        return detail.value;
    }
  }
  throw new Error(`no ${type} in ${body}`);
}
