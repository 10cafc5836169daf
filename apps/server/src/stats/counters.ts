/** What the server counts of itself. Engines count what they store. */

/** An open tail, as far as others look at it. */
export interface OpenTail {
  /** How far it is. Empty: not yet known. */
  cursor: string;
}

/** Plain counts since the start, and what is open now; the paths add to them, WatchStats reads them. */
export class Counters {
  /** Entries accepted, repeats included. */
  accepted = 0;
  /** Entries recognised as repeats. */
  duplicates = 0;
  /** Entries rejected. */
  rejected = 0;
  /** Bytes of the accepted entries, as encoded. */
  bytes = 0;
  /** Open ingest streams. */
  ingestStreams = 0;
  /** Open tails. */
  readonly tails = new Set<OpenTail>();
  /** Entries sent by tails. */
  tailEntries = 0;
  /** Gaps told to tails. */
  tailGaps = 0;
  /** Queries, counts and facets running. */
  queriesRunning = 0;
  /** Queries, counts and facets that have ended, in whatever way. */
  queriesDone = 0;
}
