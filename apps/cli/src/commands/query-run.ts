/** What a query has at hand while it runs, whatever it was asked for. */
import type { NodeLogClient, Selection } from "@logsvc/client-node";
import type { QueryFlags } from "../flags/query-flags.ts";
import { formatDuration } from "../output/format-count.ts";
import type { Terminal } from "../terminal.ts";

/** A running query. */
export interface QueryRun {
  /** As it was checked. */
  readonly filter: string;
  readonly flags: QueryFlags;
  readonly terminal: Terminal;
  readonly client: NodeLogClient;
  /** Aborts when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/** The filter and the range of time. */
export function selectionOf({ filter, flags: { since, until } }: QueryRun): Selection {
  return {
    filter,
    ...(since === undefined ? {} : { start: since }),
    ...(until === undefined ? {} : { end: until }),
  };
}

/** What `--stats` says where the server tells nothing of what it took. */
export function tellTime({ flags, terminal }: QueryRun, what: string, startedAt: number): void {
  if (flags.stats) terminal.notices.warn(`${what} in ${formatDuration(performance.now() - startedAt)}`);
}
