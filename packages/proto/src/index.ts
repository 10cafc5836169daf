export { type EncodableEntry, EntryEncoder } from "./entry-encoder.ts";
export { entryFieldNames } from "./entry-fields.ts";
export { type EntryJson, entryToJson, formatTimestamp } from "./entry-json.ts";
export {
  FrameGatherer,
  type FrameGathererOptions,
  type GatheredFrames,
  gatheringBytes,
} from "./frame-gatherer.ts";
export {
  compressedFlag,
  frameHeaderBytes,
  frameOf,
  messageLengthAt,
  PassingRuns,
  writeFrameHeader,
} from "./frames.ts";
export {
  type RetryInfo,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.ts";
export {
  type LogEntry,
  LogEntrySchema,
  type LogResponse,
  LogResponseSchema,
  type StoredEntry,
  StoredEntrySchema,
} from "./gen/logsvc/entry_pb.ts";
export { type FilterError, FilterErrorSchema } from "./gen/logsvc/errors_pb.ts";
export {
  type Rejection,
  RejectionSchema,
  type UploadLogsResponse,
  UploadLogsResponseSchema,
  type WriteLogsRequest,
  WriteLogsRequestSchema,
  type WriteLogsResponse,
  WriteLogsResponseSchema,
} from "./gen/logsvc/ingest_pb.ts";
export {
  type EncodedBatch,
  EncodedBatchSchema,
} from "./gen/logsvc/internal/encoded_pb.ts";
export {
  type CountLogsRequest,
  CountLogsRequestSchema,
  type CountLogsResponse,
  CountLogsResponseSchema,
  type CountSeries,
  CountSeriesSchema,
  type ListValuesRequest,
  ListValuesRequestSchema,
  type ListValuesResponse,
  ListValuesResponseSchema,
  Order,
  type QueryLogsRequest,
  QueryLogsRequestSchema,
  type QueryLogsResponse,
  QueryLogsResponseSchema,
  type QueryProgress,
  QueryProgressSchema,
  type ValueCount,
  ValueCountSchema,
} from "./gen/logsvc/query_pb.ts";
export { LogService } from "./gen/logsvc/service_pb.ts";
export {
  type IngestStats,
  IngestStatsSchema,
  type QueryStats,
  QueryStatsSchema,
  type StorageStats,
  StorageStatsSchema,
  type TailStats,
  TailStatsSchema,
  type WatchStatsRequest,
  WatchStatsRequestSchema,
  type WatchStatsResponse,
  WatchStatsResponseSchema,
} from "./gen/logsvc/stats_pb.ts";
export {
  type TailGap,
  TailGapSchema,
  type TailHeartbeat,
  TailHeartbeatSchema,
  type TailLogsRequest,
  TailLogsRequestSchema,
  type TailLogsResponse,
  TailLogsResponseSchema,
  type TailOpened,
  TailOpenedSchema,
} from "./gen/logsvc/tail_pb.ts";
export { limits } from "./limits.ts";
export { type LevelName, levelNames, normalizeLevel, severities, severityOf } from "./severity.ts";
export { SpareBuffers } from "./spare-buffers.ts";
export { timestampMax, toNanoseconds } from "./timestamp.ts";
