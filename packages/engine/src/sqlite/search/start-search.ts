/** The searches by the names of their jobs. Apart from scanner.ts, which loads filters and all else only for a search. */
import type { ScanJobs, SearchJob } from "../scan-jobs.ts";
import { findAround } from "./around-search.ts";
import { collectBacklog } from "./backlog-search.ts";
import { countEntries } from "./count-search.ts";
import { findFirstSince } from "./first-since.ts";
import { queryEntries } from "./query-search.ts";
import type { SearchContext } from "./search-context.ts";
import { countValues } from "./values-search.ts";

/** A search, before its first step. It yields when it has had its turn. */
export function startSearch(
  job: SearchJob,
  context: SearchContext,
): Generator<void, ScanJobs[SearchJob["kind"]]["result"], void> {
  switch (job.kind) {
    case "first_since":
      return findFirstSince(job, context);
    case "around":
      return findAround(job, context);
    case "backlog":
      return collectBacklog(job, context);
    case "query":
      return queryEntries(job, context);
    case "count":
      return countEntries(job, context);
    case "values":
      return countValues(job, context);
  }
}
