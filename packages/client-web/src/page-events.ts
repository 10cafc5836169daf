/**
 * When a page comes back: it became visible, it was thawed, or the network is
 * there again. Then a wait before a retry makes no sense any more, and a
 * connection may have died without anybody saying so.
 *
 * Workers have no document, and Node has no events at all: what is not there is
 * not listened to.
 */

/** Calls back whenever the page comes back. Returns what ends it. */
export function onPageBack(callback: () => void): () => void {
  const page: Partial<Document> = globalThis.document ?? {};
  const scope: Partial<Pick<Window, "addEventListener" | "removeEventListener">> = globalThis;
  const onVisibility = (): void => {
    if (page.visibilityState === "visible") callback();
  };
  scope.addEventListener?.("online", callback);
  page.addEventListener?.("visibilitychange", onVisibility);
  // Fired by browsers that freeze hidden pages, when they thaw one:
  // https://developer.chrome.com/docs/web-platform/page-lifecycle-api
  page.addEventListener?.("resume", callback);
  return () => {
    scope.removeEventListener?.("online", callback);
    page.removeEventListener?.("visibilitychange", onVisibility);
    page.removeEventListener?.("resume", callback);
  };
}
