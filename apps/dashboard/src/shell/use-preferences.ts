/** The reader's own choices in React, and the colours among them on the page. */
import { useSyncExternalStore } from "react";
import { loadPreferences, type Preferences, savePreferences, type Theme } from "../view/preferences.ts";

let current: Preferences | undefined;
const listeners = new Set<() => void>();

/** Sets the colours that were chosen before, before anything is drawn. */
export function applyTheme(theme: Theme = preferences().theme): void {
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset["theme"];
  else dataset["theme"] = theme;
}

/** The choices now, drawn anew when they change. */
export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, preferences);
}

/** Changes some of them. */
export function changePreferences(change: Partial<Preferences>): void {
  // Others are kept by the view itself: they are read anew.
  current = savePreferences(change);
  applyTheme(current.theme);
  for (const listener of listeners) listener();
}

function preferences(): Preferences {
  current ??= loadPreferences();
  return current;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
