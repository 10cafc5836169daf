/**
 * What is looked for in the UTF-8 bytes of texts to find those that a condition
 * may match: a run of characters that every such text has, as a RegExp over
 * bytes, and what must stand beside it.
 *
 * Characters that have a case and are not ASCII are left out where case does
 * not count. `s` and `k` are there also as `ſ` (C5 BF) and the Kelvin sign
 * (E2 84 AA), the only ones that fold to ASCII.
 */
import type { FieldMatch } from "./filter-node.ts";
import { endsInWord, startsInWord } from "./phrase.ts";
import { type Strand, type StrandStep, strandsOf } from "./regexp-strands.ts";
import { escapeLiteral, readRegexpStructure } from "./regexp-structure.ts";

/**
 * What must stand beside a needle: anything; nothing, for it is the text's end;
 * no word character of a phrase; no ASCII letter, digit or `_`.
 */
export type Beside = "anything" | "edge" | "no_word" | "no_ascii_word";

/** What to look for. */
export interface TextNeedle {
  /** Finds it in bytes that hold neither `ſ` nor the Kelvin sign. Flag g. */
  readonly plain: RegExp;
  /** Finds it in all. */
  readonly folding: RegExp;
  /** The bytes of each of `plain`'s matches; undefined: they differ. */
  readonly plainLength: number | undefined;
  readonly before: Beside;
  readonly after: Beside;
  /** A text that has it, with the right things beside it, matches. */
  readonly isWhole: boolean;
}

/** A needle that is no RegExp yet: characters, and classes of ASCII. */
interface Run {
  readonly steps: Strand;
  readonly before: Beside;
  readonly after: Beside;
  readonly isWhole: boolean;
}

/** Longer runs are cut: matching costs their length for each byte at the worst. */
const stepsMax = 64;

/** Alternatives that one RegExp looks for. */
const runsMax = 16;

/** A run is worth looking for from this weight on: two characters. One alone is in nearly every text. */
const weightMin = 4;

/** A needle that all texts have which a condition on a field other than `level` matches; undefined: there is none. */
export function needleOf(match: FieldMatch): TextNeedle | undefined {
  switch (match.kind) {
    case "phrase":
    case "prefix": {
      const before = startsInWord(match.text) ? "no_word" : "anything";
      const after = match.kind === "phrase" && endsInWord(match.text) ? "no_word" : "anything";
      return toNeedle([heaviestRun(charactersOf(match.text), { before, after }, true)], true);
    }
    case "exact":
      return toNeedle([exactRun(match.text)], false);
    case "in":
      return match.texts.length > runsMax ? undefined : toNeedle(match.texts.map(exactRun), false);
    case "regexp":
      return regexpNeedle(match.pattern);
    case "present":
    case "absent":
    case "compare":
      return undefined;
  }
}

function charactersOf(text: string): StrandStep[] {
  return Array.from(text, (character) => ({ kind: "character", character }));
}

function exactRun(text: string): Run | undefined {
  return heaviestRun(charactersOf(text), { before: "edge", after: "edge" }, false);
}

function regexpNeedle(pattern: string): TextNeedle | undefined {
  const structure = readRegexpStructure(pattern);
  // Flags may change within a foreign pattern.
  const ignoresCase = structure.ignoreCase || structure.isForeign;
  const runsOf = (strandsMax: number) =>
    strandsOf(structure, strandsMax).map((strand) => strandRun(strand, structure.isForeign, ignoresCase));
  const single = runsOf(1);
  const [run] = single;
  // Three characters alone are found faster than some alternatives of more.
  if (run !== undefined && (run.isWhole || weightOf(run.steps) >= 6)) return toNeedle(single, ignoresCase);
  return toNeedle(runsOf(runsMax), ignoresCase) ?? toNeedle(single, ignoresCase);
}

