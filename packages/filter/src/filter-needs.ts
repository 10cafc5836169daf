/**
 * What an entry must have to pass a filter, as far as blocks of entries tell it:
 * conditions that are necessary, not sufficient, so that whoever knows the
 * levels, services and words of some entries can skip them unread. All that is
 * needed together one entry must have: it is not enough that a block has it.
 *
 * A word is here a run of ASCII letters, digits and `_` in a text's UTF-8
 * bytes, as long as possible and in lower case. Every other byte separates, but
 * `ſ` (C5 BF) counts as `s` and the Kelvin sign (E2 84 AA) as `k`: they are the
 * only characters outside ASCII that case folding takes into it. So whatever
 * the case, a text that holds a phrase has the phrase's words, of which only
 * those count that no text can make longer.
 *
 * Of the opposite of a condition nothing is known, except on level and service,
 * whose texts the block's head tells.
 */
import { severityOf } from "@logsvc/proto";
import type { FieldMatch, FilterNode } from "./filter-node.ts";
import { compileMatch } from "./filter-predicate.ts";
import { type Strand, type StrandStep, strandsOf } from "./regexp-strands.ts";
import { readRegexpStructure } from "./regexp-structure.ts";

/** What an entry must have to pass a filter. */
export type FilterNeeds =
  /** Nothing is known to be needed. */
  | { readonly kind: "anything" }
  /** No entry can pass. */
  | { readonly kind: "nothing" }
  | { readonly kind: "and" | "or"; readonly needs: readonly FilterNeeds[] }
  /** It has this word in some field's text (of a level: where its severity is 0). */
  | { readonly kind: "word"; readonly word: string }
  /**
   * Its level or service, as it is stored, passes. A level of severity
   * 0 may be any text; an entry without a service has the empty one.
   */
  | {
      readonly kind: "field";
      readonly field: "level" | "service";
      readonly matches: (text: string) => boolean;
    };

const anything: FilterNeeds = { kind: "anything" };
const nothing: FilterNeeds = { kind: "nothing" };

/** Words of one text that are asked for: the longest, which are the rarest. */
const wordsMax = 8;

/** Of more alternatives some is nearly always there, and asking for each costs more than it saves. */
const alternativesMax = 64;

/** Ways through a regular expression that are looked at. */
const strandsMax = 16;

/** What an entry must have to pass the filter. */
export function filterNeeds(node: FilterNode): FilterNeeds {
  return needsOf(node, false);
}

/** @param isNegated The node's opposite is meant. */
function needsOf(node: FilterNode, isNegated: boolean): FilterNeeds {
  switch (node.kind) {
    case "all":
      return isNegated ? nothing : anything;
    case "not":
      return needsOf(node.node, !isNegated);
    case "and":
    case "or": {
      const needs = node.nodes.map((child) => needsOf(child, isNegated));
      return (node.kind === "and") === isNegated ? anyOf(needs) : allOf(needs);
    }
    case "field":
      return conditionNeeds(node.field, node.match, isNegated);
  }
}

function conditionNeeds(field: string, match: FieldMatch, isNegated: boolean): FilterNeeds {
  if (field !== "level" && field !== "service") return isNegated ? anything : wordNeeds(match);
  const passes = compileMatch(field, match);
  const matches = isNegated ? (text: string) => !passes(text) : passes;
  const own: FilterNeeds = { kind: "field", field, matches };
  return field === "level" && !isNegated ? allOf([own, unknownLevelNeeds(match)]) : own;
}

/** A level that has a severity is not among the words. */
function unknownLevelNeeds(match: FieldMatch): FilterNeeds {
  const isUnknown =
    match.kind === "phrase" || match.kind === "exact"
      ? severityOf(match.text) === 0
      : match.kind === "in" && match.texts.every((text) => severityOf(text) === 0);
  return isUnknown ? wordNeeds(match) : anything;
}

