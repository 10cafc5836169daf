/**
 * How the page stands, and when it comes back: it became visible, it was
 * thawed, it came out of the back/forward cache, or the network is there again.
 * Then a wait before a retry makes no sense any more, and a connection may have
 * died without anybody saying so: timers are slow in hidden pages, and stand
 * still in frozen ones.
 * https://developer.chrome.com/docs/web-platform/page-lifecycle-api
 *
 * Workers have no document, and Node has no events at all: what is not there is
 * not listened to.
 */

/** Away: frozen, or kept in the back/forward cache. Nothing of it runs, and it should hold nothing. */
export type PageStanding = "visible" | "hidden" | "away";

/** The page, as far as clients mind it. */
export interface PagePresence {
  readonly standing: PageStanding;
  /** Calls back when the standing changes, until the returned function is called. */
  onChange(callback: () => void): () => void;
}

type Scope = Partial<Pick<Window, "addEventListener" | "removeEventListener">>;

/** Calls back whenever the page comes back. Returns what ends it. */
export function onPageBack(callback: () => void): () => void {
  const page: Partial<Document> = globalThis.document ?? {};
  const scope: Scope = globalThis;
  const onVisibility = (): void => {
    if (page.visibilityState === "visible") callback();
  };
  const onShow = (event: PageTransitionEvent): void => {
    if (event.persisted) callback();
  };
  scope.addEventListener?.("online", callback);
  scope.addEventListener?.("pageshow", onShow);
  page.addEventListener?.("visibilitychange", onVisibility);
  page.addEventListener?.("resume", callback);
  return () => {
    scope.removeEventListener?.("online", callback);
    scope.removeEventListener?.("pageshow", onShow);
    page.removeEventListener?.("visibilitychange", onVisibility);
    page.removeEventListener?.("resume", callback);
  };
}

const presences = new WeakMap<object, PagePresence>();

/**
 * The presence of the page that this runs in. It listens as long as the page
 * lives: whoever is away can't be told later that he has come back.
 */
export function pagePresence(): PagePresence {
  const page: Partial<Document> = globalThis.document ?? {};
  const key = globalThis.document ?? globalThis;
  const presence = presences.get(key) ?? watchPresence(page, globalThis);
  presences.set(key, presence);
  return presence;
}

function watchPresence(page: Partial<Document>, scope: Scope): PagePresence {
  const callbacks = new Set<() => void>();
  let isAway = false;
  const change = (away: boolean) => (): void => {
    isAway = away;
    for (const callback of [...callbacks]) callback();
  };
  page.addEventListener?.("freeze", change(true));
  page.addEventListener?.("resume", change(false));
  // Whoever sees it is not away, whatever event may have been missed.
  page.addEventListener?.("visibilitychange", () => change(isAway && page.visibilityState === "hidden")());
  scope.addEventListener?.("pagehide", change(true));
  scope.addEventListener?.("pageshow", change(false));
  return {
    get standing() {
      if (isAway) return "away";
      return page.visibilityState === "hidden" ? "hidden" : "visible";
    },
    onChange(callback) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
  };
}
