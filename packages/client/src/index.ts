export { Code, ConnectError } from "@connectrpc/connect";
export {
  type CountLogsResponse,
  type CountSeries,
  type EntryJson,
  entryToJson,
  type FilterError,
  formatTimestamp,
  type IngestStats,
  type ListValuesResponse,
  type LogEntry,
  type LogResponse,
  limits,
  type QueryStats,
  type Rejection,
  type StorageStats,
  type StoredEntry,
  type TailStats,
  type UploadLogsResponse,
  type ValueCount,
  type WatchStatsResponse,
  type WriteLogsResponse,
} from "@logsvc/proto";
export type { TokenSource } from "./bearer-token.ts";
export {
  type AroundOptions,
  type CountOptions,
  createLogClient,
  type LogCallOptions,
  type LogClient,
  type LogClientOptions,
  type LogRpc,
  type ValuesOptions,
  type WatchStatsOptions,
  type WriteOptions,
} from "./log-client.ts";
export type { LogEntryInit, LogTime } from "./log-entry-init.ts";
export type { Query, QueryOptions, QueryProgress, Selection } from "./query.ts";
export type { RangeEvent, RangeOptions } from "./range.ts";
export { filterErrorOf, isRetryable, retryDelayMs } from "./retryable.ts";
export type { Tail, TailEvent, TailOptions, TailState } from "./tail.ts";
export type { BatchOrigin, WriteBatch } from "./write-batch.ts";

// Names above are for everybody. Names below are for the packages that build
// on this one.

export {
  EntryEncoder,
  FrameGatherer,
  frameHeaderBytes,
  LogService,
  messageLengthAt,
  PassingRuns,
  type WriteLogsRequest,
  WriteLogsRequestSchema,
  WriteLogsResponseSchema,
  writeFrameHeader,
} from "@logsvc/proto";
export { backoffMs } from "./backoff.ts";
export { bearerToken } from "./bearer-token.ts";
export { cancellable } from "./cancellable.ts";
export { type Clock, systemClock } from "./clock.ts";
export type { ConnectionGate, ConnectionPass, ConnectionWish } from "./connection-gate.ts";
export {
  decodeItem,
  type EncodedEntries,
  type EntryDefaults,
  encodedRequest,
  encodeEntries,
  encodeFrame,
  encodeItem,
  itemEnds,
} from "./entry-encoding.ts";
export { callOptions } from "./log-client.ts";
export { toLogEntry, toWireTime } from "./log-entry-init.ts";
export { decodeAnswers, decodeEntries, encodeAnswer, parseAnswer } from "./stream-frames.ts";
export { checkOrigin, toEncodedRequest, toWriteRequest } from "./write-batch.ts";
