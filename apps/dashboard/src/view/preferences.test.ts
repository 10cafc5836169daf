import assert from "node:assert/strict";
import { test } from "node:test";
import { loadPreferences, type PreferenceStorage, savePreferences } from "./preferences.ts";

function memory(text?: string): PreferenceStorage {
  let kept = text ?? null;
  return {
    getItem: () => kept,
    setItem: (_key, value) => {
      kept = value;
    },
  };
}

const forbidden: PreferenceStorage = {
  getItem: () => {
    throw new DOMException("denied", "SecurityError");
  },
  setItem: () => {
    throw new DOMException("full", "QuotaExceededError");
  },
};

test("what was saved is there again, and a change keeps the rest", () => {
  const storage = memory();
  assert.deepEqual(loadPreferences(storage), { theme: "system", order: "usual" });
  savePreferences({ theme: "dark", timeZone: "UTC" }, storage);
  savePreferences({ wrap: true, order: "newest" }, storage);
  assert.deepEqual(loadPreferences(storage), { theme: "dark", order: "newest", timeZone: "UTC", wrap: true });
});

test("what is not understood is as by default", () => {
  for (const text of [
    "",
    "{",
    "null",
    "7",
    '{"theme":"pink","order":7,"timeZone":"Mars/Base","wrap":"yes"}',
  ]) {
    assert.deepEqual(loadPreferences(memory(text)), { theme: "system", order: "usual" }, text);
  }
});

test("a browser that keeps nothing breaks nothing", () => {
  assert.deepEqual(loadPreferences(forbidden), { theme: "system", order: "usual" });
  assert.deepEqual(savePreferences({ wrap: true }, forbidden), {
    theme: "system",
    order: "usual",
    wrap: true,
  });
});
