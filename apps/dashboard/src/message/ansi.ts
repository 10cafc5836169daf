/**
 * ANSI escape sequences in a message, as terminals know them: colours and
 * styles (SGR, `ESC [ … m`) become spans of text with a style, every other
 * sequence is taken out, and control characters are made visible. The text is
 * never made into HTML.
 *
 * One pass over the text, and a bound on how many spans it makes: a message
 * that changes its colour with every character must not make a million
 * elements.
 *
 * The sixteen named colours are classes, so that the theme chooses values that
 * can be read on its background. Of the 256 and the 16 million others the
 * style sheet keeps the hue, and moves the lightness into the theme's range.
 * Where a message sets a background as well, both are taken as they are, and
 * the text becomes black or white if it could not be read otherwise.
 */

/** One of the sixteen colours by number, or any colour as red, green and blue from 0 to 255. */
export type AnsiColor = number | readonly [red: number, green: number, blue: number];

/** What SGR parameters have set. */
export interface AnsiStyle {
  readonly foreground?: AnsiColor | undefined;
  readonly background?: AnsiColor | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly strike?: boolean;
  readonly inverse?: boolean;
}

/** A piece of text in one style. Without a style: as the text around it. */
export interface AnsiSpan {
  readonly text: string;
  readonly style?: AnsiStyle;
}

/** Spans of one message, at the most; the text after the last one stays without a style of its own. */
export const ansiSpansMax = 5_000;

const escapeCharacter = "\u001b";
const bell = "\u0007";
const escapeCode = 0x1b;
/** The one-character form of `ESC [`, in the C1 set. */
const controlSequenceCode = 0x9b;

/** Whether a text has anything that `parseAnsi` would change: most have nothing, and are drawn as they are. */
export function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (isControl(text.charCodeAt(i))) return true;
  }
  return false;
}

/** Control characters but for tab and line feed, which text may have. */
function isControl(code: number): boolean {
  if (code >= 0x20) return code === 0x7f || (code >= 0x80 && code < 0xa0);
  return code !== 0x09 && code !== 0x0a;
}

/** The text in spans, none empty and no two neighbours of one style. Linear in the text's length. */
export function parseAnsi(text: string, spansMax: number = ansiSpansMax): readonly AnsiSpan[] {
  if (!hasControls(text)) return text === "" ? [] : [{ text }];
  const spans: AnsiSpan[] = [];
  let style: AnsiStyle = {};
  let pending = "";
  const flush = (): void => {
    if (pending === "") return;
    spans.push(Object.keys(style).length === 0 ? { text: pending } : { text: pending, style });
    pending = "";
  };
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (!isControl(code)) {
      const end = controlAfter(text, at);
      pending += text.slice(at, end);
      at = end;
      continue;
    }
    const sequence = sequenceAt(text, at);
    at = sequence.end;
    pending += sequence.shown;
    if (sequence.parameters !== undefined && spans.length < spansMax - 1) {
      const next = applyParameters(style, sequence.parameters);
      if (!sameStyle(style, next)) flush();
      style = next;
      // What comes after the last allowed change is one plain span.
      if (spans.length === spansMax - 1) style = {};
    }
  }
  flush();
  return spans;
}

/** The text alone, as `parseAnsi` leaves it. */
export function stripAnsi(text: string): string {
  if (!hasControls(text)) return text;
  return parseAnsi(text, 1)
    .map((span) => span.text)
    .join("");
}

function controlAfter(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isControl(text.charCodeAt(at))) at++;
  return at;
}

/** What begins at a control character: where it ends, what is shown in its place, and SGR's parameters if it is SGR. */
interface Sequence {
  readonly end: number;
  readonly shown: string;
  readonly parameters?: string;
}

function sequenceAt(text: string, at: number): Sequence {
  const code = text.charCodeAt(at);
  if (code === controlSequenceCode) return controlSequence(text, at + 1);
  if (code !== escapeCode) return { end: at + 1, shown: visibleControl(text, at) };
  switch (text[at + 1]) {
    case "[":
      return controlSequence(text, at + 2);
    case "]":
    case "P":
    case "X":
    case "^":
    case "_":
      return { end: stringEnd(text, at + 2), shown: "" };
    case undefined:
      return { end: at + 1, shown: "" };
    default:
      return { end: shortSequenceEnd(text, at + 1), shown: "" };
  }
}

/** CSI: parameters (0x30-0x3f), intermediates (0x20-0x2f), and a final character (0x40-0x7e). */
function controlSequence(text: string, from: number): Sequence {
  let at = from;
  while (inRange(text.charCodeAt(at), 0x30, 0x3f)) at++;
  const parameters = text.slice(from, at);
  while (inRange(text.charCodeAt(at), 0x20, 0x2f)) at++;
  // A sequence that breaks off: what is there so far goes, the rest is text.
  if (!inRange(text.charCodeAt(at), 0x40, 0x7e)) return { end: at, shown: "" };
  const plain = text[at] === "m" && /^[\d;:]*$/.test(parameters);
  return { end: at + 1, shown: "", ...(plain && { parameters }) };
}

/** OSC, DCS and the like: up to BEL or `ESC \`. One that never ends takes only its two first characters. */
function stringEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === bell) return at + 1;
    if (character === escapeCharacter) return text[at + 1] === "\\" ? at + 2 : from;
    if (character === "\n") return from;
  }
  return from;
}

