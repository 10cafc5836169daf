/**
 * How long a lonely entry waits for its answer, beside what the disk itself
 * takes for a write and an fdatasync.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { toBinary } from "@bufbuild/protobuf";
import { createNodeClient } from "@logsvc/client-node";
import { LogEntrySchema } from "@logsvc/proto";
import { type BenchCase, type BenchOptions, type Contestant, type Figures, quantile } from "../bench-case.ts";
import { entryAt } from "../entries.ts";
import { startLogsvc } from "../servers.ts";

const entryCount = 1_000;

export const answer: BenchCase = {
  name: "answer",
  title:
    `A lonely entry on StreamLogs, ${entryCount} one after the other: from writing it to its answer, on disk. ` +
    "Beside it the same bytes written to a file on the same disk, each with an fdatasync.",
  columns: ["p50, ms", "p99, ms"],
  compared: { column: "p50, ms", better: "less", each: "ours takes" },
  open: async (options) => [await openStream(options), openDisk()],
};

async function openStream(options: BenchOptions): Promise<Contestant> {
  const server = await startLogsvc(options);
  const client = createNodeClient({ url: server.url });
  return {
    name: "logsvc, StreamLogs",
    run: async () => {
      const stream = client.stream();
      const times: number[] = [];
      for (let n = 0; n < entryCount; n++) {
        const start = performance.now();
        const response = await stream.write(entryAt(n));
        times.push(performance.now() - start);
        if (!response.accepted) throw new Error(response.reason);
      }
      await stream.end();
      return figuresOf(times);
    },
    close: async () => {
      client.close();
      await server.stop();
    },
  };
}

function openDisk(): Contestant {
  const path = mkdtempSync(join(tmpdir(), "logsvc-bench-"));
  const file = openSync(join(path, "file"), "w");
  return {
    name: "the disk: write and fdatasync",
    run: async () => {
      const times: number[] = [];
      for (let n = 0; n < entryCount; n++) {
        const bytes = toBinary(LogEntrySchema, entryAt(n));
        const start = performance.now();
        writeSync(file, bytes);
        fdatasyncSync(file);
        times.push(performance.now() - start);
      }
      return figuresOf(times);
    },
    close: async () => {
      closeSync(file);
      rmSync(path, { recursive: true });
    },
  };
}

function figuresOf(times: readonly number[]): Figures {
  return { "p50, ms": quantile(times, 0.5), "p99, ms": quantile(times, 0.99) };
}
