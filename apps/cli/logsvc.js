#!/usr/bin/env node
// The command, for whatever Node finds it: an older one would trip over
// TypeScript before it could say which Node is needed. So this is JavaScript,
// and does no more than that and to keep what V8 compiles for the next start.
import module from "node:module";
import process from "node:process";

const nodeMajorMin = 24;

if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  process.stderr.write(
    `logsvc needs Node ${nodeMajorMin} or later, this is ${process.version}. Without installing it:\n` +
      "  npx -y -p node@24 -p pnpm@12 pnpm start\n",
  );
  process.exitCode = 1;
} else {
  module.enableCompileCache();
  await import("./src/main.ts");
}
