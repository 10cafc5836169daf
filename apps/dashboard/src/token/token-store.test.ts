import assert from "node:assert/strict";
import { test } from "node:test";
import { createTokenStore, type TokenStorage, tokenFault, tokenFrom, tokenKey } from "./token-store.ts";

function memoryStorage(token?: string): TokenStorage {
  const items = new Map<string, string>(token === undefined ? [] : [[tokenKey, token]]);
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

const refused: TokenStorage = {
  getItem: () => {
    throw new Error("refused");
  },
  setItem: () => {
    throw new Error("refused");
  },
  removeItem: () => {
    throw new Error("refused");
  },
};

test("a token is for this tab, or remembered, and never in both places", () => {
  const stores = { session: memoryStorage(), local: memoryStorage() };
  const store = createTokenStore(stores);
  assert.equal(store.current(), undefined);
  store.set("a", false);
  assert.deepEqual([stores.session.getItem(tokenKey), stores.local.getItem(tokenKey)], ["a", null]);
  store.set("b", true);
  assert.deepEqual([stores.session.getItem(tokenKey), stores.local.getItem(tokenKey)], [null, "b"]);
  assert.equal(createTokenStore(stores).current(), "b");
  store.clear();
  assert.equal(store.current(), undefined);
  assert.equal(createTokenStore(stores).current(), undefined);
});

test("the tab's own token goes before the remembered one", () => {
  assert.equal(
    createTokenStore({ session: memoryStorage("tab"), local: memoryStorage("kept") }).current(),
    "tab",
  );
});

test("subscribers hear of changes until they leave", () => {
  const store = createTokenStore({ session: memoryStorage(), local: memoryStorage() });
  let changes = 0;
  const leave = store.subscribe(() => changes++);
  store.set("a", false);
  store.clear();
  leave();
  store.set("b", false);
  assert.equal(changes, 2);
});

test("a token remembered or forgotten in another tab is so in this one", () => {
  const local = memoryStorage();
  const tabs = new EventTarget();
  const store = createTokenStore({ session: memoryStorage(), local }, tabs);
  let changes = 0;
  store.subscribe(() => changes++);
  local.setItem(tokenKey, "a");
  tabs.dispatchEvent(Object.assign(new Event("storage"), { key: tokenKey }));
  tabs.dispatchEvent(Object.assign(new Event("storage"), { key: "another" }));
  assert.equal(store.current(), "a");
  assert.equal(changes, 1);
});

test("without storage a token lives in memory", () => {
  const store = createTokenStore({ session: refused, local: refused });
  store.set("a", true);
  assert.equal(store.current(), "a");
  assert.equal(createTokenStore({ session: undefined, local: undefined }).current(), undefined);
});

test("what people paste becomes a token, or a fault", () => {
  assert.equal(tokenFrom("  Bearer abc\n"), "abc");
  assert.equal(tokenFrom("Authorization: Bearer abc"), "abc");
  assert.equal(tokenFault("Bearer abc.def-1=="), undefined);
  assert.match(tokenFault("  ") ?? "", /first/);
  assert.match(tokenFault("a b") ?? "", /no spaces/);
  assert.match(tokenFault("schlüssel") ?? "", /ASCII/);
});
