#!/usr/bin/env node
// The command, for whatever Node finds it: an older one would trip over
// TypeScript before it could say which Node is needed. So this is JavaScript,
// and does no more than that, to keep what V8 compiles for the next start, and
// to choose how much memory a server's garbage may take.
import module from "node:module";
import process from "node:process";

const nodeMajorMin = 24;

/**
 * MB. A server's garbage is short-lived: with V8's own 32 it took 100 MB more
 * resident memory under load, and was no faster (docs/performance.md). V8 reads
 * it only at its start.
 */
const semiSpaceOption = "--max-semi-space-size";
const semiSpaceMegabytes = 8;

function isSemiSpaceChosen() {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ""];
  return options.some((option) => option.replaceAll("_", "-").includes(semiSpaceOption));
}

if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  process.stderr.write(
    `logsvc needs Node ${nodeMajorMin} or later, this is ${process.version}. Without installing it:\n` +
      "  npx -y -p node@24 -p pnpm@12 pnpm start\n",
  );
  process.exitCode = 1;
} else {
  // Where there is no execve (Windows), V8's own size will do.
  if (process.argv[2] === "serve" && "execve" in process && !isSemiSpaceChosen()) {
    const options = [...process.execArgv, `${semiSpaceOption}=${semiSpaceMegabytes}`];
    // The same process, with its id and its standard streams.
    process.execve(process.execPath, [process.execPath, ...options, ...process.argv.slice(1)], process.env);
  }
  module.enableCompileCache();
  await import("./src/main.ts");
}
