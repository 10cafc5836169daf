/** How a client that sends to a server is measured: entries a second, and what each cost both of them. */
import type { Figures } from "./bench-case.ts";
import type { BenchClient } from "./clients.ts";
import { settle, usageOf } from "./program.ts";
import type { BenchServer } from "./servers.ts";

/** The figures of `measureSending`. */
export const sendingColumns = [
  "entries/s",
  "server µs/entry",
  "of it main thread",
  "client µs/entry",
  "afterwork, s",
] as const;

/** What the figures mean, for a case's title. */
export const sendingCosts =
  "µs/entry: processor time of all threads of that process, what it does afterwards included; " +
  "afterwork: how long the server still works after the last answer, such as merging blocks.";

/** How long a client sends in a round; the time until the last answer counts too. */
const sendMs = 3_000;

/** Lets a client send for a second. */
export async function measureSending(server: BenchServer, client: BenchClient): Promise<Figures> {
  const before = { server: usageOf(server.pid), client: usageOf(client.pid) };
  const { answered, accepted, ms } = await client.stream(sendMs);
  if (accepted === 0 || accepted !== answered) throw new Error(`${accepted} of ${answered} accepted`);
  const afterworkMs = await settle(server.pid);
  const after = { server: usageOf(server.pid), client: usageOf(client.pid) };
  const perEntry = (
    column: (typeof sendingColumns)[number],
    startMs: number | undefined,
    endMs: number | undefined,
  ): Figures =>
    startMs === undefined || endMs === undefined ? {} : { [column]: ((endMs - startMs) * 1000) / answered };
  return {
    "entries/s": answered / (ms / 1000),
    ...perEntry("server µs/entry", before.server?.cpuMs, after.server?.cpuMs),
    ...perEntry("of it main thread", before.server?.mainCpuMs, after.server?.mainCpuMs),
    ...perEntry("client µs/entry", before.client?.cpuMs, after.client?.cpuMs),
    "afterwork, s": afterworkMs / 1000,
  };
}
