/** A link that shows an entry to somebody else, in its surroundings, also long after. */
import type { EntryRow } from "../log/log-entry-row.ts";
import type { ViewState } from "../view/view-state.ts";
import { formatViewUrl } from "../view/view-url.ts";

/** The range of the link, on both sides of the entry: what is live now is elsewhere tomorrow. */
const marginNs = 5n * 60n * 1_000_000_000n;

/**
 * The view that shows the entry. Around an entry no filter holds, so the link
 * has none either: what it selects must be among what it shows.
 */
export function permalinkView({ id, entry }: EntryRow, view: ViewState): ViewState {
  const { aroundId, range, ...rest } = view;
  const { timestamp } = entry;
  const contains = range.kind === "between" && range.start <= timestamp && timestamp < range.end;
  return {
    ...rest,
    page: "logs",
    filter: aroundId === undefined ? view.filter : "",
    range: contains
      ? range
      : { kind: "between", start: timestamp - marginNs, end: timestamp + marginNs + 1n },
    selectedId: id,
  };
}

/** The link. @param address The page's own, of which the query is replaced. */
export function permalink(row: EntryRow, view: ViewState, address: string): string {
  const url = new URL(address);
  url.search = formatViewUrl(permalinkView(row, view));
  url.hash = "";
  return url.href;
}
