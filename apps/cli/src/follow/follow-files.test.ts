/** `ship --follow` as its users run it: real files, a real server, processes that are really killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { exitCodes } from "../exit-code.ts";
import {
  makeFolder,
  type RunningCommand,
  runCommand,
  startCommand,
  startServer,
} from "../testing/command.ts";

const writer = fileURLToPath(new URL("../testing/log-writer.ts", import.meta.url));

const deadlineMs = 40_000;

interface Setting {
  readonly folder: string;
  readonly url: string;
  /** Starts `ship --follow` on patterns inside the folder. */
  follow(patterns: readonly string[], ...flags: string[]): RunningCommand;
  /** The messages that are stored, in order. */
  stored(): Promise<string[]>;
  /** Waits until so many messages are stored, of those that are meant: of all when nothing is said. */
  until(count: number, isMeant?: (message: string) => boolean): Promise<string[]>;
}

async function setUp(t: TestContext): Promise<Setting> {
  const folder = await makeFolder(t);
  const { url } = await startServer(t, join(folder, "data"));
  const logs = join(folder, "logs");
  await fs.mkdir(logs);
  const stored = async (): Promise<string[]> => {
    const { stdout } = await runCommand(t, [
      "query",
      "--url",
      url,
      "-n",
      "0",
      "--order",
      "oldest",
      "-o",
      "json",
    ]);
    const lines = stdout.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line).message);
  };
  return {
    folder: logs,
    url,
    follow: (patterns, ...flags) =>
      startCommand(t, [
        ...["ship", "--follow", "--url", url, "--spool", join(folder, "spool"), ...flags],
        ...patterns.map((pattern) => join(logs, pattern)),
      ]),
    stored,
    until: async (count, isMeant = () => true) => {
      const end = performance.now() + deadlineMs;
      for (;;) {
        const messages = await stored();
        if (messages.filter(isMeant).length >= count) return messages;
        if (performance.now() > end)
          assert.fail(`${messages.length} of ${count} messages: ${messages.slice(-20)}`);
        await sleep(50);
      }
    },
  };
}

async function stop(command: RunningCommand): Promise<string> {
  command.child.kill("SIGTERM");
  assert.equal(await command.ended, exitCodes.ok, command.stderr());
  return command.stderr();
}

async function kill(command: RunningCommand): Promise<void> {
  command.child.kill("SIGKILL");
  await command.ended;
}

/** Runs the writer to its end; returns the lines that are in no file. */
function startWriter(
  t: TestContext,
  path: string,
  mode: string,
  lines: number,
  periodMs: number,
): Promise<string[]> {
  const child = spawn(process.execPath, [writer, path, mode, `${lines}`, `${periodMs}`]);
  t.after(() => child.kill("SIGKILL"));
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.pipe(process.stderr);
  return once(child, "close").then(() => stdout.split("\n").filter((line) => line !== ""));
}

const numbered = (count: number): string[] =>
  Array.from({ length: count + 1 }, (_, index) => `line ${index}`);

/** Names the first difference, and what is missing: six thousand lines are no error message. */
function assertSame(actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((line, index) => actual[index] !== line);
  if (at === -1 && actual.length === expected.length) return;
  const there = new Set(actual);
  const missing = expected.filter((line) => !there.has(line));
  assert.fail(
    `${actual.length} lines, ${actual.length - there.size} repeated, ${missing.length} missing (${missing.slice(0, 3)}); ` +
      `at ${at} expected ${expected[at]}, got ${actual.slice(at, at + 3)}`,
  );
}

/** How often the writer rotates, and how much it writes. LOGSVC_ROTATE_MS=1000 is the long way. */
const rotateMs = Number(process.env["LOGSVC_ROTATE_MS"] ?? 250);
const linesWritten = rotateMs * 24;

for (const mode of ["rename", "truncate"] as const) {
  for (const pattern of ["app.log", "app.log*"]) {
    test(`${pattern} rotated by ${mode} while it is written and the shipper is killed: once, in order`, async (t) => {
      const { folder, follow, until } = await setUp(t);
      const path = join(folder, "app.log");
      let ended = false;
      let ship = follow([pattern]);
      await fs.writeFile(path, "line 0\n");
      await until(1);
      const writing = startWriter(t, path, mode, linesWritten, rotateMs).finally(() => {
        ended = true;
      });
      while (!ended) {
        await Promise.race([writing, sleep(900)]);
        await kill(ship);
        ship = follow([pattern]);
      }
      assert.deepEqual(await writing, []);
      const messages = await until(linesWritten + 1);
      assertSame(messages, numbered(linesWritten));
      await stop(ship);
    });
  }
}

