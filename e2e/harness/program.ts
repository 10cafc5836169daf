/**
 * A program as a test sees it: what it wrote so far, its standard input, its
 * end. Whatever a test starts is gone when the test is over.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { showIfFailed } from "./failure-output.ts";
import { waitFor } from "./wait-for.ts";

/** The checkout's root, where programs are started. */
export const rootFolder = fileURLToPath(new URL("../../", import.meta.url));

const cliPath = fileURLToPath(new URL("../../apps/cli/logsvc.js", import.meta.url));
const newline = 0x0a;

/** How a program ended. */
export interface ProgramExit {
  /** `null`: a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How to start a program. */
export interface ProgramOptions {
  /** Added to the environment, which has no `LOGSVC_…` variables of its own and no colours. */
  readonly env?: Readonly<Record<string, string>>;
  /** Signals go to the programs that it starts as well: for shells. Default: false. */
  readonly isGroup?: boolean;
}

/** A program that was started; it may have ended. */
export class RunningProgram {
  readonly name: string;
  /** Resolves when the program has ended and all its output is here. */
  readonly ended: Promise<ProgramExit>;
  readonly #child;
  readonly #isGroup: boolean;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  #exit: ProgramExit | undefined;
  #lineCount = 0;

  constructor(program: string, args: readonly string[], options: ProgramOptions = {}) {
    this.name = [program, ...args].join(" ");
    const { env, isGroup = false } = options;
    // `detached` makes it the leader of a process group of its own.
    const child = spawn(program, args, { cwd: rootFolder, env: cleanEnvironment(env), detached: isGroup });
    this.#child = child;
    this.#isGroup = isGroup;
    child.stdout.on("data", (chunk: Buffer) => {
      this.#stdout.push(chunk);
      for (const byte of chunk) if (byte === newline) this.#lineCount += 1;
    });
    child.stderr.on("data", (chunk: Buffer) => this.#stderr.push(chunk));
    // A program that ends without reading its input is no error of the test's.
    child.stdin.on("error", () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    // Who awaits `ended` sees the error; the others must not be ended by it.
    this.ended.catch(() => undefined);
  }

  /** What it wrote to standard output so far. */
  get stdoutBytes(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  /** The same as text. */
  get stdout(): string {
    return this.stdoutBytes.toString("utf8");
  }

  /** The whole lines of standard output so far, without their ends. */
  get lines(): string[] {
    return this.stdout.split("\n").slice(0, -1);
  }

  /** What it wrote to standard error so far. */
  get stderr(): string {
    return Buffer.concat(this.#stderr).toString("utf8");
  }

  /** How it ended; absent while it runs. */
  get exit(): ProgramExit | undefined {
    return this.#exit;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.name} was not started`);
    return pid;
  }

  /** Writes to standard input and waits until there is room for more. */
  async write(text: string | Uint8Array): Promise<void> {
    if (!this.#child.stdin.write(text)) await once(this.#child.stdin, "drain");
  }

  /** Ends standard input. */
  endInput(text?: string | Uint8Array): void {
    if (text === undefined) this.#child.stdin.end();
    else this.#child.stdin.end(text);
  }

  /** Sends a signal and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<ProgramExit> {
    if (this.#exit === undefined) {
      if (this.#isGroup) process.kill(-this.pid, signal);
      else this.#child.kill(signal);
    }
    return this.ended;
  }

  /** Waits for a condition on what it has written, and fails at once when it ends before that. */
  async waitUntil(what: string, condition: () => boolean, deadlineMs?: number): Promise<void> {
    await waitFor(
      `${what} of ${this.name}`,
      () => {
        // In this order: with the end all output is here.
        const hasEnded = this.#exit !== undefined;
        if (condition()) return true;
        if (hasEnded)
          throw new Error(`${this.#ending()} before ${what}:\n${this.stdout.slice(-4000)}\n${this.stderr}`);
        return false;
      },
      deadlineMs,
    );
  }

  /** Waits until standard output has so many lines. */
  async waitForLines(count: number, deadlineMs?: number): Promise<void> {
    await this.waitUntil(`${count} lines`, () => this.#lineCount >= count, deadlineMs);
  }

  /** Waits for the end, which must come with exit code 0. */
  async succeeded(): Promise<this> {
    const { code } = await this.ended;
    if (code !== 0) throw new Error(`${this.#ending()}:\n${this.stdout}\n${this.stderr}`);
    return this;
  }

  #ending(): string {
    return `${this.name} ended with ${this.#exit?.code ?? this.#exit?.signal}`;
  }
}

/** Starts a program; after the test it is killed if it still runs, and shown if the test failed. */
export function startProgram(
  t: TestContext,
  program: string,
  args: readonly string[],
  options?: ProgramOptions,
): RunningProgram {
  const running = new RunningProgram(program, args, options);
  t.after(async () => {
    showIfFailed(t, running.name, running.stderr);
    // A program that could not be started has nothing to clean up.
    await running.kill("SIGKILL").catch(() => undefined);
  });
  return running;
}

/** The program and arguments that run the command line from the checkout. */
export function logsvcCommand(args: readonly string[]): [program: string, args: string[]] {
  return [process.execPath, [cliPath, ...args]];
}

/** Starts `logsvc` with arguments. */
export function startLogsvc(t: TestContext, ...args: string[]): RunningProgram {
  return startProgram(t, ...logsvcCommand(args));
}

/** Runs a program to its end, with `input` on its standard input. */
export async function runProgram(
  t: TestContext,
  program: string,
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<RunningProgram> {
  const running = startProgram(t, program, args);
  running.endInput(input);
  await running.ended;
  return running;
}

/** Runs `logsvc` to its end, without input. */
export function runLogsvc(t: TestContext, ...args: string[]): Promise<RunningProgram> {
  return runProgram(t, ...logsvcCommand(args));
}

/** Whether a program can be started at all. */
export async function isInstalled(t: TestContext, program: string): Promise<boolean> {
  return runProgram(t, program, ["--version"]).then(
    () => true,
    () => false,
  );
}

function cleanEnvironment(added: ProgramOptions["env"]): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(LOGSVC_|NODE_TEST_|FORCE_COLOR$)/.test(name),
  );
  return { ...Object.fromEntries(kept), NO_COLOR: "1", ...added };
}
