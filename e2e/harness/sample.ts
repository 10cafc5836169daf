/**
 * Shell lines that users are told to paste, run as they stand but for two
 * things: the port is the test server's, and `pnpm logsvc` runs the command
 * without the package manager, which need not be on a test's PATH.
 */
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { transform } from "esbuild";
import { logsvcCommand, type RunningProgram, startProgram } from "./program.ts";
import type { Server } from "./server.ts";

/** The port that samples are written for. */
const samplePort = /\b50051\b/g;

/** Starts a sample. */
export function startSample(
  t: TestContext,
  server: Server,
  sample: string,
  env: Readonly<Record<string, string>> = {},
): RunningProgram {
  const [program, args] = logsvcCommand([]);
  const command = [program, ...args].map((word) => `'${word}'`).join(" ");
  const text = sample
    .replaceAll(samplePort, `${server.port}`)
    .replaceAll(/\b(npx -y -p node@24 -p pnpm@12 )?pnpm logsvc\b/g, () => command);
  return startProgram(t, "sh", ["-e", "-c", text], { env, isGroup: true });
}

/** Starts a program in TypeScript, from a file beside the packages that it imports. */
export async function startTypeScript(
  t: TestContext,
  server: Server,
  sample: string,
): Promise<RunningProgram> {
  const path = join(import.meta.dirname, `sample-${randomUUID()}.ts`);
  await writeFile(path, sample.replaceAll(samplePort, `${server.port}`));
  t.after(() => rm(path));
  return startProgram(t, process.execPath, [path]);
}

/** Compiles a module with React components, and starts a program that renders each of them, as a server does. */
export async function startReact(t: TestContext, server: Server, sample: string): Promise<RunningProgram> {
  const { code } = await transform(sample, { loader: "tsx", jsx: "automatic" });
  const name = `sample-${randomUUID()}`;
  const path = join(import.meta.dirname, `${name}.mjs`);
  await writeFile(path, code.replaceAll(samplePort, `${server.port}`));
  t.after(() => rm(path));
  return startTypeScript(
    t,
    server,
    `import { createElement } from "react";
    import { renderToString } from "react-dom/server";
    import * as components from "./${name}.mjs";
    for (const component of Object.values(components)) console.log(renderToString(createElement(component)));`,
  );
}
