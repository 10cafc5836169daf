/**
 * The nine RPCs, as Connect sees them: each takes its messages to the path
 * that does the work, and its errors to the wire. No more than that is here.
 */
import type { ConnectError, ConnectRouter, HandlerContext } from "@connectrpc/connect";
import type { Engine } from "@logsvc/engine";
import { type LogEntry, LogService, limits } from "@logsvc/proto";
import type { FastifyBaseLogger } from "fastify";
import type { Ingest, IngestCall } from "./ingest/ingest.ts";
import type { EntryAnswer } from "./ingest/intake.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Queries } from "./query/query.ts";
import type { Counters } from "./stats/counters.ts";
import { watchStats } from "./stats/watch-stats.ts";
import { followLog } from "./tail/tail.ts";
import { producerIdHeader } from "./wire/browser-guard.ts";
import { toConnectError } from "./wire/connect-errors.ts";

/** What the RPCs work with. */
export interface LogPaths {
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly counters: Counters;
  readonly ingest: Ingest;
  readonly queries: Queries;
  readonly version: string;
  readonly heartbeatIntervalMs: number;
  readonly logger: FastifyBaseLogger | undefined;
}

/** Filters, cursors and ids: no request but a batch is longer. */
const requestBytesMax = 64 * 1024;

/** Any error as the one to answer with. */
type ToAnswer = (error: unknown) => ConnectError;

const { method } = LogService;
const batches = { readMaxBytes: limits.batchBytesMax };
const requests = { readMaxBytes: requestBytesMax };

/** The service's routes, to be mounted on a server or on an in-memory transport. */
export function createLogRoutes(paths: LogPaths): (router: ConnectRouter) => void {
  const onFault = (error: unknown): void => paths.logger?.error({ err: error }, "an RPC failed unexpectedly");
  const toAnswer: ToAnswer = (error) => toConnectError(error, onFault);
  return (router) => {
    addWritingRoutes(router, paths, toAnswer);
    addReadingRoutes(router, paths, toAnswer);
  };
}

function addWritingRoutes(router: ConnectRouter, { ingest }: LogPaths, toAnswer: ToAnswer): void {
  const rethrow = rethrowAs(toAnswer);
  router.rpc(
    method.streamLogs,
    (entries, context) => mapErrors(flat(ingest.answerEntries(oneByOne(entries), callOf(context))), toAnswer),
    { readMaxBytes: limits.entryBytesMax },
  );
  router.rpc(
    method.shipLogs,
    (messages, context) => mapErrors(ingest.answerBatches(messages, callOf(context)), toAnswer),
    batches,
  );
  router.rpc(
    method.writeLogs,
    (request, context) => ingest.writeBatch(request, callOf(context)).catch(rethrow),
    batches,
  );
  router.rpc(
    method.uploadLogs,
    async (messages, context) => {
      const summary = await ingest.upload(messages, callOf(context)).catch(rethrow);
      return {
        ...summary,
        accepted: BigInt(summary.accepted),
        duplicates: BigInt(summary.duplicates),
        rejected: BigInt(summary.rejected),
      };
    },
    batches,
  );
}

function addReadingRoutes(router: ConnectRouter, paths: LogPaths, toAnswer: ToAnswer): void {
  const { ingest, queries } = paths;
  const rethrow = rethrowAs(toAnswer);
  const statsOptions = { ...paths, inFlightBytes: () => ingest.inFlightBytes };
  router.rpc(
    method.tailLogs,
    (request, { signal }) => mapErrors(followLog(request, signal, paths), toAnswer),
    requests,
  );
  router.rpc(
    method.queryLogs,
    (request, { signal }) => mapErrors(queries.search(request, signal), toAnswer),
    requests,
  );
  router.rpc(
    method.countLogs,
    (request, { signal }) => queries.count(request, signal).catch(rethrow),
    requests,
  );
  router.rpc(
    method.listValues,
    (request, { signal }) => queries.values(request, signal).catch(rethrow),
    requests,
  );
  router.rpc(
    method.watchStats,
    (request, { signal }) => mapErrors(watchStats(request, signal, statsOptions), toAnswer),
    requests,
  );
}

function callOf({ requestHeader, signal }: HandlerContext): IngestCall {
  return { producerId: requestHeader.get(producerIdHeader) ?? "", signal };
}

function rethrowAs(toAnswer: ToAnswer): (error: unknown) => never {
  return (error) => {
    throw toAnswer(error);
  };
}

async function* mapErrors<T>(
  responses: AsyncIterable<T>,
  toAnswer: ToAnswer,
): AsyncGenerator<T, void, undefined> {
  try {
    yield* responses;
  } catch (error) {
    throw toAnswer(error);
  }
}

async function* flat(answers: AsyncIterable<EntryAnswer[]>): AsyncGenerator<EntryAnswer, void, undefined> {
  for await (const some of answers) yield* some;
}

async function* oneByOne(
  entries: AsyncIterable<LogEntry>,
): AsyncGenerator<readonly LogEntry[], void, undefined> {
  for await (const entry of entries) yield [entry];
}
