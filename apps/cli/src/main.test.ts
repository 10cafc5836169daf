import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { exitCodes } from "./exit-code.ts";
import { type CommandResult, makeFolder, runCommand, startCommand, startServer } from "./testing/command.ts";

/** A file that is no certificate. */
const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** Nobody listens there: ports below 1024 are not given out. */
const nobody = "http://127.0.0.1:1";

test("lines are shipped, followed, found and imported again", async (t) => {
  const folder = await makeFolder(t);
  const { url } = await startServer(t, join(folder, "data"));
  const tail = startCommand(t, ["tail", "service:api", "--url", url, "--output", "raw"]);

  const lines = [
    "first",
    "  second  ",
    '{"level":50,"msg":"third","a":1}',
    "level=warn msg=fourth",
    "ERROR fifth",
  ];
  const shipped = await runCommand(t, ["ship", "--service", "api", "--url", url], {
    input: `${lines[0]}\r\n\n${lines.slice(1).join("\n")}`,
  });
  assert.equal(shipped.code, exitCodes.ok);
  assert.equal(shipped.stdout, "");
  assert.equal(shipped.stderr, "shipped 5 entries (1 json, 1 logfmt, 3 plain), 1 blank line skipped\n");
  await tail.until(/fifth\n/);
  assert.equal(tail.stdout(), "first\n  second  \nthird\nfourth\nERROR fifth\n");
  tail.child.kill("SIGINT");
  assert.equal(await tail.ended, exitCodes.interrupted);

  const query = ["query", "--url", url];
  const all = await runCommand(t, [...query, "--limit", "0", "--output", "json"]);
  const levels = all.stdout
    .trimEnd()
    .split("\n")
    .map((line) => /"level":"(\w+)"/.exec(line)?.[1]);
  assert.deepEqual(levels, ["INFO", "INFO", "ERROR", "WARN", "ERROR"]);
  assert.equal((await runCommand(t, [...query, "-n", "2", "-o", "raw"])).stdout, "fourth\nERROR fifth\n");
  const newest = await runCommand(t, [...query, "-n", "2", "-o", "raw", "--order", "newest"]);
  assert.equal(newest.stdout, "ERROR fifth\nfourth\n");
  assert.equal((await runCommand(t, [...query, "absent"])).code, exitCodes.nothingFound);

  const file = join(folder, "export.gz");
  await writeFile(file, gzipSync(all.stdout));
  const first = await runCommand(t, ["import", "--url", url, file]);
  assert.match(first.stderr, /imported 5 entries \(5 json\); /);
  const again = await runCommand(t, ["import", "--url", url, file]);
  assert.equal(again.code, exitCodes.ok);
  assert.match(again.stderr, /imported 5 entries \(5 json\), 5 of them stored before; /);
  await runCommand(t, ["import", "--no-dedup", "--url", url, file]);
  const found = await runCommand(t, [...query, "-n", "0", "-o", "raw", "third"]);
  assert.equal(found.stdout, "third\nthird\nthird\n");
});

test("what is stored is counted, charted, listed and shown in its surroundings", async (t) => {
  const { url } = await startServer(t, await makeFolder(t));
  const at = (minute: number): string => `2026-11-22T09:0${minute}:00Z`;
  const input = [
    { time: at(0), level: "info", msg: "one", service: "api", user: "ann" },
    { time: at(1), level: "error", msg: "two", service: "api", user: "bob" },
    { time: at(3), level: "info", msg: "three", service: "web", user: "bob" },
    { time: at(3), level: "info", msg: "four" },
  ];
  await runCommand(t, ["ship", "--url", url], {
    input: input.map((line) => JSON.stringify(line)).join("\n"),
  });
  const query = (...args: string[]): Promise<CommandResult> =>
    runCommand(t, ["query", "--url", url, ...args], { environment: { TZ: "UTC" } });

  assert.deepEqual(await query("--count"), { code: exitCodes.ok, stdout: "4\n", stderr: "" });
  const none = await query("--count", "absent");
  assert.deepEqual([none.code, none.stdout], [exitCodes.nothingFound, "0\n"]);
  assert.equal((await query("--count", "--since", at(1), "--until", at(3))).stdout, "1\n");

  const chart = await query("--histogram", "--interval", "1m");
  assert.deepEqual(chart.stdout.split("\n"), [
    "time              total  ERROR  INFO",
    `2026-11-22 09:00      1      ·     1  ${"█".repeat(20)}`,
    `2026-11-22 09:01      1      1     ·  ${"█".repeat(20)}`,
    "2026-11-22 09:02      0      ·     ·",
    `2026-11-22 09:03      2      ·     2  ${"█".repeat(40)}`,
    "",
  ]);
  const byUser = await query("--histogram", "--interval", "2m", "--group-by", "user", "-o", "json");
  assert.deepEqual(
    byUser.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
    [
      { start: nanoseconds(at(0)), end: nanoseconds(at(2)), total: 2, counts: { ann: 1, bob: 1 } },
      { start: nanoseconds(at(2)), end: nanoseconds(at(4)), total: 2, counts: { bob: 1, "": 1 } },
    ],
  );
  assert.equal(
    (await query("--histogram", "--interval", "4m", "-o", "raw")).stdout,
    `${nanoseconds(at(0))}\t4\n`,
  );

  assert.equal((await query("--values", "user")).stdout, "2  bob\n1  ann\n");
  const cut = await query("--values", "user", "-n", "1", "-o", "json");
  assert.equal(cut.stdout, '{"value":"bob","count":2}\n');
  assert.equal(cut.stderr, "1 of 2 shown; --limit shows more\n");
  assert.match((await query("--fields", "-o", "raw")).stdout, /^user$/m);

  const found = await query("two", "-o", "json", "--stats");
  const { id } = JSON.parse(found.stdout);
  assert.match(
    found.stderr,
    /^scanned \d blocks? \(4 entries, \d+ B\), skipped 0 .* found 1 in [\d.]+ m?s, .*\n$/,
  );
  assert.equal(
    (await query("--around", id, "--before", "5", "--after", "1", "-o", "raw")).stdout,
    "one\ntwo\nthree\n",
  );
  const marked = await query("--around", id, "--before", "0", "--after", "1");
  assert.match(marked.stdout, /^▶ .* two {2}user=bob\n {2}.* three {2}user=bob\n$/);
  assert.equal((await query("--around", id.replace(/\d+$/, "99"))).code, exitCodes.nothingFound);
});

