/**
 * The samples in README.md and docs/ are true. A fenced block whose info string
 * is `sh test` must end well; `sh test live` goes on for ever and must print a
 * line. A document's blocks run in their order, against a fresh server.
 */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { isInstalled, rootFolder } from "./harness/program.ts";
import { startSample } from "./harness/sample.ts";
import { type Server, startServer } from "./harness/server.ts";

/** A marked block. */
interface Sample {
  readonly isLive: boolean;
  readonly text: string;
}

const blockPattern = /^```sh test( live)?\n(.*?)^```$/gms;

for (const path of globSync(["README.md", "docs/*.md"], { cwd: rootFolder })) {
  const samples = samplesOf(await readFile(join(rootFolder, path), "utf8"));
  if (samples.length === 0) continue;
  test(`${path}: ${samples.length} samples`, { timeout: 120_000 }, async (t) => {
    const server = await startServer(t);
    for (const sample of samples)
      await t.test(sample.text.split("\n", 1)[0] ?? "", (t) => runSample(t, server, sample));
  });
}

test("README.md has samples to run", async () => {
  assert.ok(samplesOf(await readFile(join(rootFolder, "README.md"), "utf8")).length > 0);
});

function samplesOf(text: string): Sample[] {
  return [...text.matchAll(blockPattern)].map(([, live, block = ""]) => ({
    isLive: live !== undefined,
    text: block,
  }));
}

async function runSample(t: TestContext, server: Server, { isLive, text }: Sample): Promise<void> {
  for (const program of ["curl", "jq"])
    if (text.includes(program) && !(await isInstalled(t, program)))
      return t.skip(`${program} is not installed`);
  const sample = startSample(t, server, text, { LOGSVC_URL: server.url });
  sample.endInput();
  if (isLive) await sample.waitForLines(1);
  else await sample.succeeded();
}
