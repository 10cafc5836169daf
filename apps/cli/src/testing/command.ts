/**
 * The command as its users run it: a program of its own, with pipes and
 * signals. Everything ends with the test.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Starting is most of what these tests do; compiled code from the last start halves it. */
const compileCache = fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url));

/** Long enough for a slow machine; a test that waits so long has failed. */
const deadlineMs = 20_000;

/** A running command. */
export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when standard output, or error, matches; rejects when the command ends without. */
  until(pattern: RegExp, stream?: "stdout" | "stderr"): Promise<void>;
  /** Resolves with its exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** How to run a command. */
export interface RunOptions {
  /** The standard input, whole. Absent: it stays open. */
  readonly input?: string | Uint8Array;
  /** Variables beside those of the test itself. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the command. */
export function startCommand(
  t: TestContext,
  args: readonly string[],
  options: RunOptions = {},
): RunningCommand {
  const child = spawn(process.execPath, [main, ...args], {
    env: {
      ...process.env,
      NO_COLOR: "",
      FORCE_COLOR: "",
      NODE_COMPILE_CACHE: compileCache,
      ...options.environment,
    },
  });
  t.after(() => child.kill("SIGKILL"));
  const texts = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.stderr += text));
  // A command that ends early closes its input: no concern of the test's.
  child.stdin.on("error", () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);
  let hasEnded = false;
  const ended = once(child, "close").then(([code]: (number | null)[]) => {
    hasEnded = true;
    return code ?? null;
  });
  const until = async (pattern: RegExp, stream: "stdout" | "stderr" = "stdout"): Promise<void> => {
    const signal = AbortSignal.timeout(deadlineMs);
    while (!pattern.test(texts[stream])) {
      if (hasEnded) throw new Error(`ended without ${pattern}: ${texts.stdout}${texts.stderr}`);
      await Promise.race([once(child[stream], "data", { signal }), ended]);
    }
  };
  return { child, stdout: () => texts.stdout, stderr: () => texts.stderr, until, ended };
}

/** What a command left. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end. */
export async function runCommand(
  t: TestContext,
  args: readonly string[],
  options: RunOptions = {},
): Promise<CommandResult> {
  const command = startCommand(t, args, { input: "", ...options });
  const code = await command.ended;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

/** Makes an empty folder. */
export async function makeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "logsvc-cli-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A running server. */
export interface RunningServer {
  readonly url: string;
  readonly command: RunningCommand;
}

/** Starts a server on a free port, or on the given one, and waits until it listens. */
export async function startServer(
  t: TestContext,
  folder: string,
  args: readonly string[] = [],
): Promise<RunningServer> {
  const command = startCommand(t, ["serve", "--port", "0", "--data", folder, ...args]);
  await command.until(/\n\n[\s\S]*\n\n/);
  const url = /^logsvc \S+ is listening on (\S+)\n/.exec(command.stdout())?.[1];
  if (url === undefined) throw new Error(`no address in: ${command.stdout()}`);
  return { url, command };
}
