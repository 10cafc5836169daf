/**
 * The nine RPCs, as Connect sees them: each takes its messages to the path
 * that does the work, and its errors to the wire. No more than that is here.
 */
import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodClientStreaming,
  type DescMethodUnary,
  type MessageInitShape,
} from "@bufbuild/protobuf";
import { type Empty, EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ConnectError, ConnectRouter, HandlerContext } from "@connectrpc/connect";
import type { Engine } from "@logsvc/engine";
import {
  EncodedBatchSchema,
  type LogEntry,
  LogService,
  limits,
  TailLogsResponseSchema,
  type UploadLogsResponseSchema,
  type WriteLogsRequestSchema,
  WriteLogsResponseSchema,
} from "@logsvc/proto";
import type { FastifyBaseLogger } from "fastify";
import type { Ingest, IngestCall, ReceivedBatch } from "./ingest/ingest.ts";
import type { EncodedRun, EntryAnswer } from "./ingest/intake.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Queries } from "./query/query.ts";
import type { Counters } from "./stats/counters.ts";
import { watchStats } from "./stats/watch-stats.ts";
import type { SharedMatches } from "./tail/shared-matches.ts";
import { followEncoded, followLog } from "./tail/tail.ts";
import { encodeAnswers } from "./wire/answer-frames.ts";
import { answerFrame, batchesIn } from "./wire/batch-frames.ts";
import { producerIdHeader } from "./wire/browser-guard.ts";
import { toConnectError } from "./wire/connect-errors.ts";
import { respondDirectly } from "./wire/direct-responses.ts";
import { entriesOf } from "./wire/entry-frames.ts";
import { framedCallOf } from "./wire/framed.ts";

/** What the RPCs work with. */
export interface LogPaths {
  readonly engine: Engine;
  readonly lifecycle: Lifecycle;
  readonly counters: Counters;
  readonly ingest: Ingest;
  readonly queries: Queries;
  readonly matches: SharedMatches;
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
  const toAnswer = answerOf(paths);
  return (router) => {
    addWritingRoutes(router, paths, toAnswer);
    addReadingRoutes(router, paths, toAnswer);
  };
}

function answerOf({ logger }: LogPaths): ToAnswer {
  const onFault = (error: unknown): void => logger?.error({ err: error }, "an RPC failed unexpectedly");
  return (error) => toConnectError(error, onFault);
}

/** The RPCs whose entries stay encoded, for requests in binary. */
export function createEncodedRoutes(paths: LogPaths): (router: ConnectRouter) => void {
  const toAnswer = answerOf(paths);
  return (router) => {
    router.rpc(
      // Its messages are empty: they stand for runs, which pass beside Connect.
      { ...method.streamLogs, input: EmptySchema, output: EmptySchema },
      (messages, context) => mapErrors(answerRuns(messages, context, paths.ingest), toAnswer),
      { readMaxBytes: limits.entryBytesMax, acceptCompression: [] },
    );
    router.rpc(
      { ...method.shipLogs, input: EmptySchema, output: EmptySchema },
      (messages, context) => mapErrors(answerBatchRuns(messages, context, paths.ingest), toAnswer),
      { ...batches, acceptCompression: [] },
    );
    addBatchRoutes(router, paths, {
      toAnswer,
      shipLogs: { ...method.shipLogs, input: EncodedBatchSchema },
      writeLogs: { ...method.writeLogs, input: EncodedBatchSchema },
      uploadLogs: { ...method.uploadLogs, input: EncodedBatchSchema },
    });
    router.rpc(
      method.tailLogs,
      (request, context) => {
        const responses = followEncoded(request, context.signal, paths);
        return mapErrors(respondDirectly(TailLogsResponseSchema, responses, context), toAnswer);
      },
      requests,
    );
  };
}

function addWritingRoutes(router: ConnectRouter, paths: LogPaths, toAnswer: ToAnswer): void {
  router.rpc(
    method.streamLogs,
    (entries, context) =>
      mapErrors(flat(paths.ingest.answerEntries(oneByOne(entries), callOf(context))), toAnswer),
    { readMaxBytes: limits.entryBytesMax },
  );
  const { shipLogs, writeLogs, uploadLogs } = method;
  addBatchRoutes(router, paths, { toAnswer, shipLogs, writeLogs, uploadLogs });
}

/** The RPCs that take batches, whose entries are messages or bytes. */
interface BatchMethods<Batch extends DescMessage> {
  readonly toAnswer: ToAnswer;
  readonly shipLogs: DescMethodBiDiStreaming<Batch, typeof WriteLogsResponseSchema>;
  readonly writeLogs: DescMethodUnary<Batch, typeof WriteLogsResponseSchema>;
  readonly uploadLogs: DescMethodClientStreaming<Batch, typeof UploadLogsResponseSchema>;
}

function addBatchRoutes<Batch extends typeof WriteLogsRequestSchema | typeof EncodedBatchSchema>(
  router: ConnectRouter,
  { ingest }: LogPaths,
  { toAnswer, shipLogs, writeLogs, uploadLogs }: BatchMethods<Batch>,
): void {
  const rethrow = rethrowAs(toAnswer);
  router.rpc(
    shipLogs,
    (messages, context) => mapErrors(ingest.answerBatches(messages, callOf(context)), toAnswer),
    batches,
  );
  router.rpc(
    writeLogs,
    (request, context) => ingest.writeBatch(request, callOf(context)).catch(rethrow),
    batches,
  );
  router.rpc(
    uploadLogs,
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

async function* answerRuns(
  messages: AsyncIterable<Empty>,
  context: HandlerContext,
  ingest: Ingest,
): AsyncGenerator<MessageInitShape<typeof EmptySchema>, void, undefined> {
  const call = framedCallOf(context);
  for await (const answers of ingest.answerRuns(entriesOfEach(call.runs(messages)), callOf(context))) {
    call.answer(encodeAnswers(answers));
    yield {};
  }
}

async function* answerBatchRuns(
  messages: AsyncIterable<Empty>,
  context: HandlerContext,
  ingest: Ingest,
): AsyncGenerator<MessageInitShape<typeof EmptySchema>, void, undefined> {
  const call = framedCallOf(context);
  for await (const answer of ingest.answerBatches(batchesOfEach(call.runs(messages)), callOf(context))) {
    call.answer(answerFrame(create(WriteLogsResponseSchema, answer)));
    yield {};
  }
}

async function* batchesOfEach(
  runs: AsyncIterable<Uint8Array>,
): AsyncGenerator<ReceivedBatch, void, undefined> {
  for await (const frames of runs) yield* batchesIn(frames);
}

async function* entriesOfEach(runs: AsyncIterable<Uint8Array>): AsyncGenerator<EncodedRun, void, undefined> {
  for await (const frames of runs) yield entriesOf(frames);
}

async function* oneByOne(
  entries: AsyncIterable<LogEntry>,
): AsyncGenerator<readonly LogEntry[], void, undefined> {
  for await (const entry of entries) yield [entry];
}