const nanoseconds = (time: string): string => time.replace("Z", ".000000000Z");

test("files that can't be read are told, and the others are delivered all the same", async (t) => {
  const folder = await makeFolder(t);
  const { url } = await startServer(t, join(folder, "data"));
  const file = join(folder, "one.log");
  await writeFile(file, "one\n");
  const damaged = join(folder, "two.log");
  await writeFile(damaged, gzipSync("two\n").subarray(0, 12));
  for (const command of ["ship", "import"]) {
    const files = [join(folder, "none.log"), damaged, file];
    const { code, stderr } = await runCommand(t, [command, "--url", url, ...files]);
    assert.equal(code, exitCodes.failed);
    assert.match(stderr, /^logsvc: [^\n]*none\.log: ENOENT/m);
    assert.match(stderr, /^logsvc: [^\n]*two\.log: unexpected end of file$/m);
    assert.match(stderr, /(shipped|imported) 1 entry/);
  }
  const found = await runCommand(t, ["query", "--url", url, "-o", "raw"]);
  assert.equal(found.stdout, "one\none\n");
});

test("a pipe is imported whole, though it can be read only once", async (t) => {
  const folder = await makeFolder(t);
  const { url } = await startServer(t, join(folder, "data"));
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const imported = startCommand(t, ["import", "--url", url, pipe]);
  await writeFile(pipe, "a line\n".repeat(50_000));
  assert.equal(await imported.ended, exitCodes.ok);
  assert.match(imported.stderr(), /imported 50 000 entries/);
});

test("a trickle arrives at once, and SIGTERM loses nothing that was read", async (t) => {
  const { url } = await startServer(t, await makeFolder(t));
  const tail = startCommand(t, ["tail", "--url", url, "--output", "raw"]);
  const ship = startCommand(t, ["ship", "--url", url]);
  ship.child.stdin.write("now\n");
  await tail.until(/now\n/);
  ship.child.stdin.write("without an end");
  ship.child.stdin.write(" yet\nlast\n");
  await tail.until(/last\n/);
  ship.child.kill("SIGTERM");
  assert.equal(await ship.ended, exitCodes.ok);
  assert.match(ship.stderr(), /shipped 3 entries/);
});

test("the last words of a program that ends by Ctrl-C are shipped", async (t) => {
  const { url } = await startServer(t, await makeFolder(t));
  const tail = startCommand(t, ["tail", "--url", url, "--output", "raw"]);
  const ship = startCommand(t, ["ship", "--url", url]);
  ship.child.stdin.write("running\n");
  await tail.until(/running\n/);
  ship.child.kill("SIGINT");
  ship.child.stdin.end("stopped\n");
  assert.equal(await ship.ended, exitCodes.ok);
  await tail.until(/stopped\n/);
});

test("over a kill and a restart of the server everything arrives once, in order", async (t) => {
  const folder = await makeFolder(t);
  const first = await startServer(t, folder);
  const port = new URL(first.url).port;
  const ship = startCommand(t, ["ship", "--url", first.url]);
  // With a backlog, as it may open after the first lines were shipped.
  const tail = startCommand(t, ["tail", "--last", "10000", "--url", first.url, "--output", "raw"]);
  const numbers = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
  ship.child.stdin.write(`${numbers(0, 5000).join("\n")}\n`);
  await tail.until(/line 4999\n/);
  first.command.child.kill("SIGKILL");
  await first.command.ended;
  ship.child.stdin.end(`${numbers(5000, 10_000).join("\n")}\n`);
  await ship.until(/unavailable/, "stderr");
  const second = startCommand(t, ["serve", "--port", port, "--data", folder]);
  await second.until(/listening/);
  assert.equal(await ship.ended, exitCodes.ok);
  await tail.until(/line 9999\n/);
  const expected = `${numbers(0, 10_000).join("\n")}\n`;
  assert.equal(tail.stdout(), expected);
  const found = await runCommand(t, ["query", "--limit", "0", "-o", "raw", "--url", first.url]);
  assert.equal(found.stdout, expected);
});

