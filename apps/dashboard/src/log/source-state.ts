/**
 * How the list's source stands: what the page says about it is made from this
 * and nothing else.
 */
import {
  Code,
  type ConnectError,
  type FilterError,
  filterErrorOf,
  type QueryProgress,
} from "@logsvc/client-web";

/** Why a question can't be answered. */
export type FailureCause =
  /** The filter does not parse, or is too costly; `filterError` says where. */
  | "filter"
  /** A token is needed, or the one sent is not known or has expired. */
  | "token"
  /** The token does not allow this. */
  | "permission"
  /** A position or an id that is not one of this log's, or no longer in it. */
  | "position"
  /** Anything else that a retry does not mend. */
  | "request";

/** A failure that no retry mends. */
export interface Failure {
  readonly cause: FailureCause;
  readonly error: ConnectError;
  readonly filterError?: FilterError;
}

/** How the source stands. */
export type SourceState =
  /** Asking; nothing came yet. `waiting`: other tabs have all the connections. */
  | { readonly kind: "connecting"; readonly waiting: boolean }
  /** Following the log, at its end. */
  | { readonly kind: "live" }
  /** Following, with so many entries left to read, matching or not. */
  | { readonly kind: "behind"; readonly lag: number }
  /** Paused for so long that the page is full: the server keeps what comes until the reader goes on. */
  | { readonly kind: "held" }
  /** The connection broke; it is tried again after `delayMs`. */
  | {
      readonly kind: "retrying";
      readonly error: ConnectError;
      readonly attempt: number;
      readonly delayMs: number;
    }
  /** Searching stored entries. */
  | { readonly kind: "searching"; readonly progress: QueryProgress | undefined }
  /** What was asked for is here, at least its newest page. */
  | { readonly kind: "done"; readonly progress: QueryProgress | undefined }
  | ({ readonly kind: "failed" } & Failure);

/** What lies before the oldest row. */
export type OlderState =
  /** There may be more: `loadOlder` looks. */
  | { readonly kind: "more" }
  | { readonly kind: "loading" }
  /** Nothing that matches. */
  | { readonly kind: "none" }
  /** The page holds as much as it may. */
  | { readonly kind: "full" }
  | ({ readonly kind: "failed" } & Failure);

/** How loading a gap's entries stands. */
export type GapState =
  | { readonly kind: "loading" }
  /** Retention deleted them. */
  | { readonly kind: "gone" }
  | { readonly kind: "failed"; readonly reason: string };

/** What an error that no retry mends means for the reader. */
export function toFailure(error: ConnectError): Failure {
  const filterError = filterErrorOf(error);
  if (filterError !== undefined) return { cause: "filter", error, filterError };
  return { cause: causeOf(error.code), error };
}

function causeOf(code: Code): FailureCause {
  if (code === Code.Unauthenticated) return "token";
  if (code === Code.PermissionDenied) return "permission";
  if (code === Code.OutOfRange || code === Code.NotFound) return "position";
  return "request";
}
