/** What stands in the list's place while it has no rows: which of the reasons it is. */
import type { SourceSnapshot } from "../log/log-source.ts";
import type { ViewState } from "../view/view-state.ts";

/** Why there are no rows. */
export type Placeholder =
  /** Nothing has answered yet. */
  | "connecting"
  /** A search is under way. */
  | "searching"
  /** The server can't be reached. */
  | "disconnected"
  /** The question can't be answered. */
  | "failed"
  /** The log is empty. */
  | "noEntries"
  /** Live, and nothing that matches has come. */
  | "noMatchYet"
  /** A range of time without a match. */
  | "noMatch";

/** The reason, or undefined when there are rows to show. */
export function placeholderOf(
  snapshot: Pick<SourceSnapshot, "first" | "end" | "state">,
  view: Pick<ViewState, "filter" | "range" | "aroundId">,
): Placeholder | undefined {
  if (snapshot.end > snapshot.first) return undefined;
  switch (snapshot.state.kind) {
    case "connecting":
      return "connecting";
    case "searching":
      return "searching";
    case "retrying":
      return "disconnected";
    case "failed":
      return "failed";
    case "live":
    case "behind":
    case "held":
      return view.filter === "" ? "noEntries" : "noMatchYet";
    case "done":
      return "noMatch";
    default:
      return snapshot.state satisfies never;
  }
}
