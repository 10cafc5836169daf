/**
 * What a regular expression is made of, as far as two questions need it: how
 * large it becomes when its counted repetitions are written out, and whether
 * the platform's own, backtracking RegExp can run it in linear time.
 *
 * Only a test "matches somewhere" is wanted. So a repetition at the
 * pattern's beginning or end may stop at its least count (`.*a+` finds
 * something exactly where `a` does), and captures, laziness and the order of
 * alternatives don't matter.
 *
 * Of what then remains, RegExp may run
 * 1. characters, classes, alternatives and counted repetitions, when the number
 *    of ways through them times their length is small: that is the most one
 *    starting place can cost;
 * 2. `x+`, `x*` and `x{n,}` of one character or class, when it stands between
 *    two literal characters that x does not match (or `^` before, `$` after).
 *    Such a loop can only begin where a run of x begins and only succeed where
 *    it ends; so for each way through the rest, a run is entered from one
 *    starting place at most, and all runs together cost the text's length.
 *
 * Everything else is left to RE2, and so is what the two read differently.
 */

/** A part of a pattern. */
export type RegexpPart =
  | RegexpAtom
  | { readonly kind: "sequence"; readonly parts: readonly RegexpPart[] }
  | { readonly kind: "alternatives"; readonly parts: readonly RegexpPart[] }
  | { readonly kind: "repetition"; readonly part: RegexpPart; readonly min: number; readonly max: number };

/** One character, or a place between two: an edge of the text or line, `\b`, or another assertion. */
export interface RegexpAtom {
  readonly kind: "atom";
  /** It for RegExp with the flag u; absent: not for RegExp. */
  readonly source: string | undefined;
  readonly role: "literal" | "class" | "edge" | "boundary" | "assertion";
}

/** A pattern's structure, from `readRegexpStructure`. */
export interface RegexpStructure {
  readonly part: RegexpPart;
  /** The whole pattern is without regard to case. */
  readonly ignoreCase: boolean;
  /** Flags change within the pattern, or it quotes: the parts are in their places, but what they match may differ. */
  readonly isForeign: boolean;
}

/** A parenthesis without its other half, at `at` in the pattern, or one nested too deeply. */
export class RegexpStructureError extends Error {
  override readonly name = "RegexpStructureError";
  readonly at: number;

  constructor(reason: string, at: number) {
    super(reason);
    this.at = at;
  }
}

/** Deeper than anyone reads, and far from what the stack holds. */
const nestingMax = 100;

/** Reads a pattern. What is not RE2's syntax otherwise is for RE2 to refuse. */
export function readRegexpStructure(pattern: string): RegexpStructure {
  return new Reader(pattern).read();
}

/** About the number of instructions that RE2 compiles a part to. */
export function regexpSizeOf(part: RegexpPart): number {
  switch (part.kind) {
    case "atom":
      return 1;
    case "sequence":
      return part.parts.reduce((sum, child) => sum + regexpSizeOf(child), 1);
    case "alternatives":
      return part.parts.reduce((sum, child) => sum + regexpSizeOf(child) + 1, 0);
    case "repetition": {
      const { min, max } = part;
      const copies = max === Number.POSITIVE_INFINITY ? min + 1 : max;
      return regexpSizeOf(part.part) * copies + (copies - min) + 1;
    }
  }
}

/** The most steps that one starting place may cost in RegExp. Usual patterns have under 50. */
const stepsMax = 200;

/** A RegExp that matches somewhere in a text exactly when RE2 does, in linear time; undefined when there is none. */
export function nativeRegexpOf(structure: RegexpStructure): RegExp | undefined {
  if (structure.isForeign) return undefined;
  const flags = structure.ignoreCase ? "iu" : "u";
  const native = emit(structure.part, { atStart: true, atEnd: true, flags });
  if (native === undefined || native.ways * native.length > stepsMax) return undefined;
  return new RegExp(native.source, flags);
}

/** Source for RegExp, in how many ways it can match from one place, and over how many steps each. */
interface Native {
  readonly source: string;
  readonly ways: number;
  readonly length: number;
}

