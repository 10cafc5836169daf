/**
 * The token that the page sends with each call, where a server wants one. It
 * lives as long as the tab, in sessionStorage, or until it is cleared, in
 * localStorage, when the reader asks for that. Never in the URL, which is
 * shared, and never in a cookie, which is sent by itself.
 *
 * Where a browser refuses storage the token lives as long as the page.
 */

/** The part of Storage that is used. */
export type TokenStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Where a token is kept. */
export interface TokenStores {
  readonly session: TokenStorage | undefined;
  readonly local: TokenStorage | undefined;
}

/** The token, and who wants to know when it changes. */
export interface TokenStore {
  /** The token now; undefined when there is none. */
  current(): string | undefined;
  /** Takes a new token. `remember`: also for later visits and other tabs. */
  set(token: string, remember: boolean): void;
  /** Forgets it, everywhere. */
  clear(): void;
  /** Calls back after each change, in other tabs as well. Returns what ends it. */
  subscribe(callback: () => void): () => void;
}

/** The token's name in storage. */
export const tokenKey = "logsvc.token";

/** Creates a store. Only tests give storages; only the page gives events of other tabs. */
export function createTokenStore(stores: TokenStores, otherTabs?: EventTarget): TokenStore {
  const { session, local } = stores;
  const subscribers = new Set<() => void>();
  let token = read(session) ?? read(local);
  const tell = (): void => {
    for (const callback of subscribers) callback();
  };
  otherTabs?.addEventListener("storage", (event) => {
    if (!("key" in event) || (event.key !== tokenKey && event.key !== null)) return;
    const next = read(session) ?? read(local);
    if (next === token) return;
    token = next;
    tell();
  });
  return {
    current: () => token,
    set: (next, remember) => {
      token = next;
      write(session, remember ? undefined : next);
      write(local, remember ? next : undefined);
      tell();
    },
    clear: () => {
      token = undefined;
      write(session, undefined);
      write(local, undefined);
      tell();
    },
    subscribe: (callback) => {
      subscribers.add(callback);
      return () => subscribers.delete(callback);
    },
  };
}

/** What a person pasted, as the token that it holds: without spaces, and without the word before it. */
export function tokenFrom(text: string): string {
  return text.trim().replace(/^(?:authorization:\s*)?bearer\s+/i, "");
}

/** Why a text can't be a token; undefined when it can. HTTP's headers hold visible ASCII. */
export function tokenFault(text: string): string | undefined {
  const token = tokenFrom(text);
  if (token === "") return "Paste the token first.";
  if (/\s/.test(token)) return "A token has no spaces and no line breaks: is it one token?";
  return /^[\x21-\x7e]+$/.test(token) ? undefined : "A token has only letters, digits and signs of ASCII.";
}

function read(storage: TokenStorage | undefined): string | undefined {
  try {
    return storage?.getItem(tokenKey) ?? undefined;
  } catch {
    // Refused by the browser's settings: there is no token to be had.
    return undefined;
  }
}

function write(storage: TokenStorage | undefined, token: string | undefined): void {
  try {
    if (token === undefined) storage?.removeItem(tokenKey);
    else storage?.setItem(tokenKey, token);
  } catch {
    // Refused, or full: the token stays in memory, as the head says.
  }
}

/** The page's storages; even naming them throws where they are refused. */
function pageStorages(): TokenStores {
  try {
    return { session: globalThis.sessionStorage, local: globalThis.localStorage };
  } catch {
    return { session: undefined, local: undefined };
  }
}

/** The page's token. */
export const tokenStore: TokenStore = createTokenStore(
  pageStorages(),
  globalThis.window === undefined ? undefined : globalThis.window,
);
