/**
 * A program that takes part: a process of its own, spoken to in lines, whose
 * processor time and memory can be read from outside.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** What a process used up to now. */
export interface Usage {
  /** Of all its threads, milliseconds. */
  readonly cpuMs: number;
  /** Of Node's main thread alone, where JavaScript runs. Absent for other programs. */
  readonly mainCpuMs?: number;
}

/** Linux counts in these, on every machine (USER_HZ). */
const tickMs = 10;

/** What still works after so long is not waited for. */
const settleMsMax = 60_000;

const running = new Set<ChildProcess>();
// Whatever ends the benchmark, nothing of it stays behind.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A running program. */
export class Program {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  /** Starts a program. What it writes to standard error is shown. */
  constructor(command: string, args: readonly string[]) {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    this.#exited = once(child, "exit").finally(() => running.delete(child));
    running.add(child);
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The next line that it writes. */
  async line(): Promise<string> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`${this.#child.spawnargs.join(" ")} ended before it answered`);
    return line.value;
  }

  /** Writes a line to it, and returns the next one that it writes. */
  async ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return this.line();
  }

  /** Ends it as a terminal would; our own programs also end with their input. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    this.#child.kill("SIGTERM");
    await this.#exited;
  }
}

/** Whether a command is not on this machine. */
export function commandMissing(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).error !== undefined;
}

/** What a process used up to now; on systems without /proc nothing is known. */
export function usageOf(pid: number): Usage | undefined {
  try {
    // Node names its threads, its main thread "MainThread" or "node-MainThread".
    const isNode = /node|MainThread/.test(readFileSync(`/proc/${pid}/comm`, "latin1"));
    return {
      cpuMs: ticksIn(`/proc/${pid}/stat`) * tickMs,
      ...(isNode ? { mainCpuMs: ticksIn(`/proc/${pid}/task/${pid}/stat`) * tickMs } : {}),
    };
  } catch {
    // No such file: not Linux.
    return undefined;
  }
}

/** How many cores a process kept busy between two looks, so many milliseconds apart; NaN when that is not known. */
export function coresOf(before: Usage | undefined, after: Usage | undefined, elapsedMs: number): number {
  return ((after?.cpuMs ?? Number.NaN) - (before?.cpuMs ?? Number.NaN)) / elapsedMs;
}

/** A process' resident memory in bytes; NaN on systems without /proc. */
export function residentBytesOf(pid: number): number {
  return statusBytes(pid, "VmRSS");
}

/** A process' greatest resident memory so far, in bytes; NaN on systems without /proc. */
export function peakBytesOf(pid: number): number {
  return statusBytes(pid, "VmHWM");
}

/** A process that has been idle for so long has nothing left to do: ours lets a flood pass before it merges. */
const idleMsMin = 800;

/**
 * Waits until a process has nothing left to do, such as merging what it has
 * stored, so that the next contestant has the machine for itself.
 *
 * @returns For how long it still worked, milliseconds.
 */
export async function settle(pid: number): Promise<number> {
  const intervalMs = 100;
  let workedMs = 0;
  for (let waitedMs = 0; waitedMs < settleMsMax && waitedMs - workedMs < idleMsMin; waitedMs += intervalMs) {
    const before = usageOf(pid)?.cpuMs ?? 0;
    await pause(intervalMs);
    if ((usageOf(pid)?.cpuMs ?? 0) - before > tickMs) workedMs = waitedMs + intervalMs;
  }
  return workedMs;
}

/** User and system time: the 14th and 15th field, where the 2nd may hold blanks but ends with the last `)`. */
function ticksIn(path: string): number {
  const stat = readFileSync(path, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

function statusBytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  } catch {
    // No such file: not Linux.
    return Number.NaN;
  }
}
