/**
 * What the main thread and its workers say to each other. Everything here is
 * copied or transferred between threads: plain objects, no methods.
 */
import type { MessagePort } from "node:worker_threads";
import type { EngineErrorCode } from "../engine-error.ts";
import { EngineError } from "../engine-error.ts";
import type { EntryBatch } from "../entry-batch.ts";
import type { BlockImage } from "./block-image.ts";
import type { PackedBlock } from "./packed-block.ts";

/** How a worker is told what to open, as its `workerData`. */
export interface WriterSettings {
  readonly folder: string;
  readonly retentionAgeMs: number | undefined;
  readonly retentionBytes: number | undefined;
  readonly retentionIntervalMs: number;
  readonly producerIdleMs: number;
  readonly fileBytesMax: number | undefined;
  /** Of a joined block, see merge-plan.ts. */
  readonly mergedWeightMax: number | undefined;
  /** See head-demand.ts. */
  readonly headDemand: SharedArrayBuffer;
}

/** From the main thread to the writer. */
export type WriterRequest =
  | { readonly kind: "append"; readonly ticket: number; readonly batch: EntryBatch }
  /** Whoever appends for these producers has heard that something was not stored: what follows was sent knowing it. */
  | { readonly kind: "failure_heard"; readonly producers: readonly string[] }
  /** The last message: everything before it is made durable, then the writer ends. */
  | { readonly kind: "close" };

/** From the writer to the main thread. */
export type WriterReply =
  | {
      readonly kind: "ready";
      readonly identity: string;
      readonly oldestOffset: number;
      readonly nextOffset: number;
    }
  /** The log could not be opened; the writer ends. */
  | { readonly kind: "refused"; readonly fault: Fault }
  /** One transaction is durable. */
  | {
      readonly kind: "committed";
      readonly answers: AppendAnswer[];
      readonly commit: Commit;
      /** Buffers of its batches, for batches to come. */
      readonly spare: ArrayBuffer[];
    }
  /** These batches were not stored. */
  | {
      readonly kind: "failed";
      readonly tickets: number[];
      readonly fault: Fault;
      /** Further batches of theirs fail until `failure_heard`. */
      readonly producers: readonly string[];
    }
  /** Retention has deleted blocks. */
  | { readonly kind: "trimmed"; readonly trim: Trim }
  /** Blocks were joined. */
  | { readonly kind: "merged"; readonly merge: Merge }
  /** Retention or merging failed, and will try again. */
  | { readonly kind: "chore_failed"; readonly fault: Fault };

/** What a transaction stored. */
export interface Commit {
  /** Its blocks, or none where nobody wants them. */
  readonly blocks: BlockImage[];
  readonly entries: number;
  /** Raw bytes of its entries. */
  readonly bytes: number;
  readonly durationUs: number;
  /** The offset after the last entry. */
  readonly nextOffset: number;
}

/** What retention deleted. */
export interface Trim {
  readonly blocks: number;
  readonly entries: number;
  /** Raw bytes of its entries. */
  readonly bytes: number;
  /** The oldest offset that is left, or the next one to come. */
  readonly oldestOffset: number;
}

/** What merging joined. */
export interface Merge {
  /** How many blocks became one. */
  readonly blocks: number;
  readonly entries: number;
  /** Raw bytes of its entries. */
  readonly rawBytes: number;
  /** What the one takes, its word filter included. */
  readonly storedBytes: number;
  /** Of the transaction that put it in their place: commits waited so long. */
  readonly durationUs: number;
}

/** How the merger is told what to do, as its `workerData`. */
export interface MergerSettings {
  readonly folder: string;
  /** Of a joined block, see merge-plan.ts. */
  readonly weightMax: number;
  /** Blocks whose entries were accepted in different periods of this length are not joined; in nanoseconds. */
  readonly period: bigint;
  /** To the writer. */
  readonly port: MessagePort;
}

/** From the writer to the merger: look whether there is something to join. It is answered before the next. */
export type MergerRequest = "look";

/** From the merger to the writer. */
export type MergerReply =
  /** To be put in the place of so many blocks, which hold the same entries. */
  | { readonly kind: "packed"; readonly blocks: number; readonly packed: PackedBlock }
  /** There is nothing to join until more is written. */
  | { readonly kind: "idle" }
  /** Blocks could not be read or joined. */
  | { readonly kind: "failed"; readonly fault: Fault };

/** Where the entries of a batch went. */
export interface AppendAnswer {
  readonly ticket: number;
  /** Offset of the first entry stored now; 0 when none was. */
  readonly firstOffset: number;
  /** How many entries were stored now: they have consecutive offsets. */
  readonly stored: number;
  /** Absent when the batch had no duplicates: then entry i has the offset `firstOffset + i`. */
  readonly repeats?: {
    /** Each entry's offset; 0 when it is no longer known. */
    readonly offsets: Float64Array;
    /** 1: stored before. */
    readonly flags: Uint8Array;
  };
}

/** An error on its way between threads. */
export interface Fault {
  /** Absent for a programmer's mistake. */
  readonly code?: EngineErrorCode;
  readonly message: string;
  /** EngineError's. */
  readonly clientMessage?: string;
  readonly stack?: string;
}

/** An error as it is sent. */
export function toFault(error: unknown): Fault {
  if (error instanceof EngineError) {
    const { code, message, clientMessage } = error;
    return { code, message, clientMessage };
  }
  if (error instanceof Error) return { message: error.message, stack: error.stack ?? "" };
  return { message: String(error) };
}

/** An error as it was before it was sent. */
export function fromFault({ code, message, clientMessage, stack }: Fault): Error {
  if (code === undefined) return new Error(message, { cause: stack });
  return new EngineError(code, message, { clientMessage });
}
