/** What a tail costs that has nothing to read, and whether heartbeats come in time for all. */
import { setTimeout as pause } from "node:timers/promises";
import { limits } from "@logsvc/proto";
import type { BenchCase, Figures } from "../bench-case.ts";
import { startTails } from "../clients.ts";
import { coresOf, residentBytesOf, settle, usageOf } from "../program.ts";
import { startLogsvc } from "../servers.ts";

const tailCount = 10_000;
const connections = 25;
const heartbeatsToSee = 3;

export const idleTails: BenchCase = {
  name: "idle-tails",
  title:
    `${tailCount.toLocaleString("en").replace(",", " ")} idle tails over ${connections} connections, with heartbeats every ` +
    `${limits.heartbeatIntervalMs / 1000} s: the server's resident memory for each, and how late heartbeats come, over all of them.`,
  columns: [
    "KB a tail",
    "resident, MB",
    "heartbeats",
    "late p99, ms",
    "late at most, ms",
    "server cores",
    "client cores",
  ],
  rounds: 1,
  warmUp: false,
  onlyByName: true,
  open: async (options) => {
    const server = await startLogsvc(options);
    const tails = startTails(server.url, "frames");
    const run = async (): Promise<Figures> => {
      await settle(server.pid);
      const before = residentBytesOf(server.pid);
      await tails.obey({ order: "open", tails: tailCount, connections, filters: ["level:>=error"] });
      await tails.obey({ order: "heartbeats", intervalMs: limits.heartbeatIntervalMs });
      const usageBefore = { server: usageOf(server.pid), tails: usageOf(tails.pid) };
      const waitMs = (heartbeatsToSee + 0.5) * limits.heartbeatIntervalMs;
      await pause(waitMs);
      const cores = {
        server: coresOf(usageBefore.server, usageOf(server.pid), waitMs),
        client: coresOf(usageBefore.tails, usageOf(tails.pid), waitMs),
      };
      const report = await tails.obey({ order: "heartbeats", intervalMs: limits.heartbeatIntervalMs });
      const resident = residentBytesOf(server.pid);
      return {
        "KB a tail": (resident - before) / tailCount / 1000,
        "resident, MB": resident / 1e6,
        heartbeats: report.heartbeats,
        "late p99, ms": report.p99LateMs,
        "late at most, ms": report.maxLateMs,
        "server cores": cores.server,
        "client cores": cores.client,
      };
    };
    const close = async () => {
      await tails.stop();
      await server.stop();
    };
    return [{ name: "logsvc, durable", run, close }];
  },
};