function strandRun(strand: Strand, isForeign: boolean, ignoresCase: boolean): Run | undefined {
  if (isForeign) return heaviestRun([...strand, { kind: "gap" }], noSides, ignoresCase);
  const before = sideOf(strand.at(0), "^", strand.at(1), ignoresCase);
  const after = sideOf(strand.at(-1), "$", strand.at(-2), ignoresCase);
  const inner = strand.slice(before === "anything" ? 0 : 1, after === "anything" ? undefined : -1);
  return heaviestRun(inner, { before, after }, ignoresCase);
}

interface Sides {
  readonly before: Beside;
  readonly after: Beside;
}

const noSides: Sides = { before: "anything", after: "anything" };

/** What a strand's first or last step says of what is beside the next one. */
function sideOf(
  step: StrandStep | undefined,
  edge: "^" | "$",
  next: StrandStep | undefined,
  ignoresCase: boolean,
): Beside {
  if (step?.kind === "edge" && step.side === edge) return "edge";
  if (step?.kind !== "boundary" || next?.kind !== "character") return "anything";
  // Beside ſ, which is no word character to `\b`, a boundary means the opposite.
  const isWord = ignoresCase ? /^[0-9A-JL-RT-Za-jl-rt-z_]$/ : /^[0-9A-Za-z_]$/;
  return isWord.test(next.character) ? "no_ascii_word" : "anything";
}

/** The run of steps that tells most texts from others. */
function heaviestRun(steps: Strand, sides: Sides, ignoresCase: boolean): Run | undefined {
  let best: Run | undefined;
  for (let from = 0; from < steps.length; from++) {
    if (!isFirst(steps[from], ignoresCase)) continue;
    let to = from + 1;
    while (to < steps.length && to - from < stepsMax && isFindable(steps[to], ignoresCase)) to++;
    const run = { steps: steps.slice(from, to), ...sidesOf(steps, from, to, sides) };
    if (best === undefined || weightOf(run.steps) > weightOf(best.steps)) best = run;
    from = to - 1;
  }
  return best !== undefined && weightOf(best.steps) >= weightMin ? best : undefined;
}

function sidesOf(steps: Strand, from: number, to: number, sides: Sides): Omit<Run, "steps"> {
  const atStart = from === 0;
  const atEnd = to === steps.length;
  return {
    before: atStart ? sides.before : "anything",
    after: atEnd ? sides.after : "anything",
    isWhole: atStart && atEnd,
  };
}

/** A run begins with a character: a class is too often there. */
function isFirst(step: StrandStep | undefined, ignoresCase: boolean): boolean {
  return step?.kind === "character" && isFindable(step, ignoresCase);
}

/** Whether a step is always the same bytes, or one of some bytes of ASCII. */
function isFindable(step: StrandStep | undefined, ignoresCase: boolean): boolean {
  if (step?.kind === "character") return isConstant(step.character, ignoresCase);
  return step?.kind === "class" && asciiMembers(step.source, ignoresCase) !== undefined;
}

function isConstant(character: string, ignoresCase: boolean): boolean {
  if (ignoresCase && asciiFolded(character) < "\x80") return true;
  // What is not UTF-8 is decoded to U+FFFD, and has other bytes.
  if (!character.isWellFormed() || character === "\ufffd") return false;
  return !ignoresCase || (character.toLowerCase() === character && character.toUpperCase() === character);
}

function asciiFolded(character: string): string {
  if (character === "\u017f") return "s";
  return /^[A-Z\u212a]$/.test(character) ? character.toLowerCase() : character;
}

const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

/** The characters of a class of nothing but ASCII. */
function asciiMembers(source: string, ignoresCase: boolean): string | undefined {
  const one = new RegExp(source, ignoresCase ? "iu" : "u");
  // One that is written in ASCII and no complement has others when it has all, or by folding.
  const isOfAscii = Array.from(source).every((character) => character < "\x80") && !source.startsWith("[^");
  if (!isOfAscii || ["\u00e9", "\u017f", "\u212a"].some((other) => one.test(other))) return undefined;
  return ascii.filter((character) => one.test(character)).join("");
}

