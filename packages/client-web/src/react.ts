/**
 * `@logsvc/client-web/react`: hooks over `TailRows` and `QueryResults`. They
 * subscribe as React wants it of a store outside it, so a view is never torn,
 * and a component that React mounts twice (StrictMode) has every row once.
 */
import { type LogClient, toWireTime } from "@logsvc/client";
import { useMemo, useSyncExternalStore } from "react";
import { QueryResults, type QueryResultsOptions, type QueryView } from "./query-results.ts";
import { TailRows, type TailRowsOptions, type TailView } from "./tail-rows.ts";

export type { QueryView } from "./query-results.ts";
export type { TailRow, TailView } from "./tail-rows.ts";

/** Options of both hooks. */
interface HookOptions {
  /** False: nothing is asked, and what there is stays. True again: it goes on. Default: true. */
  readonly enabled?: boolean | undefined;
}

/** Options of useTail. When one changes, but `enabled`, a new tail begins. */
export interface UseTailOptions extends TailRowsOptions, HookOptions {}

/** What useTail returns. */
export interface UseTail extends TailView {
  /** Opens a tail again that has ended with an error, such as that of an expired token, where it was. */
  readonly resume: () => void;
}

/** Options of useQuery. When one changes, but `enabled`, a new search begins. */
export interface UseQueryOptions extends QueryResultsOptions, HookOptions {}

/** What useQuery returns. */
export interface UseQuery extends QueryView {
  /** Loads the next page, or the one that broke off again. While one is loading: nothing. */
  readonly loadMore: () => void;
  /** Searches anew, for what was stored since. */
  readonly reload: () => void;
}

/**
 * Follows the log while the component is mounted. It renders once a frame at
 * the most. Make the client once, outside the component or with `useMemo`.
 *
 * @throws RangeError when `rowsMax` or `last` is out of its range.
 */
export function useTail(client: LogClient, options: UseTailOptions = {}): UseTail {
  const { filter, cursor, last, rowsMax, enabled = true } = options;
  // Dates are other objects each time; their times are not.
  const since = options.since && toWireTime(options.since);
  const tail = useMemo(
    () => new TailRows(client, { filter, cursor, last, since, rowsMax }),
    [client, filter, cursor, last, since, rowsMax],
  );
  const view = useSyncExternalStore(enabled ? tail.follow : tail.listen, tail.view, tail.view);
  return { ...view, resume: tail.resume };
}

/**
 * Searches what is stored, a page at a time, while the component is mounted.
 *
 * @throws RangeError when `limit` or `entriesMax` is out of its range.
 */
export function useQuery(client: LogClient, options: UseQueryOptions = {}): UseQuery {
  const { filter, order, limit, entriesMax, enabled = true } = options;
  const start = options.start && toWireTime(options.start);
  const end = options.end && toWireTime(options.end);
  const results = useMemo(
    () => new QueryResults(client, { filter, start, end, order, limit, entriesMax }),
    [client, filter, start, end, order, limit, entriesMax],
  );
  const view = useSyncExternalStore(enabled ? results.follow : results.listen, results.view, results.view);
  return { ...view, loadMore: results.loadMore, reload: results.reload };
}
