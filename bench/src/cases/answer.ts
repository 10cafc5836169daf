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
import { type BenchCase, type Contestant, median } from "../bench-case.ts";
import { entryAt } from "../entries.ts";
import { startServer } from "../start-server.ts";

const answers = 200;

export const answer: BenchCase = {
  name: "answer",
  title: "A lonely entry: from writing it to its answer, on disk; the median.",
  unit: "ms",
  better: "less",
  open: async () => [await openStream(), openDisk()],
};

async function openStream(): Promise<Contestant> {
  const server = await startServer();
  const client = createNodeClient({ url: server.url });
  return {
    name: "logsvc, StreamLogs",
    run: async () => {
      const stream = client.stream();
      const times: number[] = [];
      for (let n = 0; n < answers; n++) {
        const start = performance.now();
        const response = await stream.write(entryAt(n));
        times.push(performance.now() - start);
        if (!response.accepted) throw new Error(response.reason);
      }
      await stream.end();
      return median(times);
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
  const bytes = toBinary(LogEntrySchema, entryAt(0));
  return {
    name: "the disk: write and fdatasync",
    run: async () => {
      const times: number[] = [];
      for (let n = 0; n < answers; n++) {
        const start = performance.now();
        writeSync(file, bytes);
        fdatasyncSync(file);
        times.push(performance.now() - start);
      }
      return median(times);
    },
    close: async () => {
      closeSync(file);
      rmSync(path, { recursive: true });
    },
  };
}
