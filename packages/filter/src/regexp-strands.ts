/**
 * What every match of a regular expression holds, as strands: ways through the
 * pattern, step by step. Where the pattern matches, one of its strands does.
 *
 * `^user=(ann|bob)\d+ .*x` has two: `^ u s e r = a n n \d … \d ␣ … x`, and the
 * same with `b o b`, where `…` is a gap, in which anything may stand. What lies
 * between two gaps stands in the text as it is; a strand without gaps is a
 * pattern by itself.
 */
import type { RegexpAtom, RegexpPart, RegexpStructure } from "./regexp-structure.ts";
import { unescapeLiteral } from "./regexp-structure.ts";

/** A step of a strand: a character or one of a class, a place between two, or a gap. */
export type StrandStep =
  | { readonly kind: "character"; readonly character: string }
  /** `source` is the class for RegExp with the flag u. */
  | { readonly kind: "class"; readonly source: string }
  /** The beginning (`^`) or end (`$`) of the text, or of a line where the pattern is foreign. */
  | { readonly kind: "edge"; readonly side: "^" | "$" }
  /** `\b` */
  | { readonly kind: "boundary" }
  | { readonly kind: "gap" };

/** A way through a pattern. */
export type Strand = readonly StrandStep[];

/** A strand's steps at the most; what follows becomes a gap. */
const stepsMax = 64;

const gap: StrandStep = { kind: "gap" };

/**
 * The strands of a pattern: at least one.
 *
 * @param strandsMax Where there would be more, alternatives become gaps.
 */
export function strandsOf(structure: RegexpStructure, strandsMax: number): readonly Strand[] {
  return expand(structure.part, { atStart: true, atEnd: true, strandsMax });
}

interface Place {
  /** Nothing stands before it in the pattern, so that a repetition may begin as late as it can. */
  readonly atStart: boolean;
  /** Nothing stands after it in the pattern, so that a repetition may stop as soon as it can. */
  readonly atEnd: boolean;
  readonly strandsMax: number;
}

function expand(part: RegexpPart, place: Place): readonly Strand[] {
  switch (part.kind) {
    case "atom":
      return [[stepOf(part)]];
    case "sequence":
      return expandSequence(part.parts, place);
    case "alternatives": {
      const strands = part.parts.flatMap((child) => expand(child, place));
      return strands.length > place.strandsMax ? [[gap]] : strands;
    }
    case "repetition":
      return expandRepetition(part, place);
  }
}

function stepOf({ source, role }: RegexpAtom): StrandStep {
  if (role === "boundary") return { kind: "boundary" };
  if (source === undefined) return gap;
  if (role === "literal") return { kind: "character", character: unescapeLiteral(source) };
  if (role === "class") return { kind: "class", source };
  return source === "^" || source === "$" ? { kind: "edge", side: source } : gap;
}

function expandSequence(parts: readonly RegexpPart[], place: Place): readonly Strand[] {
  let strands: readonly Strand[] = [[]];
  for (const [index, part] of parts.entries()) {
    const atStart = place.atStart && index === 0;
    const atEnd = place.atEnd && index === parts.length - 1;
    const all = expand(part, { ...place, atStart, atEnd });
    const next = strands.length * all.length > place.strandsMax ? [[gap]] : all;
    strands = strands.flatMap((strand) => next.map((more) => joined(strand, more)));
  }
  return strands;
}

function joined(strand: Strand, more: Strand): Strand {
  if (strand.length + more.length <= stepsMax) return [...strand, ...more];
  return strand.length > stepsMax ? strand : [...strand, ...more.slice(0, stepsMax - strand.length), gap];
}

function expandRepetition(part: RegexpPart & { kind: "repetition" }, place: Place): readonly Strand[] {
  const { min } = part;
  const max = place.atStart || place.atEnd ? min : part.max;
  if (max === 0) return [[]];
  const bodies = expand(part.part, { ...place, atStart: false, atEnd: false });
  if (min === 0) return max === 1 && bodies.length < place.strandsMax ? [[], ...bodies] : [[gap]];
  if (max === 1) return bodies;
  const [only = []] = bodies;
  if (bodies.length > 1) return bodies.map((body) => [...body, gap]);
  // One that may be the first as well as the last stands on both sides of the gap.
  const copies = Math.min(min, Math.max(1, Math.floor(stepsMax / 2 / Math.max(1, only.length))));
  const steps = Array.from({ length: copies }, () => only).flat();
  return [copies === max ? steps : [...steps, gap, ...only]];
}
