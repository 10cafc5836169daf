/** ShipLogs and WriteLogs by batch size, beside StreamLogs, with our Node client. */
import type { BenchCase, Contestant } from "../bench-case.ts";
import { type BenchClient, startBatchClient, startClient } from "../clients.ts";
import { measureSending, sendingColumns, sendingCosts } from "../measure-sending.ts";
import { startLogsvc } from "../servers.ts";

const batchSizes = [1, 10, 100, 1_000, 10_000];

export const shipLogs: BenchCase = batchCase(
  "ship-logs",
  "ship",
  `ShipLogs by batch size, 16 batches in flight, with our Node client; each answer after its batch is on disk. ${sendingCosts}`,
);

export const writeLogs: BenchCase = batchCase(
  "write-logs",
  "write",
  `WriteLogs by batch size, 16 calls at a time, with our Node client; each answer after its batch is on disk. ${sendingCosts}`,
);

function batchCase(name: string, method: "ship" | "write", title: string): BenchCase {
  return {
    name,
    title,
    columns: sendingColumns,
    compared: { column: "entries/s", better: "more", each: "times StreamLogs" },
    rounds: 3,
    open: async (options) => {
      const server = await startLogsvc(options);
      const contestant = (row: string, client: BenchClient, afterLast?: () => Promise<void>): Contestant => ({
        name: row,
        run: () => measureSending(server, client),
        close: async () => {
          await client.stop();
          await afterLast?.();
        },
      });
      const stream = contestant("StreamLogs, an answer an entry", await startClient("logsvc", server.url));
      const batches = batchSizes.map((size, index) =>
        contestant(
          `batches of ${size}`,
          startBatchClient(server.url, method, size),
          // All share one server, so it ends with the last of them.
          index === batchSizes.length - 1 ? () => server.stop() : undefined,
        ),
      );
      return [stream, ...batches];
    },
  };
}
