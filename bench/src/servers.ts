/** The servers that take part, each in a process of its own on a free port. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchOptions } from "./bench-case.ts";
import { goProgram } from "./go-peer.ts";
import { Program } from "./program.ts";

/** A running server. */
export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Options of `startLogsvc`. */
export interface LogsvcOptions extends BenchOptions {
  /** More flags of `serve`. */
  readonly flags?: readonly string[];
  /** Puts something into the new server's folder before it starts. */
  readonly prepare?: (folder: string) => Promise<unknown>;
}

const cli = join(import.meta.dirname, "../../apps/cli/logsvc.js");
const peers = join(import.meta.dirname, "peers");

/** `logsvc serve` as users run it, on a folder of its own. */
export async function startLogsvc({
  flags = [],
  prepare,
  ...options
}: LogsvcOptions = {}): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
  await prepare?.(folder);
  const serve = [cli, "serve", "--port", "0", "--data", folder, "--log-level", "warn", ...flags];
  const server = await started(new Program(process.execPath, [...profiling(options), ...serve]));
  return {
    ...server,
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Our server with an engine that stores nothing: what the wire and the checks cost alone. */
export async function startNullServer(options: BenchOptions): Promise<BenchServer> {
  return started(new Program(process.execPath, [...profiling(options), join(peers, "null-server.ts")]));
}

/** A Connect handler on Node's HTTP/2 server, as Connect's documentation has it. */
export async function startConnectServer(): Promise<BenchServer> {
  return started(new Program(process.execPath, [join(peers, "connect-server.ts")]));
}

/** A grpc-js server. */
export async function startGrpcServer(): Promise<BenchServer> {
  return started(new Program(process.execPath, [join(peers, "grpc-server.ts")]));
}

/** The original contract's server on grpc-go. Needs Go: see `goMissing`. */
export async function startGoServer(): Promise<BenchServer> {
  return started(new Program(await goProgram("server"), []));
}

function profiling({ profileFolder }: BenchOptions): string[] {
  return profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
}

/** A server says where it listens in one of its first lines. */
async function started(program: Program): Promise<BenchServer> {
  for (;;) {
    const url = /https?:\/\/[^\s"]+/.exec(await program.line())?.[0];
    if (url !== undefined) return { url, pid: program.pid, stop: () => program.stop() };
  }
}
