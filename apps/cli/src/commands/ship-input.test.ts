import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { exitCodes } from "../exit-code.ts";
import { makeFolder, runCommand, startCommand, startServer } from "../testing/command.ts";

/** Nobody listens there: ports below 1024 are not given out. */
const nobody = "http://127.0.0.1:1";

test("stack traces of a pipe are one entry each, also the last one before a pause", async (t) => {
  const { url } = await startServer(t, await makeFolder(t));
  const tail = startCommand(t, ["tail", "--url", url, "--output", "raw"]);
  const ship = startCommand(t, ["ship", "--url", url, "--multiline", "auto"]);
  ship.child.stdin.write("Error: one\n    at a\nplain\nError: two\n    at b\n");
  // Nothing follows, and the pipe stays open.
  await tail.until(/Error: one\n {4}at a\nplain\nError: two\n {4}at b\n/);
  ship.child.stdin.end("[1] x\n");
  assert.equal(await ship.ended, exitCodes.ok);
  assert.match(ship.stderr(), /^shipped 4 entries \(4 plain\)\n$/);
});

test("a pattern says which lines are first ones", async (t) => {
  const { url } = await startServer(t, await makeFolder(t));
  const input = "[1] a\nb\n\nc\n[2] d\n";
  const shipped = await runCommand(t, ["ship", "--url", url, "--multiline", "^\\[\\d+\\]"], { input });
  assert.equal(shipped.code, exitCodes.ok);
  const found = await runCommand(t, ["query", "--url", url, "-o", "json", "--order", "oldest"]);
  const messages = found.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).message);
  assert.deepEqual(messages, ["[1] a\nb\n\nc", "[2] d"]);
});

test("with a spool, what is not acknowledged at the end is sent by the next run", async (t) => {
  const folder = await makeFolder(t);
  const spool = join(folder, "spool");
  const first = startCommand(t, ["ship", "--url", nobody, "--spool", spool], { input: "one\ntwo\n" });
  await first.until(/is unavailable/, "stderr");
  first.child.kill("SIGTERM");
  assert.equal(await first.ended, exitCodes.terminated);
  assert.match(first.stderr(), /2 NOT acknowledged, 2 of them kept in /);

  const { url } = await startServer(t, join(folder, "data"));
  const second = await runCommand(t, ["ship", "--url", url, "--spool", spool], { input: "three\n" });
  assert.equal(second.code, exitCodes.ok, second.stderr);
  assert.match(second.stderr, /2 of an earlier run/);
  const found = await runCommand(t, ["query", "--url", url, "-o", "raw"]);
  assert.equal(found.stdout, "one\ntwo\nthree\n");
});

test("a server that stays away is given up after --retry-timeout", async (t) => {
  const { code, stderr } = await runCommand(t, ["ship", "--url", nobody, "--retry-timeout", "500ms"], {
    input: "one\n",
  });
  assert.equal(code, exitCodes.unreachable);
  assert.match(stderr, /1 NOT acknowledged/);
});
