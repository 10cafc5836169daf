/**
 * A reader's own choices, which stay with the browser: colours, the order
 * of entries, the time zone, and whether lines are broken. A browser that keeps nothing (private
 * windows, storage switched off) gets the page all the same.
 */
import { isTimeZone } from "./format-time.ts";

/** Which colours: the system's, or the reader's choice. */
export type Theme = "system" | "light" | "dark";

/** Where the newest entries stand: "usual" is below in the live log, as in a terminal, and above in a search. */
export type Order = "usual" | "newest" | "oldest";

/** What is kept. */
export interface Preferences {
  readonly theme: Theme;
  readonly order: Order;
  readonly timeZone?: string;
  readonly wrap?: boolean;
  /** Whether the fields are shown beside the list. */
  readonly facets?: boolean;
}

/** Where they are kept: the browser's `localStorage`. */
export type PreferenceStorage = Pick<Storage, "getItem" | "setItem">;

const key = "logsvc.preferences";

/** Reads them. What is not there, or not understood, is as by default. */
export function loadPreferences(storage: PreferenceStorage | undefined = browserStorage()): Preferences {
  const { theme, order, timeZone, wrap, facets } = parse(storage);
  return {
    theme: theme === "light" || theme === "dark" ? theme : "system",
    order: order === "newest" || order === "oldest" ? order : "usual",
    ...(typeof timeZone === "string" && isTimeZone(timeZone) && { timeZone }),
    ...(typeof wrap === "boolean" && { wrap }),
    ...(typeof facets === "boolean" && { facets }),
  };
}

/** Changes some of them, and returns them all. */
export function savePreferences(
  change: Partial<Preferences>,
  storage: PreferenceStorage | undefined = browserStorage(),
): Preferences {
  const preferences = { ...loadPreferences(storage), ...change };
  try {
    storage?.setItem(key, JSON.stringify(preferences));
  } catch {
    // The storage is full or forbidden: the choice holds until the page is closed.
  }
  return preferences;
}

function parse(storage: PreferenceStorage | undefined): Readonly<Record<string, unknown>> {
  try {
    const kept: unknown = JSON.parse(storage?.getItem(key) ?? "{}");
    return typeof kept === "object" && kept !== null ? { ...kept } : {};
  } catch {
    return {};
  }
}

/** Even to look at it throws where it is forbidden. */
function browserStorage(): PreferenceStorage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
