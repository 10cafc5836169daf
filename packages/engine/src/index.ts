export type {
  AppendResult,
  AroundRequest,
  Backlog,
  BacklogRequest,
  Block,
  CallOptions,
  CountRequest,
  Engine,
  EngineStats,
  FieldValues,
  Histogram,
  HistogramSeries,
  QueryProgress,
  QueryRequest,
  QueryStep,
  ReadEvent,
  ReadOptions,
  Selection,
  ValuesRequest,
} from "./engine.ts";
export { idBytesMax } from "./engine.ts";
export { EngineError, type EngineErrorCode } from "./engine-error.ts";
export { type EntryBatch, EntryBatchBuilder, type EntryMarks } from "./entry-batch.ts";
export { entryBytesAt } from "./entry-bytes.ts";
export { openSqliteEngine, type SqliteEngineOptions } from "./sqlite/sqlite-engine.ts";
