/**
 * `logsvc serve` as a program: what it prints is true, and what it refuses it
 * refuses with one clear line, leaving everything as it was.
 */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { isInstalled, type RunningProgram, runLogsvc, startLogsvc } from "./harness/program.ts";
import { batchOf, connectRpc, messagesOf, readAll } from "./harness/rpc.ts";
import { startSample } from "./harness/sample.ts";
import { startServer } from "./harness/server.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const port0 = ["--port", "0"];

test("refuses to listen beyond loopback without being told to", { timeout: 60_000 }, async (t) => {
  const folder = join(await tempFolder(t), "data");
  for (const host of ["0.0.0.0", "::"]) {
    const refused = await runLogsvc(t, "serve", "--host", host, ...port0, "--data", folder);
    assertRefused(refused, /--insecure-no-auth/);
  }
  const told = startLogsvc(
    t,
    ...["serve", "--host", "0.0.0.0", "--insecure-no-auth", ...port0, "--data", folder],
  );
  await told.waitForLines(1);
  const port = /^logsvc \S+ is listening on http:\/\/\S+:([1-9]\d*)$/m.exec(told.stdout)?.[1];
  assert.ok(port !== undefined, told.stdout);
  for (const address of ["127.0.0.1", ...addressesBeyondLoopback()])
    assert.equal((await fetch(`http://${address}:${port}/healthz`)).status, 200, address);
});

test("refuses a port that is taken, by its number", { timeout: 60_000 }, async (t) => {
  const server = await startServer(t);
  const folder = join(await tempFolder(t), "data");
  const refused = await runLogsvc(t, "serve", "--port", `${server.port}`, "--data", folder);
  assertRefused(refused, new RegExp(`${server.port}`));
});

test("refuses a folder that another server has open; that one goes on", { timeout: 60_000 }, async (t) => {
  const server = await startServer(t);
  const rpc = connectRpc(t, server.url);
  await rpc.writeLogs(batchOf(["before"]));
  assertRefused(await runLogsvc(t, "serve", ...port0, "--data", server.dataFolder), /open|lock|use/);
  await rpc.writeLogs(batchOf(["after"]));
  assert.deepEqual(messagesOf(await readAll(rpc)), ["before", "after"]);

  // A server that was killed leaves no lock behind.
  await server.kill();
  await server.start();
  assert.deepEqual(messagesOf(await readAll(rpc)), ["before", "after"]);
});

test("refuses a file that is not its own, and leaves it alone", { timeout: 60_000 }, async (t) => {
  const name = await databaseName(t);
  const folder = join(await tempFolder(t), "data");
  await mkdir(folder);
  const path = join(folder, name);
  const foreign = Buffer.from("Dear diary, today I wrote a file of my own.\n".repeat(200));
  await writeFile(path, foreign);
  assertRefused(await runLogsvc(t, "serve", ...port0, "--data", folder), new RegExp(name));
  assert.deepEqual(await readFile(path), foreign);
});

test("refuses flags that it does not know, and values that make no sense", { timeout: 60_000 }, async (t) => {
  const folder = join(await tempFolder(t), "data");
  for (const flags of [
    ["--prot", "1"],
    ["--port", "http"],
    ["--port", "70000"],
    ["--heartbeat-interval", "soon"],
  ]) {
    const refused = await runLogsvc(t, "serve", "--data", folder, ...flags);
    assertRefused(refused, new RegExp(flags[0] ?? ""));
    assert.equal(refused.exit?.code, 2, flags.join(" "));
  }
});

test("prints lines worth pasting: they write, tail and tail again", { timeout: 60_000 }, async (t) => {
  if (!(await isInstalled(t, "curl"))) return t.skip("curl is not installed");
  const server = await startServer(t);
  const samples = server.program.lines.flatMap(
    (line) => /^(?:curl|pnpm logsvc|npx .* logsvc) .*$/.exec(line) ?? [],
  );
  assert.equal(samples.length, 3, server.program.stdout);
  const [write = "", tail = "", command = ""] = samples;

  const written = startSample(t, server, write);
  written.endInput();
  await written.succeeded();
  const stored = messagesOf(await readAll(connectRpc(t, server.url)));
  assert.equal(stored.length, 1);

  for (const line of [tail, command]) {
    const following = startSample(t, server, line);
    // A sample may begin with what is stored, or with the next entry.
    const again = setInterval(() => void startSample(t, server, write).endInput(), 1000);
    t.after(() => clearInterval(again));
    await following.waitForLines(1);
    clearInterval(again);
    assert.ok(following.stdout.includes(stored[0] ?? ""), following.stdout);
  }
});

/** One clear line, no stack, an exit code that says so, and nothing on standard output. */
function assertRefused(program: RunningProgram, says: RegExp): void {
  assert.notEqual(program.exit?.code, 0);
  assert.notEqual(program.exit?.code, null);
  assert.equal(program.stdout, "");
  assert.match(program.stderr, says);
  assert.doesNotMatch(program.stderr, /^\s+at /m);
}

/** The name of the file that the engine keeps the log in: it is the engine's to choose. */
async function databaseName(t: TestContext): Promise<string> {
  const server = await startServer(t);
  await server.stop();
  const names = await readdir(server.dataFolder);
  for (const name of names) {
    const bytes = await readFile(join(server.dataFolder, name));
    if (bytes.length > 4096 && bytes.subarray(0, 15).toString() === "SQLite format 3") return name;
  }
  throw new Error(`no database in ${names.join(", ")}`);
}

/** This machine's own addresses that others can reach; none on a machine without a network. */
function addressesBeyondLoopback(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => address);
}
