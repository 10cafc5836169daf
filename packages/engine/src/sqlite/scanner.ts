/** A scan worker: runs one job after another on a read-only connection. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { chunkBuffers } from "../scan/entry-chunk.ts";
import { BlockReader } from "./block-reader.ts";
import type { ScanContext } from "./block-scan.ts";
import { logFilePath, openLogFileForReading, storageError } from "./log-file.ts";
import type {
  ScanJob,
  ScanJobs,
  ScannerReply,
  ScannerRequest,
  ScannerSettings,
  ScanStep,
} from "./scan-jobs.ts";
import { toFault } from "./thread-messages.ts";

/** Thrown out of a job that is no longer wanted. Whoever wanted it has had its answer. */
class Cancelled extends Error {
  override readonly name = "Cancelled";
}

async function run(job: ScanJob, context: ScanContext): Promise<ScanJobs[keyof ScanJobs]["result"]> {
  // The first two need neither filters nor protobuf, whose loading takes longer than these jobs.
  if (job.kind === "load") return context.reader.blockAt(job.offset);
  if (job.kind === "totals") return context.reader.totals();
  const scan = await import("./block-scan.ts");
  switch (job.kind) {
    case "first_since":
      return scan.firstSince(job, context);
    case "around":
      return scan.around(job, context);
    case "backlog":
      return void scan.backlog(job, context);
    case "query":
      return void scan.query(job, context);
    case "count":
      return scan.count(job, context);
    case "values":
      return scan.values(job, context);
  }
}

function start(port: MessagePort, { folder }: ScannerSettings): void {
  const reader = new BlockReader(openLogFileForReading(folder));
  const reply = (message: ScannerReply, transfer: ArrayBufferLike[] = []) =>
    port.postMessage(
      message,
      transfer.filter((buffer) => buffer instanceof ArrayBuffer),
    );
  const step = (part: ScanStep) =>
    reply({ kind: "step", step: part }, part.entries === undefined ? [] : chunkBuffers(part.entries));

  const answer = async (job: ScanJob, cancelled: Int32Array) => {
    const checkWanted = () => {
      if (Atomics.load(cancelled, 0) === 1) throw new Cancelled("no longer wanted");
    };
    try {
      const result = await run(job, { reader, checkWanted, step });
      const isBlock = typeof result === "object" && "buffer" in result;
      reply({ kind: "done", result }, isBlock ? [result.buffer] : []);
    } catch (error) {
      reply({ kind: "failed", fault: toFault(faultOf(error, folder)) });
    }
  };

  // A job at a time: the next request is `close` at the earliest, which waits for it.
  let running = Promise.resolve();
  port.on("message", (request: ScannerRequest) => {
    if (request.kind === "run") {
      running = answer(request.job, new Int32Array(request.cancelled));
      return;
    }
    void running.then(() => {
      reader.close();
      port.close();
    });
  });
}

/** What SQLite reports is the storage's fault; any other error is ours. */
function faultOf(error: unknown, folder: string): unknown {
  const isSqlite = error instanceof Error && "errcode" in error;
  return isSqlite ? storageError(error, logFilePath(folder)) : error;
}

if (parentPort !== null) start(parentPort, workerData);
