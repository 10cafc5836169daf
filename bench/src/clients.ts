/** The clients that take part, each in a process of its own: see peers/ for what they do. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import { LogEntrySchema } from "@logsvc/proto";
import { originalEntryAt } from "./entries.ts";
import { goProgram } from "./go-peer.ts";
import type { OneTailOrder, OneTailReport } from "./peers/one-tail.ts";
import type { StreamOutcome } from "./peers/orders.ts";
import type { PacedWrite } from "./peers/paced-writer.ts";
import type { HeartbeatReport, TailsOrder, TailsReport } from "./peers/tails.ts";
import { Program } from "./program.ts";

/** Which client: the original contract's on grpc-go; ours, many at a time or each with a promise; our shipper; grpc-js'; Connect's. */
export type ClientKind = "go" | "logsvc" | "logsvc-each" | "shipper" | "grpc" | "connect";

/** A running client. */
export interface BenchClient {
  readonly pid: number;
  /** Sends for so long, half-closes, and reads to the end. */
  stream(sendMs: number): Promise<StreamOutcome>;
  stop(): Promise<void>;
}

const peers = join(import.meta.dirname, "peers");

/** The entries that clients send over and over. */
const entryCount = 50_000;

/** Starts a client of a server. */
export async function startClient(kind: ClientKind, url: string): Promise<BenchClient> {
  if (kind === "logsvc-each") return startSender(url, "logsvc-client.ts", ["each"]);
  if (kind !== "go") return startSender(url, `${kind}-client.ts`, []);
  const program = await goProgram("client");
  return sender((path) => new Program(program, [new URL(url).host, path]));
}

/** Our client, sending batches of one size, 16 of them in flight. */
export function startBatchClient(url: string, method: "ship" | "write", batchEntries: number): BenchClient {
  return startSender(url, "batch-client.ts", [method, String(batchEntries)]);
}

/** Tails in one process, and what arrives at them. */
export interface BenchTails {
  readonly pid: number;
  obey(order: Extract<TailsOrder, { order: "open" }>): Promise<object>;
  obey(order: Extract<TailsOrder, { order: "report" }>): Promise<TailsReport>;
  obey(order: Extract<TailsOrder, { order: "heartbeats" }>): Promise<HeartbeatReport>;
  stop(): Promise<void>;
}

/** Starts a program for tails: such as look frames through, or our client. */
export function startTails(url: string, kind: "frames" | "client"): BenchTails {
  const program = new Program(process.execPath, [join(peers, "tails.ts"), url, kind]);
  return {
    pid: program.pid,
    obey: async (order: TailsOrder) => JSON.parse(await program.ask(JSON.stringify(order))),
    stop: () => program.stop(),
  };
}

/** One tail, beside a writer that `startClient` started. */
export interface OneTail {
  report(order: OneTailOrder): Promise<OneTailReport>;
  stop(): Promise<void>;
}

/** Opens a tail with our client: one that the filter lets have an entry in `step`, or one that stalls. */
export async function startOneTail(
  url: string,
  kind: "stalls" | { readonly step: number; readonly filter: string },
): Promise<OneTail> {
  const { path, remove } = writeEntries();
  const args = kind === "stalls" ? ["1", "stalls"] : [String(kind.step), "reads", kind.filter];
  const program = new Program(process.execPath, [join(peers, "one-tail.ts"), url, path, ...args]);
  await program.line();
  return {
    report: async (order) => JSON.parse(await program.ask(JSON.stringify(order))),
    stop: async () => {
      await program.stop();
      remove();
    },
  };
}

/** A writer at a given rate. */
export interface PacedWriter {
  readonly pid: number;
  /** Writes, and leaves the moments of the answers in `answersPath`. */
  write(wanted: Omit<PacedWrite, "answersPath" | "writesPath">): Promise<PacedOutcome>;
  readonly answersPath: string;
  stop(): Promise<void>;
}

/** How it went. */
export interface PacedOutcome {
  readonly ms: number;
  /** From writing each entry to its answer, milliseconds. */
  readonly ackMs: Float64Array;
}

/** Starts a writer at a given rate, with our client on StreamLogs. */
export function startPacedWriter(url: string): PacedWriter {
  const folder = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
  const answersPath = join(folder, "answers");
  const writesPath = join(folder, "writes");
  const program = new Program(process.execPath, [join(peers, "paced-writer.ts"), url]);
  return {
    pid: program.pid,
    answersPath,
    write: async (wanted) => {
      const order: PacedWrite = { ...wanted, answersPath, writesPath };
      const { ms } = JSON.parse(await program.ask(JSON.stringify(order)));
      const writes = readMoments(writesPath);
      return { ms, ackMs: readMoments(answersPath).map((answer, index) => answer - (writes[index] ?? 0)) };
    },
    stop: async () => {
      await program.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Moments as a paced writer leaves them behind. */
function readMoments(path: string): Float64Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

function startSender(url: string, source: string, args: readonly string[]): BenchClient {
  return sender((path) => new Program(process.execPath, [join(peers, source), url, path, ...args]));
}

function sender(start: (entriesPath: string) => Program): BenchClient {
  const { path, remove } = writeEntries();
  const program = start(path);
  return {
    pid: program.pid,
    stream: async (sendMs) => JSON.parse(await program.ask(String(sendMs))),
    stop: async () => {
      await program.stop();
      remove();
    },
  };
}

/** A file of what clients send. */
function writeEntries(): { readonly path: string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
  const path = join(folder, "entries");
  writeFileSync(path, Buffer.concat(Array.from({ length: entryCount }, (_, index) => encodedEntry(index))));
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}

function encodedEntry(index: number): Uint8Array {
  return sizeDelimitedEncode(LogEntrySchema, originalEntryAt(index));
}
