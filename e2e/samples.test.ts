/**
 * The samples in README.md and docs/ are true. A fenced block whose info string
 * is `sh test`, `ts test` or `tsx test` must end well; with `live` it goes on for ever and
 * must print a line. A document's blocks run in their order, against a fresh
 * server.
 */
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { isInstalled, type RunningProgram, rootFolder } from "./harness/program.ts";
import { startReact, startSample, startTypeScript } from "./harness/sample.ts";
import { type Server, startServer } from "./harness/server.ts";

/** A marked block. */
interface Sample {
  readonly language: "sh" | "ts" | "tsx";
  readonly isLive: boolean;
  /** The answer is an error. curl itself does not say. */
  readonly isError: boolean;
  readonly text: string;
}

/** The block, and the answer that the document shows below it, if it does. */
const blockPattern = /^```(sh|tsx?) test( live)?\n(.*?)^```$(?:\n\n```json\n(.*?)^```$)?/gms;

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
  return [...text.matchAll(blockPattern)].map(([, language, live, block = "", answer = ""]) => ({
    language: language === "ts" || language === "tsx" ? language : "sh",
    isLive: live !== undefined,
    isError: answer.includes('"code":'),
    text: block,
  }));
}

async function runSample(
  t: TestContext,
  server: Server,
  { language, isLive, isError, text }: Sample,
): Promise<void> {
  for (const program of ["curl", "jq"])
    if (language === "sh" && text.includes(program) && !(await isInstalled(t, program)))
      return t.skip(`${program} is not installed`);
  const sample = await start(t, server, language, text);
  sample.endInput();
  if (isLive) await sample.waitForLines(1);
  else await sample.succeeded();
  assert.equal(sample.stdout.includes('"code":'), isError, sample.stdout);
}

function start(
  t: TestContext,
  server: Server,
  language: Sample["language"],
  text: string,
): RunningProgram | Promise<RunningProgram> {
  switch (language) {
    case "sh":
      return startSample(t, server, text, { LOGSVC_URL: server.url });
    case "ts":
      return startTypeScript(t, server, text);
    case "tsx":
      return startReact(t, server, text);
  }
}
