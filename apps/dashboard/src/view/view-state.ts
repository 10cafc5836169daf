/**
 * What the page shows, whole: everything here stands in the URL, so that a link
 * shows another person the same view. Who changes it calls `changeView`; who
 * draws it gets it as a property. Nothing else decides what is asked of the
 * server.
 */

/** The times that a view covers. */
export type ViewRange =
  /** Follow the log: a backlog, then what comes. */
  | { readonly kind: "live" }
  /** The last so many milliseconds before the question is asked. */
  | { readonly kind: "last"; readonly durationMs: number }
  /** From `start` up to, not with, `end`: Unix nanoseconds. */
  | { readonly kind: "between"; readonly start: bigint; readonly end: bigint };

/** Which page. */
export type ViewPage = "logs" | "stats";

/** The whole view. */
export interface ViewState {
  readonly page: ViewPage;
  /** In the filter language. Empty: every entry. Always one that parses. */
  readonly filter: string;
  readonly range: ViewRange;
  /** Attributes that have a column of their own, in order; "level" and "service" may be among them. */
  readonly columns: readonly string[];
  /** Lines as they come, or broken to the width of the list. */
  readonly wrap: boolean;
  /** An IANA time zone, or "local". */
  readonly timeZone: string;
  /** The entry whose details are open, by id. */
  readonly selectedId?: string;
  /** The entry whose neighbours are shown in place of the filter's results, by id. */
  readonly aroundId?: string;
}

/** A change of some of the view. A key that is `undefined` is taken away. */
export type ViewChange = { readonly [K in keyof ViewState]?: ViewState[K] | undefined };

/** Changes the view, and the URL with it: `push` makes a step in the browser's history. */
export type ChangeView = (change: ViewChange, history?: "push" | "replace") => void;
