#!/usr/bin/env node
// The command, for whatever Node finds it: an older one would trip over
// TypeScript before it could say which Node is needed. So this is JavaScript,
// and does no more than that, to keep what V8 compiles for the next start, and
// to start servers with little memory.
import module from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const nodeMajorMin = 24;

/**
 * How much memory a server's garbage may take: V8 and the C library read it only
 * at a process' start. With their own choices a server under load is 150 MB
 * larger, and no faster (docs/performance.md).
 */
const memory = {
  /** V8's young generation, in MB: what a server throws away is short-lived. */
  option: "--max-semi-space-size",
  megabytes: 4,
  environment: {
    // glibc's, and nobody else's: few pools for its threads, and large blocks given back when they are freed.
    MALLOC_ARENA_MAX: "2",
    MALLOC_MMAP_THRESHOLD_: "262144",
    MALLOC_TRIM_THRESHOLD_: "262144",
    // For the threads as well: each that has to strip types takes 10 MB for the tool.
    NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache"),
  },
};

/** Starts this process anew, with the same id and standard streams; where it can't, it goes on as it is. */
function startWithLittleMemory() {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ""];
  const isChosen = options.some((option) => option.replaceAll("_", "-").includes(memory.option));
  if (isChosen || !canStartAnew()) return;
  const args = [...process.execArgv, `${memory.option}=${memory.megabytes}`, ...process.argv.slice(1)];
  const environment = { ...memory.environment, ...process.env };
  process.execve(process.execPath, [process.execPath, ...args], environment);
}

/** Windows has no execve, Node's permissions may forbid it, and a channel to the process that forked this one would be cut. */
function canStartAnew() {
  return process.platform !== "win32" && process.permission?.has("child") !== false && !process.connected;
}

if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  process.stderr.write(
    `logsvc needs Node ${nodeMajorMin} or later, this is ${process.version}. Without installing it:\n` +
      "  npx -y -p node@24 -p pnpm@12 pnpm start\n",
  );
  process.exitCode = 1;
} else {
  if (process.argv[2] === "serve") startWithLittleMemory();
  module.enableCompileCache();
  await import("./src/main.ts");
}
