/**
 * What the main thread asks of its scan workers, and what they answer. Like
 * thread-messages.ts: plain objects.
 */
import type {
  BacklogRequest,
  CountRequest,
  FieldValues,
  Histogram,
  QueryProgress,
  QueryRequest,
  ValuesRequest,
} from "../engine.ts";
import type { EntryChunk } from "../scan/entry-chunk.ts";
import type { BlockImage } from "./block-image.ts";
import type { StoredTotals } from "./block-reader.ts";
import type { PagePosition } from "./positions.ts";
import type { Fault } from "./thread-messages.ts";

/** How a scan worker is told what to open, as its `workerData`. */
export interface ScannerSettings {
  readonly folder: string;
}

/** The jobs by name: what each is given, and what it results in. */
export interface ScanJobs {
  /** The block that holds an offset. */
  load: { request: { readonly offset: number }; result: BlockImage | undefined };
  totals: { request: Record<never, never>; result: StoredTotals };
  /** The offset of the first entry of this time or later. */
  first_since: { request: { readonly time: bigint; readonly watermark: number }; result: number | undefined };
  /** An entry and its neighbours, oldest first. */
  around: {
    request: { readonly offset: number; readonly before: number; readonly after: number } & AtWatermark;
    /** Undefined when the entry is no longer there. */
    result: EntryChunk | undefined;
  };
  /** Answers in steps: the newest matching entries come first, in chunks that are each oldest first. */
  backlog: { request: BacklogRequest & AtWatermark; result: undefined };
  /** Answers in steps. */
  query: {
    request: Omit<QueryRequest, "pageToken"> & AtWatermark & { readonly after: PagePosition | undefined };
    result: undefined;
  };
  count: { request: CountRequest & AtWatermark; result: Histogram };
  values: { request: ValuesRequest & AtWatermark; result: FieldValues };
}

/** Entries behind the watermark are not looked at. */
export interface AtWatermark {
  readonly watermark: number;
}

/** Part of a job's answer. */
export interface ScanStep {
  readonly entries?: EntryChunk;
  readonly progress?: ScanProgress;
}

/** How far a query is; positions are still offsets. */
export interface ScanProgress extends Omit<QueryProgress, "nextPageToken"> {
  /** Where the next page begins, when that is known. */
  readonly next: PagePosition | undefined;
}

/** A job, by its name. */
export type ScanJob = {
  [K in keyof ScanJobs]: { readonly kind: K } & ScanJobs[K]["request"];
}[keyof ScanJobs];

/** A job that goes through many blocks, in turns with others. */
export type SearchJob = Exclude<ScanJob, { readonly kind: "load" | "totals" }>;

/** From the main thread to a scan worker. */
export type ScannerRequest =
  | {
      readonly kind: "run";
      /** Tells the jobs of a worker apart. */
      readonly id: number;
      readonly job: ScanJob;
      /** An Int32 that becomes 1 when the job is no longer wanted. */
      readonly cancelled: SharedArrayBuffer;
    }
  /** The last message, when all jobs are cancelled. */
  | { readonly kind: "close" };

/** From a scan worker to the main thread. */
export type ScannerReply =
  | { readonly kind: "step"; readonly id: number; readonly step: ScanStep }
  | { readonly kind: "done"; readonly id: number; readonly result: ScanJobs[keyof ScanJobs]["result"] }
  | { readonly kind: "failed"; readonly id: number; readonly fault: Fault };