/** `ESC`, intermediates, one final character: choosing character sets, saving the cursor. */
function shortSequenceEnd(text: string, from: number): number {
  let at = from;
  while (inRange(text.charCodeAt(at), 0x20, 0x2f)) at++;
  return inRange(text.charCodeAt(at), 0x30, 0x7e) ? at + 1 : at;
}

function inRange(code: number, first: number, last: number): boolean {
  return code >= first && code <= last;
}

/** A control character as Unicode's picture of it. A carriage return before a line feed, or at the end, is not shown. */
function visibleControl(text: string, at: number): string {
  const code = text.charCodeAt(at);
  if (code === 0x0d) return at + 1 === text.length || text[at + 1] === "\n" ? "" : "\u240d";
  if (code === 0x7f) return "\u2421";
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\ufffd";
}

function applyParameters(style: AnsiStyle, parameters: string): AnsiStyle {
  const numbers = parameters.split(";");
  let next = style;
  for (let i = 0; i < numbers.length; i++) {
    const parts = (numbers[i] ?? "").split(":").map(Number);
    const number = parts[0] ?? 0;
    if (number === 38 || number === 48) {
      const extended = parts.length > 1 ? colonColor(parts) : semicolonColor(numbers, i + 1);
      i += extended.taken;
      const key = number === 38 ? "foreground" : "background";
      if (extended.color !== undefined) next = { ...next, [key]: extended.color };
    } else {
      next = applyNumber(next, number, parts[1]);
    }
  }
  return next;
}

function applyNumber(style: AnsiStyle, number: number, detail: number | undefined): AnsiStyle {
  if (inRange(number, 30, 37)) return { ...style, foreground: number - 30 };
  if (inRange(number, 90, 97)) return { ...style, foreground: number - 90 + 8 };
  if (inRange(number, 40, 47)) return { ...style, background: number - 40 };
  if (inRange(number, 100, 107)) return { ...style, background: number - 100 + 8 };
  // "4:0" is no underline; the other forms of 4 are its shapes.
  if (number === 4 && detail === 0) return without(style, "underline");
  const set = flagsSet[number];
  if (set !== undefined) return { ...style, [set]: true };
  const unset = flagsUnset[number];
  if (unset !== undefined) return without(style, ...unset);
  // What is not known changes nothing.
  return number === 0 ? {} : style;
}

const flagsSet: Readonly<Record<number, keyof AnsiStyle>> = {
  1: "bold",
  2: "dim",
  3: "italic",
  4: "underline",
  7: "inverse",
  9: "strike",
  21: "underline",
};

const flagsUnset: Readonly<Record<number, readonly (keyof AnsiStyle)[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  29: ["strike"],
  39: ["foreground"],
  49: ["background"],
};

function without(style: AnsiStyle, ...keys: readonly (keyof AnsiStyle)[]): AnsiStyle {
  return Object.fromEntries(Object.entries(style).filter(([key]) => !keys.includes(key as keyof AnsiStyle)));
}

/** A colour, and how many parameters after 38 or 48 it took. */
interface ExtendedColor {
  readonly color?: AnsiColor | undefined;
  readonly taken: number;
}

/** `38;5;n` and `38;2;r;g;b`. */
function semicolonColor(numbers: readonly string[], from: number): ExtendedColor {
  const [kind, ...values] = numbers.slice(from, from + 4).map(Number);
  if (kind === 5) return { color: paletteColor(values[0]), taken: 2 };
  if (kind === 2) return { color: trueColor(values), taken: 4 };
  return { taken: 0 };
}

/** `38:5:n`, `38:2:r:g:b` and, with a colour space, `38:2::r:g:b`. */
function colonColor(parts: readonly number[]): ExtendedColor {
  if (parts[1] === 5) return { color: paletteColor(parts[2]), taken: 0 };
  if (parts[1] === 2) return { color: trueColor(parts.slice(parts.length > 5 ? 3 : 2)), taken: 0 };
  return { taken: 0 };
}

function trueColor([red = 0, green = 0, blue = 0]: readonly number[]): AnsiColor | undefined {
  return [red, green, blue].every((value) => inRange(value, 0, 255)) ? [red, green, blue] : undefined;
}

/** The palette of 256: sixteen names, a cube of six steps a side, 24 greys. */
function paletteColor(number = 0): AnsiColor | undefined {
  if (!inRange(number, 0, 255)) return undefined;
  if (number < 16) return number;
  if (number >= 232) {
    const grey = 8 + (number - 232) * 10;
    return [grey, grey, grey];
  }
  const cube = number - 16;
  const step = (value: number): number => (value === 0 ? 0 : 55 + value * 40);
  return [step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)];
}

function sameStyle(a: AnsiStyle, b: AnsiStyle): boolean {
  if (a === b) return true;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof AnsiStyle>;
  return [...keys].every((key) => sameColor(a[key], b[key]));
}

function sameColor(a: AnsiStyle[keyof AnsiStyle], b: AnsiStyle[keyof AnsiStyle]): boolean {
  return a === b || (Array.isArray(a) && Array.isArray(b) && a.join() === b.join());
}