interface Place {
  /** Nothing stands before it in the pattern. */
  readonly atStart: boolean;
  /** Nothing stands after it in the pattern. */
  readonly atEnd: boolean;
  readonly flags: string;
}

function emit(part: RegexpPart, place: Place): Native | undefined {
  switch (part.kind) {
    case "atom":
      return part.source === undefined ? undefined : { source: part.source, ways: 1, length: 1 };
    case "sequence":
      return emitSequence(part.parts, place);
    case "alternatives":
      return emitAlternatives(part.parts, place);
    case "repetition":
      return emitRepetition(part, place);
  }
}

function emitSequence(parts: readonly RegexpPart[], place: Place): Native | undefined {
  let source = "";
  let ways = 1;
  let length = 1;
  for (const [index, part] of parts.entries()) {
    const isFirst = index === 0;
    const isLast = index === parts.length - 1;
    const inner = { atStart: place.atStart && isFirst, atEnd: place.atEnd && isLast, flags: place.flags };
    const native = emit(part, inner) ?? emitRun(part, parts[index - 1], parts[index + 1], place.flags);
    if (native === undefined) return undefined;
    source += native.source;
    ways *= native.ways;
    length += native.length;
  }
  return { source, ways, length };
}

function emitAlternatives(parts: readonly RegexpPart[], place: Place): Native | undefined {
  const natives: Native[] = [];
  for (const part of parts) {
    const native = emit(part, place);
    if (native === undefined) return undefined;
    natives.push(native);
  }
  return {
    source: `(?:${natives.map((native) => native.source).join("|")})`,
    ways: natives.reduce((sum, native) => sum + native.ways, 0),
    length: Math.max(...natives.map((native) => native.length)),
  };
}

function emitRepetition(part: RegexpPart & { kind: "repetition" }, place: Place): Native | undefined {
  // An assertion may hold in one place and not in the next, and repeating it is rare enough.
  if (part.part.kind === "atom" && isPlace(part.part)) return undefined;
  const { min } = part;
  const max = place.atStart || place.atEnd ? min : part.max;
  if (max === Number.POSITIVE_INFINITY) return undefined;
  const native = emit(part.part, { atStart: false, atEnd: false, flags: place.flags });
  if (native === undefined) return undefined;
  return {
    source: min === 1 && max === 1 ? native.source : `(?:${native.source}){${min},${max}}`,
    ways: (max - min + 1) * native.ways ** max,
    length: Math.max(1, max * native.length),
  };
}

/** The loop between two literals that it does not match: see rule 2 above. */
function emitRun(
  part: RegexpPart,
  before: RegexpPart | undefined,
  after: RegexpPart | undefined,
  flags: string,
): Native | undefined {
  if (part.kind !== "repetition" || part.max !== Number.POSITIVE_INFINITY) return undefined;
  const { part: body, min } = part;
  if (body.kind !== "atom" || body.source === undefined || isPlace(body)) return undefined;
  const run = new RegExp(`^${body.source}$`, flags);
  if (!isFence(before, run, "^") || !isFence(after, run, "$")) return undefined;
  return { source: `${body.source}{${min},}`, ways: 1, length: 2 + min };
}

function isFence(part: RegexpPart | undefined, run: RegExp, anchor: string): boolean {
  if (part?.kind !== "atom" || part.source === undefined) return false;
  if (isPlace(part)) return part.source === anchor;
  return part.role === "literal" && !run.test(unescapeLiteral(part.source));
}

function isPlace(atom: RegexpAtom): boolean {
  return atom.role !== "literal" && atom.role !== "class";
}

/** Source that stands for just this text, for RegExp with the flag u. */
export function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** The character that a literal's source stands for. */
export function unescapeLiteral(source: string): string {
  return source.startsWith("\\") ? source.slice(1) : source;
}

/** Perl's classes are ASCII in RE2; RegExp's own are not quite. */
const perlClasses: Readonly<Record<string, string>> = {
  d: "0-9",
  w: "0-9A-Za-z_",
  s: "\\t\\n\\f\\r ",
};