test("what is written between copy and truncation is lost and told; everything else is there once", async (t) => {
  const { folder, follow, until, stored } = await setUp(t);
  const path = join(folder, "app.log");
  const ship = follow(["app.log"]);
  await fs.writeFile(path, "line 0\n");
  await until(1);
  const lost = new Set(await startWriter(t, path, "race", linesWritten, rotateMs));
  assert.ok(lost.size > 0);
  await until(linesWritten + 1 - lost.size, (line) => !lost.has(line));
  const stderr = await stop(ship);
  assert.match(stderr, /\d+ truncations/);
  const messages = await stored();
  // Of the lines that were in between some may have been read in time.
  assertSame(
    messages.filter((line) => !lost.has(line)),
    numbered(linesWritten).filter((line) => !lost.has(line)),
  );
  assert.equal(new Set(messages).size, messages.length);
});

test("positions are kept: a restart ships what came meanwhile, in files rotated and packed as well", async (t) => {
  const { folder, follow, until, stored } = await setUp(t);
  const path = join(folder, "app.log");
  await fs.writeFile(path, "one\ntwo\n");
  let ship = follow(["app.log*"]);
  await until(2);
  await stop(ship);
  await fs.appendFile(path, "three\n");
  await fs.rename(path, `${path}.2`);
  await fs.writeFile(path, "four\n");
  await fs.rename(path, `${path}.1`);
  await fs.writeFile(`${path}.2.gz`, gzipSync(await fs.readFile(`${path}.2`)));
  await fs.rm(`${path}.2`);
  await fs.writeFile(path, "five\n");
  ship = follow(["app.log*"]);
  assert.deepEqual(await until(5), ["one", "two", "three", "four", "five"]);
  await stop(ship);
  await fs.writeFile(`${path}.1.gz`, gzipSync(await fs.readFile(`${path}.1`)));
  await fs.rm(`${path}.1`);
  ship = follow(["app.log*"]);
  await fs.appendFile(path, "six\n");
  await until(6);
  await stop(ship);
  assert.deepEqual(await stored(), ["one", "two", "three", "four", "five", "six"]);
});

test("new files are found by a pattern, and by a link; a file may come later, and go", async (t) => {
  const { folder, follow, until, stored } = await setUp(t);
  await fs.mkdir(join(folder, "deep"));
  const ship = follow(["**/*.log", "later.txt"]);
  await ship.until(/later\.txt: nothing there yet/, "stderr");
  await fs.writeFile(join(folder, "deep", "a.log"), "a\n");
  await until(1);
  await fs.writeFile(join(folder, "later.txt"), "later\n");
  await until(2);
  await fs.symlink(join(folder, "later.txt"), join(folder, "link.log"));
  await fs.rm(join(folder, "deep", "a.log"));
  await fs.writeFile(join(folder, "deep", "b.log"), "b\n");
  await until(3);
  await stop(ship);
  assert.deepEqual(await stored(), ["a", "later", "b"]);
});

test("a truncated file is read from its beginning, whatever its length is by then", async (t) => {
  const { folder, follow, until, stored } = await setUp(t);
  const path = join(folder, "app.log");
  await fs.writeFile(path, "one\ntwo\n");
  const ship = follow(["app.log"]);
  await until(2);
  await fs.writeFile(path, "three is longer than what was there before\n");
  await until(3);
  await fs.writeFile(path, "4\n");
  await until(4);
  await stop(ship);
  assert.deepEqual(await stored(), ["one", "two", "three is longer than what was there before", "4"]);
});

test("a copy beside a log is not read again, and other files of the same beginning are", async (t) => {
  const { folder, follow, until, stored } = await setUp(t);
  const path = join(folder, "job-2026-11-28.log");
  await fs.writeFile(path, "ok\n");
  const ship = follow(["*"]);
  await until(1);
  await fs.copyFile(path, `${path}.1`);
  await fs.writeFile(join(folder, "job-2026-11-29.log"), "ok\n");
  await until(2);
  await fs.writeFile(join(folder, "last.log"), "last\n");
  await until(3);
  await stop(ship);
  assert.deepEqual(await stored(), ["ok", "ok", "last"]);
});

test("a line is shipped when it is whole; CRLF, bytes that are no text, and lines of a megabyte", async (t) => {
  const { folder, follow, until } = await setUp(t);
  const path = join(folder, "app.log");
  const huge = "h".repeat(1_500_000);
  await fs.writeFile(
    path,
    Buffer.concat([Buffer.from(`first\r\n${huge}\n`), Buffer.of(0x61, 0xff, 0x00, 0x0a)]),
  );
  await fs.appendFile(path, "half");
  const ship = follow(["app.log"]);
  const messages = await until(4);
  assert.deepEqual([messages[0], messages[3]], ["first", "a\uFFFD\0"]);
  assert.equal(`${messages[1]}${messages[2]}`, huge);
  await fs.appendFile(path, " and half\n");
  assert.equal((await until(5)).at(-1), "half and half");
  assert.match(await stop(ship), /1 overlong line cut into 2 entries/);
});

