/**
 * StreamLogs, an answer an entry: our server, durable and with an engine that
 * stores nothing, beside servers that store nothing. Once with the original
 * contract's Go client for all, once with each server's own kind of client.
 */
import type { BenchCase, Contestant } from "../bench-case.ts";
import { type ClientKind, startClient } from "../clients.ts";
import { goMissing } from "../go-peer.ts";
import { measureSending, sendingColumns, sendingCosts } from "../measure-sending.ts";
import {
  type BenchServer,
  startConnectServer,
  startGoServer,
  startGrpcServer,
  startLogsvc,
  startNullServer,
} from "../servers.ts";

export const streamLogsGo: BenchCase = {
  name: "stream-logs-go",
  title:
    "StreamLogs with the original contract's Go client (grpc-go): entries of about 100 bytes, one a message, an answer each. " +
    `Of the servers only ours stores them: on disk before the answer. ${sendingCosts}`,
  columns: sendingColumns,
  compared: { column: "entries/s", better: "more" },
  open: async (options) => {
    const missing = await goMissing();
    if (missing !== undefined) return [{ name: "the Go client, so every row", leftOut: missing }];
    return [
      await openPair("logsvc, durable", await startLogsvc(options), "go"),
      await openPair("logsvc with an engine that stores nothing", await startNullServer(options), "go"),
      await openPair("the original contract's server on grpc-go", await startGoServer(), "go"),
      await openPair("grpc-js", await startGrpcServer(), "go"),
      await openPair("a plain Connect handler", await startConnectServer(), "go"),
    ];
  },
};

export const streamLogsNode: BenchCase = {
  name: "stream-logs-node",
  title:
    "StreamLogs with clients on Node: entries of about 100 bytes, an answer each; ours is given a thousand entries at a time (`writeAll`) " +
    "where nothing else is said. " +
    `Of the servers only ours stores them: on disk before the answer. ${sendingCosts}`,
  columns: sendingColumns,
  compared: { column: "entries/s", better: "more" },
  open: async (options) => [
    await openPair("our client → logsvc, durable", await startLogsvc(options), "logsvc"),
    await openPair(
      "our client → logsvc with an engine that stores nothing",
      await startNullServer(options),
      "logsvc",
    ),
    await openPair(
      "our client, a promise an entry → logsvc, durable",
      await startLogsvc(options),
      "logsvc-each",
    ),
    await openPair("grpc-js → logsvc, durable", await startLogsvc(options), "grpc"),
    await openPair("grpc-js → grpc-js", await startGrpcServer(), "grpc"),
    await openPair("Connect → a plain Connect handler", await startConnectServer(), "connect"),
  ],
};

async function openPair(name: string, server: BenchServer, kind: ClientKind): Promise<Contestant> {
  const client = await startClient(kind, server.url);
  return {
    name,
    run: () => measureSending(server, client),
    close: async () => {
      await client.stop();
      await server.stop();
    },
  };
}