const controlEscapes: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v" };

// With a zero before a number it is no repetition, and stands for itself.
const repeatPattern = /(?:([*+?])|\{(0|[1-9]\d{0,3})(?:(,)(0|[1-9]\d{0,3})?)?\})\??/y;
const flagsPattern = /\(\?([is]+)\)/y;
const groupOpenPattern = /\(\?(?:P?<[A-Za-z0-9_]+>|:)/y;
const otherOpenPattern = /\(\?[a-zA-Z-]*:?/y;
const innerFlagsPattern = /\(\?[a-zA-Z-]*\)/y;
// What follows `\x`, `\p` and `\1`.
const hexPattern = /\{[^}]*\}|[0-9A-Fa-f]{2}/y;
const unicodeClassPattern = /\{[^}]*\}|[\s\S]/y;
const octalPattern = /[0-7]{1,2}/y;
const classPattern = /\[\^?\]?(?:\[:\^?[a-z]+:\]|\\[\s\S]|[^\\\]])*\]/y;
/** A class that both read alike: characters, ranges and Perl's classes. */
const plainClassPattern =
  /^\[(\^?)(-?(?:\\[dwstnrfv]|\\[\\[\]^-]|\\?[ !"#$%'()*+,./:;<=>?@_`{|}~]|[\p{L}\p{N}](?:-[\p{L}\p{N}])?)+-?)\]$/u;

class Reader {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;
  #ignoreCase = false;
  #dotAll = false;
  /** Something was met that only RE2 reads rightly. */
  #foreign = false;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): RegexpStructure {
    const flags = this.#take(flagsPattern)?.[1] ?? "";
    this.#ignoreCase = flags.includes("i");
    this.#dotAll = flags.includes("s");
    const part = this.#alternatives();
    if (this.#at < this.#pattern.length)
      throw new RegexpStructureError("`)` without a `(` before it", this.#at);
    return { part, ignoreCase: this.#ignoreCase, isForeign: this.#foreign };
  }

  #alternatives(): RegexpPart {
    const parts = [this.#sequence()];
    while (this.#pattern[this.#at] === "|") {
      this.#at++;
      parts.push(this.#sequence());
    }
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : { kind: "alternatives", parts };
  }

  #sequence(): RegexpPart {
    const parts: RegexpPart[] = [];
    while (this.#at < this.#pattern.length && !"|)".includes(this.#pattern[this.#at] ?? "")) {
      parts.push(...this.#next());
      // Behind flags, or a quotation of nothing, it is of what stands before them.
      const last = parts.pop();
      if (last !== undefined) parts.push(this.#repeated(last));
    }
    return { kind: "sequence", parts };
  }

  /** What a repetition may follow is the last one of them. */
  #next(): readonly RegexpPart[] {
    if (this.#takeFlags()) return [];
    return this.#pattern.startsWith("\\Q", this.#at) ? this.#quotation() : [this.#single()];
  }

  #takeFlags(): boolean {
    if (this.#take(innerFlagsPattern) === undefined) return false;
    this.#foreign = true;
    return true;
  }

  #repeated(part: RegexpPart): RegexpPart {
    const [, sign, from, comma, to] = this.#take(repeatPattern) ?? [];
    if (sign === "*") return repetition(part, 0, Number.POSITIVE_INFINITY);
    if (sign === "+") return repetition(part, 1, Number.POSITIVE_INFINITY);
    if (sign === "?") return repetition(part, 0, 1);
    if (from === undefined) return part;
    const min = Number(from);
    if (comma === undefined) return repetition(part, min, min);
    return repetition(part, min, to === undefined ? Number.POSITIVE_INFINITY : Number(to));
  }

  #single(): RegexpPart {
    switch (this.#pattern.charAt(this.#at)) {
      case "(":
        return this.#group();
      case "[":
        return this.#class();
      case "\\":
        return this.#escape();
      case ".":
        this.#at++;
        return atom(this.#dotAll ? "[\\s\\S]" : "[^\\n]", "class");
      case "^":
      case "$":
        return atom(this.#pattern[this.#at++], "edge");
      default:
        return this.#literal();
    }
  }

  #literal(): RegexpPart {
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return atom(escapeLiteral(character), "literal");
  }

  #group(): RegexpPart {
    const open = this.#at;
    if (this.#take(groupOpenPattern) === undefined) {
      if (this.#pattern[open + 1] === "?") return this.#flagGroup(open);
      this.#at++;
    }
    return this.#groupBody(open);
  }

  /** A group with flags of its own, or what RE2 will refuse, such as `(?=`. */
  #flagGroup(open: number): RegexpPart {
    this.#foreign = true;
    this.#take(otherOpenPattern);
    return this.#groupBody(open);
  }

  #groupBody(open: number): RegexpPart {
    if (this.#depth === nestingMax) {
      throw new RegexpStructureError(`parentheses nest deeper than the limit of ${nestingMax}`, open);
    }
    this.#depth++;
    const part = this.#alternatives();
    this.#depth--;
    if (this.#pattern[this.#at] !== ")")
      throw new RegexpStructureError("the parenthesis is not closed", open);
    this.#at++;
    return part;
  }

  #class(): RegexpPart {
    const [text] = this.#take(classPattern) ?? [];
    if (text === undefined) return this.#unclosedClass();
    const [, negation, members] = plainClassPattern.exec(text) ?? [];
    if (members === undefined) return atom(undefined, "class");
    const source = members.replace(/\\(.)/g, (pair: string, name: string) => {
      return perlClasses[name] ?? (/[tnrfv\\[\]^-]/.test(name) ? pair : name);
    });
    return atom(`[${negation}${source}]`, "class");
  }

  /** An error, which RE2 will name; what follows is all in the class. */
  #unclosedClass(): RegexpPart {
    this.#at = this.#pattern.length;
    return atom(undefined, "class");
  }

  #escape(): RegexpPart {
    const name = this.#pattern[this.#at + 1] ?? "";
    this.#at += 2;
    const perlClass = perlClasses[name.toLowerCase()];
    if (perlClass !== undefined)
      return atom(name === name.toLowerCase() ? `[${perlClass}]` : `[^${perlClass}]`, "class");
    const control = controlEscapes[name];
    if (control !== undefined) return atom(control, "literal");
    if (name === "A") return atom("^", "edge");
    if (name === "z") return atom("$", "edge");
    // With the flag i RegExp counts two characters outside ASCII as word characters;
    // and V8 finds \B between the two halves of a surrogate pair.
    if (name === "b") return atom(this.#ignoreCase ? undefined : "\\b", "boundary");
    if (name === "B") return atom(undefined, "assertion");
    if (/^[^\w\s]$/.test(name) && name < "\x7f") return atom(escapeLiteral(name), "literal");
    return this.#foreignEscape(name);
  }

  /** A Unicode class, a character by number, or an error. */
  #foreignEscape(name: string): RegexpPart {
    if (name === "x") this.#take(hexPattern);
    else if (name === "p" || name === "P") this.#take(unicodeClassPattern);
    else if (/^[0-7]$/.test(name)) this.#take(octalPattern);
    return atom(undefined, "class");
  }

  #quotation(): readonly RegexpPart[] {
    const end = this.#pattern.indexOf("\\E", this.#at);
    const text = this.#pattern.slice(this.#at + 2, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#pattern.length : end + 2;
    this.#foreign = true;
    return Array.from(text, () => atom(undefined, "literal"));
  }

  #take(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.#pattern) ?? undefined;
    if (match !== undefined) this.#at = sticky.lastIndex;
    return match;
  }
}

function atom(source: string | undefined, role: RegexpAtom["role"]): RegexpPart {
  return { kind: "atom", source, role };
}

function repetition(part: RegexpPart, min: number, max: number): RegexpPart {
  return { kind: "repetition", part, min, max };
}
