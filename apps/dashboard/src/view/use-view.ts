/**
 * The view and the browser's history as one: what changes the view changes the
 * address, and back and forward change the view.
 */
import { useCallback, useSyncExternalStore } from "react";
import { loadPreferences, savePreferences } from "./preferences.ts";
import type { ChangeView, ViewChange, ViewState } from "./view-state.ts";
import { changedView, formatViewUrl, type ParsedView, parseViewUrl } from "./view-url.ts";

/** The view, how to change it, and what of the link could not be understood. */
export interface UsedView {
  readonly view: ViewState;
  readonly faults: readonly string[];
  readonly changeView: ChangeView;
}

/** Browsers refuse more than a hundred or two changes of the address in half a minute: walking through entries makes more. */
const replaceIntervalMs = 300;

let parsed: ParsedView | undefined;
let replaceTimer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

/** Uses the page's one view. */
export function useView(): UsedView {
  const { view, faults } = useSyncExternalStore(subscribe, current);
  const changeView = useCallback<ChangeView>((change, history) => apply(change, history), []);
  return { view, faults, changeView };
}

function current(): ParsedView {
  parsed ??= parseViewUrl(location.search, loadPreferences());
  return parsed;
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener("popstate", readAddress);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener("popstate", readAddress);
  };
}

/** Another question, or another page, is a step to come back from; a look of the same is none. */
const isStep = (change: ViewChange): boolean =>
  "filter" in change || "range" in change || "page" in change || "aroundId" in change;

function apply(change: ViewChange, history?: "push" | "replace"): void {
  const before = current().view;
  const view = changedView(before, change);
  if (formatViewUrl(view) === formatViewUrl(before)) return;
  if (view.wrap !== before.wrap || view.timeZone !== before.timeZone) {
    savePreferences({ wrap: view.wrap, timeZone: view.timeZone });
  }
  const pushes = (history ?? (isStep(change) ? "push" : "replace")) === "push";
  if (pushes) {
    // What is left behind must stand in the history as it was last.
    writeAddress(before);
    globalThis.history.pushState(null, "", addressOf(view));
  } else {
    replaceTimer ??= setTimeout(() => writeAddress(current().view), replaceIntervalMs);
  }
  show({ view, faults: [] });
}

function writeAddress(view: ViewState): void {
  clearTimeout(replaceTimer);
  replaceTimer = undefined;
  const address = addressOf(view);
  if (address !== location.pathname + location.search) history.replaceState(null, "", address);
}

function readAddress(): void {
  clearTimeout(replaceTimer);
  replaceTimer = undefined;
  show(parseViewUrl(location.search, loadPreferences()));
}

function show(next: ParsedView): void {
  parsed = next;
  for (const listener of listeners) listener();
}

const addressOf = (view: ViewState): string => location.pathname + formatViewUrl(view);
