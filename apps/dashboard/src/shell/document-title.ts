/** The tab's title: what is looked at, and what a reader in another tab should know. */
import type { SourceSnapshot } from "../log/log-source.ts";
import type { ViewState } from "../view/view-state.ts";

/** Tabs are narrow. */
const filterCharactersMax = 40;

/** The title. Without a source (the metrics' page) it names the page. */
export function documentTitle(
  view: Pick<ViewState, "page" | "filter">,
  snapshot: Pick<SourceSnapshot, "state" | "paused" | "waiting"> | undefined,
): string {
  if (view.page === "stats") return "Metrics · logsvc";
  const { filter } = view;
  const short = filter.length > filterCharactersMax ? `${filter.slice(0, filterCharactersMax)}…` : filter;
  const subject = short === "" ? "logsvc" : `${short} · logsvc`;
  if (snapshot === undefined) return subject;
  const { state, paused, waiting } = snapshot;
  if (state.kind === "retrying") return `⚠ Disconnected · ${subject}`;
  if (state.kind === "failed") return `⚠ Stopped · ${subject}`;
  if (!paused) return subject;
  return `${waiting > 0 ? `(${compact.format(waiting)}) ` : ""}Paused · ${subject}`;
}

const compact = new Intl.NumberFormat("en", { notation: "compact" });
