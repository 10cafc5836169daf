/**
 * What a search is: a generator that returns its result, and that pauses (yields)
 * when it has had its turn, so that others of the same thread get theirs. A turn
 * sees the log of one moment: it is one snapshot of the reader.
 */
import type { BlockReader } from "../block-reader.ts";
import type { ScanJobs, ScanStep } from "../scan-jobs.ts";

/** A search that runs. While it pauses it holds no block. */
export type Search<Kind extends keyof ScanJobs> = Generator<void, ScanJobs[Kind]["result"], void>;

/** What is asked of a search. */
export type SearchRequest<Kind extends keyof ScanJobs> = ScanJobs[Kind]["request"];

/** What a search needs besides its request. */
export interface SearchContext {
  readonly reader: BlockReader;
  /** @throws when the search is no longer wanted. Called every few milliseconds. */
  checkWanted(): void;
  /** Whether the search has had its turn. Asked between blocks. */
  isTurnOver(): boolean;
  /** Whether it must not wait for the end of its block any more. */
  isTurnOverdue(): boolean;
  /** Tells how many bytes of found entries the search keeps while it pauses. */
  keep(bytes: number): void;
  /** Sends part of the answer. */
  step(step: ScanStep): void;
}
