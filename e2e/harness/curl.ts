/** Real curl, as users run it. */
import type { TestContext } from "node:test";
import { type RunningProgram, runProgram } from "./program.ts";

/** What curl got. */
export interface CurlAnswer {
  readonly status: number;
  /** "1.1" or "2". */
  readonly httpVersion: string;
  readonly body: string;
}

/** Runs curl to its end, with `input` on its standard input (`--data-binary @-`). */
export async function curl(
  t: TestContext,
  args: readonly string[],
  input?: string | Uint8Array,
): Promise<CurlAnswer> {
  const written = "%{stderr}\n%{http_code} %{http_version}";
  const ended = await runProgram(t, "curl", ["-sS", "--max-time", "60", "-w", written, ...args], input);
  await ended.succeeded();
  const [status, httpVersion] = ended.stderr.trimEnd().split("\n").at(-1)?.split(" ") ?? [];
  return { status: Number(status), httpVersion: httpVersion ?? "", body: ended.stdout };
}

/** The arguments that call an RPC with JSON. */
export function rpcArguments(url: string, method: string): string[] {
  return [
    "-H",
    "content-type: application/json",
    "--data-binary",
    "@-",
    `${url}/logsvc.LogService/${method}`,
  ];
}

/** The lines of NDJSON, parsed; blank ones, which are heartbeats, left out. */
export function parseNdjson(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}

/** The same for what a program has written in whole lines so far. */
export function ndjsonOf(program: RunningProgram): unknown[] {
  return parseNdjson(program.lines.join("\n"));
}
