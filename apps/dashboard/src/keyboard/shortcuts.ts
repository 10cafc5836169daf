/**
 * Every shortcut of the page, once: the key listener acts by this list and the
 * help sheet shows it.
 *
 * Only plain keys, with shift where it makes another character: combinations
 * with Ctrl, Alt and Meta are the browser's, the system's and the screen
 * reader's. Keys that are typed into a field are the field's, but for Escape.
 * Enter and space on a button, a link or a summary press it. Screen readers in
 * their reading mode keep single letters to themselves; everything here can be
 * done with buttons as well.
 */

/** What a shortcut does. */
export type ShortcutAction =
  | "focusFilter"
  | "toggleFollow"
  | "goLive"
  | "selectNext"
  | "selectPrevious"
  | "goToTop"
  | "goToEnd"
  | "openDetails"
  | "leave"
  | "copyEntry"
  | "showAround"
  | "toggleWrap"
  | "openHelp";

/** A shortcut. */
export interface Shortcut {
  readonly action: ShortcutAction;
  /** As `KeyboardEvent.key` names them; each alone does it. */
  readonly keys: readonly string[];
  /** What it does, as the help sheet says it. */
  readonly description: string;
  /** Where it belongs in the help sheet. */
  readonly group: ShortcutGroup;
  /** When it does something, if not always. */
  readonly when?: string;
}

/** The help sheet's headings, in its order. */
export const shortcutGroups = ["Log", "Entry", "Page"] as const;

/** A heading. */
export type ShortcutGroup = (typeof shortcutGroups)[number];

/** Every shortcut. */
export const shortcuts: readonly Shortcut[] = [
  { action: "focusFilter", keys: ["/"], description: "Write in the filter", group: "Log" },
  {
    action: "toggleFollow",
    keys: [" "],
    description: "Pause, or resume at the end",
    group: "Log",
    when: "live",
  },
  { action: "goLive", keys: ["l"], description: "Follow the log live", group: "Log" },
  { action: "selectNext", keys: ["j", "ArrowDown"], description: "Next entry", group: "Log" },
  { action: "selectPrevious", keys: ["k", "ArrowUp"], description: "Previous entry", group: "Log" },
  { action: "goToTop", keys: ["g", "Home"], description: "To the top", group: "Log" },
  { action: "goToEnd", keys: ["G", "End"], description: "To the end", group: "Log" },
  { action: "toggleWrap", keys: ["w"], description: "Break long lines, or don't", group: "Log" },
  {
    action: "openDetails",
    keys: ["Enter"],
    description: "Open its details",
    group: "Entry",
    when: "an entry is selected",
  },
  {
    action: "showAround",
    keys: ["a"],
    description: "Show the entries around it",
    group: "Entry",
    when: "an entry is selected",
  },
  {
    action: "copyEntry",
    keys: ["c"],
    description: "Copy it as JSON",
    group: "Entry",
    when: "an entry is selected",
  },
  { action: "leave", keys: ["Escape"], description: "Close what is open, or leave a field", group: "Page" },
  { action: "openHelp", keys: ["?"], description: "This list", group: "Page" },
];

/** What of a keyboard event decides. A KeyboardEvent is one. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  readonly isComposing: boolean;
  readonly defaultPrevented: boolean;
}

/** Where a key was pressed: in a field that is typed into, on something that Enter and space press, or elsewhere. */
export type KeyPlace = "field" | "control" | "page";

const keysOfControls: ReadonlySet<string> = new Set(["Enter", " "]);

/** What a key does where it was pressed; undefined: it is not ours. */
export function shortcutOf(press: KeyPress, place: KeyPlace): ShortcutAction | undefined {
  if (press.defaultPrevented || press.isComposing) return undefined;
  if (press.ctrlKey || press.altKey || press.metaKey) return undefined;
  if (place === "field" && press.key !== "Escape") return undefined;
  if (place === "control" && keysOfControls.has(press.key)) return undefined;
  return shortcuts.find(({ keys }) => keys.includes(press.key))?.action;
}

const keyNames: Readonly<Record<string, string>> = {
  " ": "Space",
  ArrowDown: "↓",
  ArrowUp: "↑",
  Escape: "Esc",
};

/** A key as it stands on a keyboard. */
export function keyName(key: string): string {
  return keyNames[key] ?? key;
}

/** The value of `aria-keyshortcuts` for a button that does the same. */
export function ariaKeys(action: ShortcutAction): string {
  const keys = shortcuts.find((shortcut) => shortcut.action === action)?.keys ?? [];
  return keys.map((key) => (key === " " ? "Space" : key)).join(" ");
}
