/**
 * Shell lines that users are told to paste, run as they stand but for two
 * things: the port is the test server's, and `pnpm logsvc` runs the command
 * without the package manager, which need not be on a test's PATH.
 */
import type { TestContext } from "node:test";
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
    .replaceAll(/\b(npx )?pnpm (--silent )?logsvc\b/g, () => command);
  return startProgram(t, "sh", ["-e", "-c", text], { env, isGroup: true });
}
