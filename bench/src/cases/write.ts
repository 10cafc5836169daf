/**
 * Writing over the wire, from one Node client in another process than the
 * server: entries acknowledged, so on disk, a second.
 */
import { performance } from "node:perf_hooks";
import { createNodeClient, type NodeLogClient } from "@logsvc/client-node";
import type { LogEntry } from "@logsvc/proto";
import type { BenchCase, Contestant } from "../bench-case.ts";
import { entryAt } from "../entries.ts";
import { startServer } from "../start-server.ts";

const batchEntries = 1_000;

export const write: BenchCase = {
  name: "write",
  title: "Entries of about 110 bytes, each on disk before its answer, from one Node client.",
  unit: "entries/s",
  better: "more",
  open: async () => [
    await openWriter("StreamLogs, an answer an entry", 20_000, streamEntries),
    await openWriter(`ShipLogs, batches of ${batchEntries}`, 200_000, shipBatches),
    await openWriter(`WriteLogs, batches of ${batchEntries}`, 100_000, writeBatches),
  ],
};

type Writer = (client: NodeLogClient, entries: readonly LogEntry[]) => Promise<void>;

async function openWriter(name: string, count: number, writer: Writer): Promise<Contestant> {
  const server = await startServer();
  const client = createNodeClient({ url: server.url });
  const entries = Array.from({ length: count }, (_, index) => entryAt(index));
  return {
    name,
    run: async () => {
      const start = performance.now();
      await writer(client, entries);
      return count / ((performance.now() - start) / 1000);
    },
    close: async () => {
      client.close();
      await server.stop();
    },
  };
}

const streamEntries: Writer = async (client, entries) => {
  const stream = client.stream();
  const answers: Promise<unknown>[] = [];
  for (const entry of entries) {
    await stream.ready();
    answers.push(stream.write(entry));
  }
  await Promise.all(answers);
  await stream.end();
};

const shipBatches: Writer = async (client, entries) => {
  let accepted = 0;
  for await (const response of client.ship(batchesOf(entries))) accepted += response.accepted;
  if (accepted !== entries.length) throw new Error(`${accepted} of ${entries.length} accepted`);
};

const writeBatches: Writer = async (client, entries) => {
  for (const { entries: batch } of batchesOf(entries)) {
    const response = await client.write(batch);
    if (response.accepted !== batch.length)
      throw new Error(`${response.accepted} of ${batch.length} accepted`);
  }
};

function* batchesOf(entries: readonly LogEntry[]): Generator<{ entries: LogEntry[] }> {
  for (let index = 0; index < entries.length; index += batchEntries) {
    yield { entries: entries.slice(index, index + batchEntries) };
  }
}