function wordNeeds(match: FieldMatch): FilterNeeds {
  switch (match.kind) {
    case "phrase":
    case "exact":
      return wordsNeeds(wordsOf(match.text, { begins: true, ends: true }));
    case "prefix":
      return wordsNeeds(wordsOf(match.text, { begins: true, ends: false }));
    case "in":
      return anyOf(match.texts.map((text) => wordsNeeds(wordsOf(text, { begins: true, ends: true }))));
    case "regexp": {
      const strands = strandsOf(readRegexpStructure(match.pattern), strandsMax);
      return anyOf(strands.map((strand) => wordsNeeds(strandWords(strand))));
    }
    case "present":
    case "absent":
    case "compare":
      return anything;
  }
}

function wordsNeeds(words: readonly string[]): FilterNeeds {
  const longest = [...new Set(words)].toSorted((a, b) => b.length - a.length).slice(0, wordsMax);
  return allOf(longest.map((word) => ({ kind: "word", word })));
}

/** Whether a word at a text's beginning or end is whole, so that the text around can't make it longer. */
interface Ends {
  readonly begins: boolean;
  readonly ends: boolean;
}

function wordsOf(text: string, { begins, ends }: Ends): string[] {
  const words: string[] = [];
  for (const { 0: word, index } of text.matchAll(/[0-9A-Za-z_\u017f\u212a]+/g)) {
    if ((index > 0 || begins) && (index + word.length < text.length || ends)) words.push(folded(word));
  }
  return words;
}

function folded(word: string): string {
  return word.toLowerCase().replaceAll("\u017f", "s");
}

/** The words that every text has which the strand matches. */
function strandWords(strand: Strand): string[] {
  const words: string[] = [];
  let text = "";
  let begins = false;
  for (const step of strand) {
    if (step.kind === "character") {
      text += step.character;
      continue;
    }
    const separates = isSeparator(step);
    words.push(...wordsOf(text, { begins, ends: separates }));
    text = "";
    begins = separates;
  }
  words.push(...wordsOf(text, { begins, ends: false }));
  return words;
}

/** Whether a word ends before this step, and another may begin after it. */
function isSeparator(step: StrandStep): boolean {
  if (step.kind !== "class") return step.kind === "edge";
  // Without regard to case too, for flags may change within a pattern.
  const members = ["u", "iu"].map((flags) => new RegExp(step.source, flags));
  return !wordCharacters.some((character) => members.some((one) => one.test(character)));
}

const wordCharacters = Array.from(
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_\u017f\u212a",
);

function allOf(needs: readonly FilterNeeds[]): FilterNeeds {
  const flat = needs.flatMap((need) => (need.kind === "and" ? need.needs : need));
  if (flat.some((need) => need.kind === "nothing")) return nothing;
  return join("and", onFieldsTogether(flat.filter((need) => need.kind !== "anything")), anything);
}

function anyOf(needs: readonly FilterNeeds[]): FilterNeeds {
  const flat = needs.flatMap((need) => (need.kind === "or" ? need.needs : need));
  if (flat.length > alternativesMax || flat.some((need) => need.kind === "anything")) return anything;
  return join(
    "or",
    flat.filter((need) => need.kind !== "nothing"),
    nothing,
  );
}

/** It is one entry that all conditions on a field are on. */
function onFieldsTogether(needs: readonly FilterNeeds[]): FilterNeeds[] {
  const together = (["level", "service"] as const).flatMap((field): FilterNeeds[] => {
    const all = needs.flatMap((need) => (need.kind === "field" && need.field === field ? need.matches : []));
    if (all.length === 0) return [];
    return [{ kind: "field", field, matches: (text) => all.every((matches) => matches(text)) }];
  });
  return [...together, ...needs.filter((need) => need.kind !== "field")];
}

function join(kind: "and" | "or", needs: readonly FilterNeeds[], none: FilterNeeds): FilterNeeds {
  const [only] = needs;
  if (only === undefined) return none;
  return needs.length === 1 ? only : { kind, needs };
}