test("a server who is away: notices, and the exit code of it", async (t) => {
  const ship = await runCommand(t, ["ship", "--url", nobody, "--retry-timeout", "100ms"], { input: "a\n" });
  assert.equal(ship.code, exitCodes.unreachable);
  assert.match(ship.stderr, /waiting, and sending again[\s\S]*1 NOT acknowledged/);
  const tail = await runCommand(t, ["tail", "--url", nobody, "--retry-timeout", "100ms"]);
  assert.equal(tail.code, exitCodes.unreachable);
  assert.match(tail.stderr, /trying again\n[\s\S]*gave up/);
  const query = await runCommand(t, ["query", "--url", nobody]);
  assert.equal(query.code, exitCodes.unreachable);
  assert.match(query.stderr, /^logsvc: http:\/\/127\.0\.0\.1:1 is unavailable: .*ECONNREFUSED.*\n$/);
});

test("wrong usage has its exit code and no stack", async (t) => {
  const cases: [string[], RegExp][] = [
    [["tail", "level:error", "(a"], /\n {2}level:error \(a\n +\^/],
    [["query", "level:error (a"], /\n {2}level:error \(a\n +\^/],
    [["serve", "--host", "0.0.0.0"], /--insecure-no-auth/],
    [["serve", "--tls-cert", "/a.pem"], /give both/],
    [["serve", "--tls-cert", main, "--tls-key", main], /--tls-cert: can't read .*main\.ts: .*PEM/],
    [["tail", "--tls-ca", main], /--tls-ca: can't read .*main\.ts: .*PEM/],
    [["nope"], /unknown command 'nope'/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await runCommand(t, args, {
      environment: { LOGSVC_DATA: await makeFolder(t) },
    });
    assert.equal(code, exitCodes.usage, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});

test("what keeps a server from starting is one clear line", async (t) => {
  const folder = await makeFolder(t);
  const { url, command } = await startServer(t, join(folder, "one"));
  const taken = await runCommand(t, ["serve", "--port", new URL(url).port, "--data", join(folder, "two")]);
  assert.equal(taken.code, exitCodes.failed);
  assert.match(taken.stderr, /^logsvc: can't listen on 127\.0\.0\.1:\d+: the port is in use[^\n]*\n$/);
  const locked = await runCommand(t, ["serve", "--port", "0", "--data", join(folder, "one")]);
  assert.equal(locked.code, exitCodes.failed);
  assert.match(locked.stderr, /^logsvc: [^\n]*\n$/);
  command.child.kill("SIGTERM");
  assert.equal(await command.ended, exitCodes.ok);
});

test("a reader who goes away ends a query without an error", async (t) => {
  const { url } = await startServer(t, await makeFolder(t));
  await runCommand(t, ["ship", "--url", url], { input: "a line of some length\n".repeat(20_000) });
  const query = startCommand(t, ["query", "--limit", "0", "--url", url]);
  await query.until(/line/);
  query.child.stdout.destroy();
  assert.equal(await query.ended, exitCodes.ok);
  assert.equal(query.stderr(), "");
});

test("with a certificate of its own the server is reached over TLS", async (t) => {
  const folder = await makeFolder(t);
  const { url } = await startServer(t, folder, ["--tls-self-signed"]);
  assert.match(url, /^https:/);
  const trusted = ["--url", url, "--tls-ca", join(folder, "tls-self-signed", "cert.pem")];
  const shipped = await runCommand(t, ["ship", ...trusted], { input: "secret\n" });
  assert.equal(shipped.stderr, "shipped 1 entry (1 plain)\n");
  assert.equal((await runCommand(t, ["query", "-o", "raw", ...trusted])).stdout, "secret\n");
  // Also where a server who is away would be waited for: this is nothing that time mends.
  for (const args of [["query"], ["tail"], ["ship"]]) {
    const untrusting = await runCommand(t, [...args, "--url", url], { input: "a\n" });
    assert.equal(untrusting.code, exitCodes.failed);
    assert.match(
      untrusting.stderr,
      /^logsvc: the certificate of 127\.0\.0\.1:\d+ is not trusted: self-signed/m,
    );
  }
});

test("a variable is a flag, and the flag wins", async (t) => {
  const environment = { LOGSVC_URL: nobody, LOGSVC_QUIET: "false", LOGSVC_RETRY_TIMEOUT: "50ms" };
  const byVariable = await runCommand(t, ["ship"], { input: "a\n", environment });
  assert.match(byVariable.stderr, /http:\/\/127\.0\.0\.1:1 is unavailable/);
  const byFlag = await runCommand(t, ["query", "--url", "http://127.0.0.1:2"], { environment });
  assert.match(byFlag.stderr, /http:\/\/127\.0\.0\.1:2 is unavailable/);
});
