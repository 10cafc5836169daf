/** What the page's shortcuts do on the page of the log. */
import type { RefObject } from "react";
import type { PageProps } from "../app.tsx";
import type { ShortcutHandlers } from "../keyboard/use-shortcuts.ts";
import type { LogListHandle } from "../log/log-list.tsx";
import type { LogSource } from "../log/log-source.ts";

/** What they act on. */
export interface PageShortcutsContext extends Pick<PageProps, "view" | "changeView" | "onHelp"> {
  readonly source: LogSource;
  readonly list: RefObject<LogListHandle | null>;
  readonly filter: RefObject<HTMLInputElement | HTMLTextAreaElement | null>;
  /** Says something for a moment. */
  say(text: string): void;
  /** Closes the fields where they lie over the list. Tells whether they did. */
  closeFacets(): boolean;
}

/** The shortcuts. One that returns false had nothing to do. */
export function pageShortcuts(context: PageShortcutsContext): ShortcutHandlers {
  const { view, changeView, onHelp, source, list, filter, say } = context;
  return {
    openHelp: onHelp,
    focusFilter: () => filter.current?.focus(),
    toggleFollow: () => list.current?.togglePause() ?? false,
    goLive: () => {
      if (view.range.kind !== "live" || view.aroundId !== undefined) {
        changeView({ range: { kind: "live" }, aroundId: undefined });
      } else if (source.snapshot().paused) {
        list.current?.togglePause();
      }
    },
    selectNext: () => list.current?.next() ?? false,
    selectPrevious: () => list.current?.previous() ?? false,
    goToTop: () => list.current?.first() ?? false,
    goToEnd: () => list.current?.last() ?? false,
    toggleWrap: () => changeView({ wrap: !view.wrap }),
    openDetails: () => list.current?.open() ?? false,
    showAround: () => {
      const id = list.current?.active()?.id ?? view.selectedId;
      if (id === undefined) return false;
      return changeView({ aroundId: id, selectedId: id });
    },
    copyEntry: () => {
      const copying = list.current;
      if (copying?.active() === undefined) return false;
      return copying
        .copySelected()
        .then((copied) => say(copied ? "Copied as JSON" : "The browser does not allow copying here"));
    },
    leave: () => leave(context),
  };
}

/** Closes what is open, the uppermost first. */
function leave({ view, changeView, closeFacets }: PageShortcutsContext): boolean {
  // A menu closes by itself, by the same key.
  if (document.querySelector("[data-popup-open]") !== null) return false;
  if (closeFacets()) return true;
  if (view.selectedId !== undefined) changeView({ selectedId: undefined });
  else if (view.aroundId !== undefined) changeView({ aroundId: undefined });
  else return false;
  return true;
}
