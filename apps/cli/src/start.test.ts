/** The file that users start, `logsvc.js`: a server starts anew with little memory, where it can. */
import assert from "node:assert/strict";
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../logsvc.js", import.meta.url));

/** Prints the options of each process that `logsvc.js` becomes. */
const report = "data:text/javascript,console.error('options', ...process.execArgv.slice(2))";

const notWindows = { skip: process.platform === "win32" ? "Windows has no execve" : false };

/** Runs `serve --help` under these options of Node. */
function serveHelp(options: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", report, ...options, command, "serve", "--help"],
    { encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "", ...environment }, timeout: 20_000 },
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /serve/);
  return stderr;
}

test("serve starts anew once, with the options it was given", notWindows, () => {
  const stderr = serveHelp(["--no-deprecation"]);
  assert.equal(stderr, "options --no-deprecation\noptions --no-deprecation --max-semi-space-size=4\n");
});

test("who chose the size of the young generation keeps it", () => {
  assert.equal(serveHelp(["--max-semi-space-size=16"]), "options --max-semi-space-size=16\n");
  assert.equal(serveHelp([], { NODE_OPTIONS: "--max_semi_space_size=4" }), "options\n");
});

test("where a process can't start anew, serve runs as it is", async () => {
  const windows = "data:text/javascript,Object.defineProperty(process,'platform',{value:'win32'})";
  assert.doesNotMatch(serveHelp(["--import", windows], { TEMP: tmpdir() }), /semi-space/);
  const permission = ["--permission", "--allow-fs-read=*", "--allow-fs-write=*", "--allow-worker"];
  assert.doesNotMatch(serveHelp(permission), /semi-space/);
  const child = fork(command, ["serve", "--help"], { execArgv: ["--import", report], silent: true });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [code] = await once(child, "close");
  assert.deepEqual([code, stderr], [0, "options\n"]);
});
