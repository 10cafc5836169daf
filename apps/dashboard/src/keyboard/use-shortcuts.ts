/** The page's one listener for shortcuts. */
import { useEffect, useRef } from "react";
import { type KeyPlace, type ShortcutAction, shortcutOf } from "./shortcuts.ts";

/** What the actions do. One that is left out, or returns false, was not for us: the key keeps its usual meaning. */
export type ShortcutHandlers = { readonly [Action in ShortcutAction]?: () => unknown };

/** Listens to the whole page for as long as the component is there. */
export function useShortcuts(handlers: ShortcutHandlers): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      // An open dialog has the keyboard for itself; it closes by Escape on its own.
      if (document.querySelector("dialog:modal") !== null) return;
      const action = shortcutOf(event, placeOf(event.target));
      if (action === undefined) return;
      const run = latest.current[action];
      if (run !== undefined && run() !== false) event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}

const fields =
  "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable=true]";
const ownKeyboards =
  "[role=menu], [role=listbox], [role=combobox], [role=slider], [role=radiogroup], [role=tablist]";
const controls = "button, a[href], summary, input, [role=button], [role=checkbox], [role=switch]";

function placeOf(target: EventTarget | null): KeyPlace {
  if (!(target instanceof Element)) return "page";
  // Menus and the like move by arrows and find by letters.
  if (target.closest(fields) !== null || target.closest(ownKeyboards) !== null) return "field";
  return target.closest(controls) === null ? "page" : "control";
}