/** A character weighs more than a class, of which some member is often there. */
function weightOf(steps: Strand): number {
  return steps.reduce((sum, step) => sum + (step.kind === "character" ? 2 : 1), 0);
}

/** Joins the runs, of which every matching text has one. */
function toNeedle(runs: readonly (Run | undefined)[], ignoresCase: boolean): TextNeedle | undefined {
  const [only] = runs;
  if (only === undefined) return undefined;
  if (runs.length === 1) {
    const { steps, ...place } = only;
    const plainLength = steps.reduce((sum, step) => sum + bytesOf(step, ignoresCase), 0);
    const sources = regexpsOf(sourceOf(steps, ignoresCase, false), sourceOf(steps, ignoresCase, true));
    return { ...place, ...sources, plainLength };
  }
  const texts = runs.map((run) => (run === undefined ? "" : charactersIn(run, ignoresCase)));
  if (texts.some((text) => text.length < 2) || texts.length > runsMax) return undefined;
  const all = withoutLonger(texts).map(charactersOf);
  const [plain, folding] = [false, true].map((folds) =>
    all.map((steps) => sourceOf(steps, ignoresCase, folds)).join("|"),
  );
  if (plain === undefined || folding === undefined) return undefined;
  return { ...noSides, isWhole: false, ...regexpsOf(plain, folding), plainLength: undefined };
}

/** A run's beginning up to a class: alternatives are texts, of which no two begin in one place. */
function charactersIn({ steps }: Run, ignoresCase: boolean): string {
  const end = steps.findIndex((step) => step.kind !== "character");
  const text = (end < 0 ? steps : steps.slice(0, end)).map((step) =>
    step.kind === "character" ? step.character : "",
  );
  return ignoresCase ? text.map(asciiFolded).join("") : text.join("");
}

/** Where a text is found in another, the other need not be looked for; and one would hide the other. */
function withoutLonger(texts: readonly string[]): string[] {
  const different = [...new Set(texts)];
  return different.filter((text) => !different.some((other) => other !== text && text.includes(other)));
}

function regexpsOf(plain: string, folding: string): Pick<TextNeedle, "plain" | "folding"> {
  return { plain: new RegExp(plain, "g"), folding: new RegExp(folding, "g") };
}

const utf8 = new TextEncoder();

function bytesOf(step: StrandStep, ignoresCase: boolean): number {
  if (step.kind !== "character") return 1;
  return utf8.encode(ignoresCase ? asciiFolded(step.character) : step.character).length;
}

/** @param folds Also what folds to ASCII without being it. */
function sourceOf(steps: Strand, ignoresCase: boolean, folds: boolean): string {
  return steps.map((step) => stepSource(step, ignoresCase, folds)).join("");
}

function stepSource(step: StrandStep, ignoresCase: boolean, folds: boolean): string {
  if (step.kind === "class") return `[${escapeMembers(asciiMembers(step.source, ignoresCase) ?? "")}]`;
  if (step.kind !== "character") return "";
  const letter = asciiFolded(step.character);
  if (!ignoresCase || !/^[a-z]$/.test(letter)) return escapeLiteral(latin1Of(step.character));
  const cases = `[${letter}${letter.toUpperCase()}]`;
  if (!folds) return cases;
  if (letter === "s") return `(?:${cases}|${latin1Of("\u017f")})`;
  return letter === "k" ? `(?:${cases}|${latin1Of("\u212a")})` : cases;
}

function escapeMembers(members: string): string {
  return members.replace(/[\\\]^-]/g, "\\$&");
}

/** A text's UTF-8, each byte as the character of its number. */
export function latin1Of(text: string): string {
  return Array.from(utf8.encode(text), (byte) => String.fromCharCode(byte)).join("");
}
