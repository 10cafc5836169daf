/** The Go peers: compiled once for each state of their sources, where Go is there. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const sources = join(import.meta.dirname, "../go-peer");
const programs = join(import.meta.dirname, "../.cache");

let compiled: Promise<string | undefined> | undefined;

/** Compiles the Go peers; resolves with why they are missing, or undefined when they are there. */
export function goMissing(): Promise<string | undefined> {
  compiled ??= compile();
  return compiled;
}

/** The path of a compiled Go peer. */
export async function goProgram(name: "server" | "client"): Promise<string> {
  const missing = await goMissing();
  if (missing !== undefined) throw new Error(missing);
  return join(programs, name);
}

/** Go's and grpc-go's versions, for the line about the environment; undefined without Go. */
export async function goVersions(): Promise<string | undefined> {
  try {
    const { stdout } = await execute("go", ["version"]);
    const grpc = /grpc v(\S+)/.exec(readFileSync(join(sources, "go.mod"), "utf8"))?.[1];
    return `Go ${/go([\d.]+)/.exec(stdout)?.[1]}, grpc-go ${grpc}`;
  } catch {
    // There is no Go: the tables say so where it matters.
    return undefined;
  }
}

async function compile(): Promise<string | undefined> {
  try {
    await execute("go", ["version"]);
  } catch {
    return "there is no `go` on this machine";
  }
  try {
    // Go's own cache makes this a matter of a second when nothing has changed.
    await execute("go", ["build", "-o", `${programs}/`, "./client", "./server"], { cwd: sources });
    return undefined;
  } catch (error) {
    const [reason = "no reason given"] = (error instanceof Error ? error.message : String(error))
      .split("\n")
      .slice(1);
    return `\`go build\` failed: ${reason}`;
  }
}
