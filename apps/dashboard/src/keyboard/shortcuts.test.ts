import assert from "node:assert/strict";
import { test } from "node:test";
import { ariaKeys, type KeyPress, keyName, shortcutGroups, shortcutOf, shortcuts } from "./shortcuts.ts";

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  isComposing: false,
  defaultPrevented: false,
  ...more,
});

test("no key does two things, and no action stands twice", () => {
  const keys = shortcuts.flatMap((shortcut) => shortcut.keys);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(new Set(shortcuts.map(({ action }) => action)).size, shortcuts.length);
  assert.ok(shortcuts.every(({ group }) => shortcutGroups.includes(group)));
});

test("a key does what the list says", () => {
  assert.equal(shortcutOf(press("/"), "page"), "focusFilter");
  assert.equal(shortcutOf(press("G"), "page"), "goToEnd");
  assert.equal(shortcutOf(press("g"), "page"), "goToTop");
  assert.equal(shortcutOf(press("x"), "page"), undefined);
});

test("keys of the browser, of an input method and of others are not ours", () => {
  for (const more of [
    { ctrlKey: true },
    { altKey: true },
    { metaKey: true },
    { isComposing: true },
    { defaultPrevented: true },
  ]) {
    assert.equal(shortcutOf(press("c", more), "page"), undefined, JSON.stringify(more));
  }
});

test("in a field only Escape is ours; on a button not what presses it", () => {
  assert.equal(shortcutOf(press("j"), "field"), undefined);
  assert.equal(shortcutOf(press("?"), "field"), undefined);
  assert.equal(shortcutOf(press("Escape"), "field"), "leave");
  assert.equal(shortcutOf(press(" "), "control"), undefined);
  assert.equal(shortcutOf(press("Enter"), "control"), undefined);
  assert.equal(shortcutOf(press("j"), "control"), "selectNext");
});

test("keys have names for people and for assistive technology", () => {
  assert.equal(keyName(" "), "Space");
  assert.equal(keyName("j"), "j");
  assert.equal(ariaKeys("toggleFollow"), "Space");
  assert.equal(ariaKeys("goToTop"), "g Home");
});
