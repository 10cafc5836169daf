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
  assert.deepEqual(loadPreferences(storage), { theme: "system" });
  savePreferences({ theme: "dark", timeZone: "UTC" }, storage);
  savePreferences({ wrap: true }, storage);
  assert.deepEqual(loadPreferences(storage), { theme: "dark", timeZone: "UTC", wrap: true });
});

test("what is not understood is as by default", () => {
  for (const text of ["", "{", "null", "7", '{"theme":"pink","timeZone":"Mars/Base","wrap":"yes"}']) {
    assert.deepEqual(loadPreferences(memory(text)), { theme: "system" }, text);
  }
});

test("a browser that keeps nothing breaks nothing", () => {
  assert.deepEqual(loadPreferences(forbidden), { theme: "system" });
  assert.deepEqual(savePreferences({ wrap: true }, forbidden), { theme: "system", wrap: true });
});
