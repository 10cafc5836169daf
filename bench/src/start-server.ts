/** The server as users run it: a process of its own, on a folder of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const cli = join(import.meta.dirname, "../../apps/cli/logsvc.js");

/** A running server. */
export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts `logsvc serve` on a free port, with the flags given. */
export async function startServer(flags: readonly string[] = []): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
  const child = spawn(
    process.execPath,
    [cli, "serve", "--port", "0", "--data", folder, "--log-level", "warn", ...flags],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exited = once(child, "exit");
  for await (const line of createInterface(child.stdout)) {
    const url = /https?:\/\/\S+/.exec(line)?.[0];
    if (url === undefined) continue;
    child.stdout.resume();
    return {
      url,
      pid: child.pid ?? 0,
      stop: async () => {
        child.kill("SIGTERM");
        await exited;
        rmSync(folder, { recursive: true });
      },
    };
  }
  throw new Error("the server ended before it listened");
}
