/** From starting the process to its first answer, and what it holds when it then has nothing to do. */
import { performance } from "node:perf_hooks";
import { createNodeClient } from "@logsvc/client-node";
import type { BenchCase, Contestant } from "../bench-case.ts";
import { originalEntryAt } from "../entries.ts";
import { residentBytesOf, settle } from "../program.ts";
import { type BenchServer, startConnectServer, startLogsvc } from "../servers.ts";

export const start: BenchCase = {
  name: "start",
  title:
    "From starting the process to the first answer on StreamLogs, and the resident memory once it is idle. " +
    "Ours opens a new log, and its answer is on disk; the plain Connect handler is what Node and Connect take alone.",
  columns: ["first answer, ms", "idle, MB"],
  compared: { column: "first answer, ms", better: "less", each: "ours takes" },
  open: async (options) => [
    contestant("logsvc serve", () => startLogsvc(options)),
    contestant("a plain Connect handler", startConnectServer),
  ],
};

function contestant(name: string, startServer: () => Promise<BenchServer>): Contestant {
  return {
    name,
    run: async () => {
      const begin = performance.now();
      const server = await startServer();
      const client = createNodeClient({ url: server.url });
      const stream = client.stream();
      const { accepted, reason } = await stream.write(originalEntryAt(0));
      const firstAnswerMs = performance.now() - begin;
      if (!accepted) throw new Error(reason);
      await stream.end();
      client.close();
      await settle(server.pid);
      const idleBytes = residentBytesOf(server.pid);
      await server.stop();
      return { "first answer, ms": firstAnswerMs, "idle, MB": idleBytes / 1e6 };
    },
  };
}
