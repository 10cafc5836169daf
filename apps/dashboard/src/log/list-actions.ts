/** What the keyboard does with the list: moving the active row, and going on at the end. */
import { copyText } from "../details/clipboard.ts";
import { entryNdjson } from "../details/entry-text.ts";
import type { ChangeView, ViewState } from "../view/view-state.ts";
import type { ListScroll } from "./list-scroll.ts";
import type { EntryRow } from "./log-entry-row.ts";
import type { LogSource } from "./log-source.ts";

/** Each tells whether there was something to do. */
export interface ListActions {
  /** Makes the next row down the active one. With details open, it is theirs. */
  next(): boolean;
  /** The same with the next row up. */
  previous(): boolean;
  /** Goes to the top of the list. */
  first(): boolean;
  /** Goes to the bottom of the list, and stays there if new entries come in there. */
  last(): boolean;
  /** Pauses, or goes on at the newest entry. */
  togglePause(): boolean;
  /** The active entry, else the one whose details are open. */
  active(): EntryRow | undefined;
}

/** What the actions work on. */
export interface ListActionsContext {
  readonly source: LogSource;
  readonly scroll: ListScroll;
  readonly activeKey: number | undefined;
  setActiveKey(key: number): void;
  readonly view: ViewState;
  readonly changeView: ChangeView;
}

/** The actions, as things are now. */
export function listActions(context: ListActionsContext): ListActions {
  const { source, scroll } = context;
  return {
    next: () => step(context, 1),
    previous: () => step(context, -1),
    first: () => goTo(context, "top"),
    last: () => goTo(context, "bottom"),
    togglePause: () => {
      if (!source.snapshot().isLive) return false;
      if (scroll.isFollowing) scroll.hold();
      else scroll.follow();
      return true;
    },
    active: () => {
      const position = activePosition(context);
      const row = position === undefined ? undefined : source.buffer.at(position);
      return row?.kind === "entry" ? row : undefined;
    },
  };
}

/** Copies an entry as JSON, as exports have it. Resolves with whether it is in the clipboard. */
export async function copyEntry(row: EntryRow | undefined): Promise<boolean> {
  return row !== undefined && copyText(entryNdjson(row));
}

function activePosition({ source, activeKey, view }: ListActionsContext): number | undefined {
  const { buffer } = source;
  const active = activeKey === undefined ? undefined : buffer.positionOfKey(activeKey);
  if (active !== undefined) {
    const row = buffer.at(active);
    // Details that were opened elsewhere are where the reader is.
    if (view.selectedId === undefined || (row?.kind === "entry" && row.id === view.selectedId)) return active;
  }
  return view.selectedId === undefined ? active : (buffer.positionOfId(view.selectedId) ?? active);
}

function step(context: ListActionsContext, by: 1 | -1): boolean {
  const { source, scroll } = context;
  const { window } = scroll;
  if (window.count === 0) return false;
  const from = activePosition(context);
  const index = from === undefined ? startIndex(scroll) : window.indexOf(from) + by;
  if (index < 0 || index >= window.count) return true;
  const position = window.positionAt(index);
  // The row before the oldest entry only tells what is there.
  if (position < source.buffer.first) return true;
  activate(context, position);
  return true;
}

/** Without an active row: the newest if that is followed, else the first that is seen. */
function startIndex({ window, isFollowing }: ListScroll): number {
  if (isFollowing) return window.newestEdge === "bottom" ? window.count - 1 : 0;
  return window.indexOf(window.anchorPosition);
}

function activate(
  { source, scroll, setActiveKey, view, changeView }: ListActionsContext,
  position: number,
): void {
  const key = source.buffer.keyAt(position);
  if (key === undefined) return;
  setActiveKey(key);
  scroll.reveal(position);
  const row = source.buffer.at(position);
  if (view.selectedId !== undefined && row?.kind === "entry") changeView({ selectedId: row.id }, "replace");
}

function goTo(context: ListActionsContext, edge: "top" | "bottom"): boolean {
  const { source, scroll, setActiveKey, view } = context;
  const { window } = scroll;
  if (window.count === 0) return false;
  scroll.goTo(edge);
  const index = edge === "top" ? 0 : window.count - 1;
  const position = Math.max(source.buffer.first, window.positionAt(index));
  const key = source.buffer.keyAt(position);
  if (key !== undefined && view.selectedId === undefined) setActiveKey(key);
  return true;
}