test("the last line of a log that was rotated away is shipped without its end", async (t) => {
  const { folder, follow, until } = await setUp(t);
  const path = join(folder, "app.log");
  await fs.writeFile(`${path}.gz`, gzipSync("packed\nlast"));
  const ship = follow(["app.log*"]);
  assert.deepEqual(await until(2), ["packed", "last"]);
  await stop(ship);
});

test("stack traces are one entry, also when the shipper is killed while one is written", async (t) => {
  const { folder, follow, until, stored } = await setUp(t);
  const path = join(folder, "app.log");
  await fs.writeFile(path, "Error: one\n    at a\n");
  let ship = follow(["app.log"], "--multiline", "auto");
  await until(1);
  await fs.appendFile(path, "Error: two\n    at a\n");
  await kill(ship);
  ship = follow(["app.log"], "--multiline", "auto");
  await fs.appendFile(path, "    at b\nthree\n");
  await until(3);
  await stop(ship);
  assert.deepEqual(await stored(), ["Error: one\n    at a", "Error: two\n    at a\n    at b", "three"]);
});

test("a file that can't be read is told and tried again", { skip: process.getuid?.() === 0 }, async (t) => {
  const { folder, follow, until } = await setUp(t);
  const path = join(folder, "app.log");
  await fs.writeFile(path, "secret\n", { mode: 0 });
  const ship = follow(["app.log"]);
  await ship.until(/app\.log: EACCES/, "stderr");
  await fs.chmod(path, 0o600);
  assert.deepEqual(await until(1), ["secret"]);
  await stop(ship);
});

test("a link that leads nowhere is told, and tried again", async (t) => {
  const { folder, follow, until } = await setUp(t);
  const link = join(folder, "app.log");
  await fs.symlink(link, link);
  const ship = follow(["*.log"]);
  await ship.until(/app\.log: ELOOP/, "stderr");
  await fs.rm(link);
  await fs.writeFile(join(folder, "real.txt"), "real\n");
  await fs.symlink(join(folder, "real.txt"), link);
  assert.deepEqual(await until(1), ["real"]);
  await stop(ship);
});

test("with another --multiline the count begins anew, where reading was", async (t) => {
  const { folder, follow, until } = await setUp(t);
  const path = join(folder, "app.log");
  await fs.writeFile(path, "one\n  two\n");
  const first = follow(["app.log"]);
  await until(2);
  await stop(first);
  await fs.appendFile(path, "three\n  four\nfive\n");
  const second = follow(["app.log"], "--multiline", "auto");
  assert.deepEqual(await until(4), ["one", "  two", "three\n  four", "five"]);
  await stop(second);
});

test("while the server is away files are not lost sight of, and everything comes when it is back", async (t) => {
  const folder = await makeFolder(t);
  const server = await startServer(t, join(folder, "data"));
  const port = new URL(server.url).port;
  const path = join(folder, "app.log");
  await fs.writeFile(path, "one\n");
  const ship = startCommand(t, [
    ...["ship", "--follow", "--url", server.url, "--spool", join(folder, "spool")],
    path,
  ]);
  const tail = startCommand(t, ["tail", "--url", server.url, "--output", "raw"]);
  await tail.until(/one\n/);
  await kill(server.command);
  await fs.appendFile(path, "two\n");
  await ship.until(/is unavailable/, "stderr");
  await fs.rename(path, `${path}.1`);
  await fs.writeFile(path, "three\n");
  await startServer(t, join(folder, "data"), ["--port", port]);
  await tail.until(/one\ntwo\nthree\n/);
  assert.match(await stop(ship), /connected to .* again/);
});

test("two with one folder of positions: the second one says so and ends", async (t) => {
  const { folder, follow, until } = await setUp(t);
  await fs.writeFile(join(folder, "app.log"), "one\n");
  const ship = follow(["app.log"]);
  await until(1);
  const second = follow(["app.log"]);
  assert.equal(await second.ended, exitCodes.failed);
  assert.match(second.stderr(), /positions\.db is in use by another logsvc/);
  await stop(ship);
});

test("a folder and a socket are told; the server's absence is waited for", async (t) => {
  const { folder, follow, until } = await setUp(t);
  await fs.mkdir(join(folder, "sub"));
  await fs.writeFile(join(folder, "app.log"), "one\n");
  const ship = follow(["sub", "app.log"]);
  await ship.until(/sub: expected a file/, "stderr");
  assert.deepEqual(await until(1), ["one"]);
  await stop(ship);
});
