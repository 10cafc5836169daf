/**
 * What can be completed at a place of a filter's text, without asking anybody:
 * which part of the text is being typed, what sort of thing stands there, and
 * how a suggestion is put in its place. The lexer decides, so that completion
 * and meaning never disagree.
 *
 *   service:che│ckout          value     of `service`, beginning with `che`; replaces `checkout`
 *   level:>=│                  operand   of `level`, after an operator
 *   method:in(GET, │           listed    of `method`, in a list
 *   path:(/a OR │)             grouped   of `path`, in parentheses of its own
 *   ser│                       term      a field, a keyword, or a word
 */
import { type FilterToken, formatFilter, tokenizeFilter } from "@logsvc/filter";

/** What sort of text stands at the caret; `none`: nothing that can be suggested. */
export type CompletionPlace = "term" | "value" | "operand" | "listed" | "grouped" | "none";

/** What is typed at the caret. */
export interface CompletionContext {
  readonly place: CompletionPlace;
  /** What a suggestion replaces: from here … */
  readonly start: number;
  /** … up to, not with, here. */
  readonly end: number;
  /** What is typed of it before the caret, without quotes. */
  readonly typed: string;
  /** The field whose value it is. */
  readonly field?: string;
  /** The operator before an operand. */
  readonly operator?: string;
  /** Where the condition begins and ends that it is a part of: what its values are counted without. */
  readonly condition: { readonly start: number; readonly end: number };
  /** Whether a condition is whole before it, so that AND and OR can follow. */
  readonly follows: boolean;
}

/** Parentheses that are open at a place. */
interface OpenParenthesis {
  readonly sort: "plain" | "list" | "group";
  readonly field: string | undefined;
  /** Where the condition begins that they belong to. */
  readonly conditionStart: number;
  readonly open: number;
}

/** What stands before the caret, as far as it matters. */
interface Before {
  readonly stack: OpenParenthesis[];
  /** The field whose colon stands directly before. */
  field: string | undefined;
  operator: string | undefined;
  /** After the keyword `in`. */
  inList: boolean;
  conditionStart: number;
  /** Whether negations stand directly before. */
  negated: boolean;
  follows: boolean;
}

/** What can be completed at the caret, an offset in UTF-16 code units. */
export function completionAt(text: string, caret: number): CompletionContext {
  const tokens = tokenizeFilter(text);
  const at = tokens.find((token) => isTyped(token) && token.start < caret && caret <= token.end);
  const start = at?.start ?? caret;
  const before = walk(text, tokens, start);
  // Directly after a colon or an operator, what stands there is what is replaced.
  const own = before.field !== undefined || before.operator !== undefined;
  const next = own ? tokens.find((token) => isTyped(token) && token.start === caret) : undefined;
  const end = at?.end ?? next?.end ?? caret;
  const typed = typedText(text.slice(start, caret));
  const inner = before.stack.at(-1);
  const shared = { start, end, typed, follows: before.follows };
  // A star after a word, or another text directly before, is not continued by a suggestion.
  const last = tokens.findLast((token) => token.end === start);
  if (last !== undefined && at === undefined && !mayFollow(text, last, before)) return none(shared);
  if (before.operator !== undefined) return operandContext(text, tokens, before, shared);
  if (before.field !== undefined) {
    const condition = { start: before.conditionStart, end };
    return { ...shared, place: "value", field: before.field, condition };
  }
  if (inner?.sort === "list" || inner?.sort === "group") {
    const condition = { start: inner.conditionStart, end: closeOf(text, tokens, inner.open) };
    const place = inner.sort === "list" ? "listed" : "grouped";
    return { ...shared, place, condition, ...(inner.field !== undefined && { field: inner.field }) };
  }
  return { ...shared, place: "term", condition: { start: before.conditionStart, end } };
}

type Shared = Pick<CompletionContext, "start" | "end" | "typed" | "follows">;

function none(shared: Shared): CompletionContext {
  return { ...shared, place: "none", condition: { start: shared.start, end: shared.end } };
}

function operandContext(
  text: string,
  tokens: readonly FilterToken[],
  before: Before,
  shared: Shared,
): CompletionContext {
  const { operator = "", conditionStart } = before;
  const inner = before.stack.at(-1);
  const field = before.field ?? inner?.field ?? "message";
  if (/~/.test(operator)) return none(shared);
  const own = { start: conditionStart, end: shared.end };
  const condition =
    inner?.field === undefined
      ? own
      : { start: inner.conditionStart, end: closeOf(text, tokens, inner.open) };
  return { ...shared, place: "operand", field, operator, condition };
}

/** Reads what stands before a place. */
function walk(text: string, tokens: readonly FilterToken[], end: number): Before {
  const before: Before = {
    stack: [],
    field: undefined,
    operator: undefined,
    inList: false,
    conditionStart: end,
    negated: false,
    follows: false,
  };
  for (const token of tokens) {
    if (token.start >= end) break;
    step(before, text.slice(token.start, token.end), token);
  }
  if (!before.negated && before.field === undefined && before.operator === undefined)
    before.conditionStart = end;
  return before;
}

function step(before: Before, text: string, token: FilterToken): void {
  switch (token.kind) {
    case "space":
      // A value follows its colon at once, an operand its operator at any distance.
      if (before.operator === undefined) before.field = undefined;
      return;
    case "field":
      if (!before.negated) before.conditionStart = token.start;
      before.field = typedText(text);
      return;
    case "operator":
      stepOperator(before, text, token);
      return;
    case "keyword":
      stepKeyword(before, text.toLowerCase(), token);
      return;
    case "paren":
      stepParenthesis(before, text, token);
      return;
    case "word":
    case "phrase":
    case "regexp":
    case "star":
    case "error":
      endCondition(before);
      return;
    case "comma":
      return;
  }
}

function stepOperator(before: Before, text: string, token: FilterToken): void {
  if (text === ":") return;
  if (before.field === undefined && !before.negated) before.conditionStart = token.start;
  if (text !== "-" && text !== "!") before.operator = text;
  else if (before.field === undefined) before.negated = true;
}

function stepKeyword(before: Before, keyword: string, token: FilterToken): void {
  if (keyword === "in") {
    before.inList = true;
    if (before.field === undefined && !before.negated) before.conditionStart = token.start;
    return;
  }
  if (keyword === "not" && !before.negated) before.conditionStart = token.start;
  before.negated = keyword === "not";
  before.follows = false;
}

function stepParenthesis(before: Before, text: string, token: FilterToken): void {
  if (text === ")") {
    before.stack.pop();
    endCondition(before);
    return;
  }
  const outer = before.stack.at(-1)?.field;
  const sort = before.inList ? "list" : (before.field ?? outer) === undefined ? "plain" : "group";
  const field = before.field ?? outer ?? (before.inList ? "message" : undefined);
  const marked = before.negated || before.field !== undefined || before.inList;
  const conditionStart = marked ? before.conditionStart : token.start;
  before.stack.push({ sort, field, conditionStart, open: token.start });
  endCondition(before);
  before.follows = false;
}

function endCondition(before: Before): void {
  before.field = undefined;
  before.operator = undefined;
  before.inList = false;
  before.negated = false;
  before.follows = true;
}

/** Where what is open there is closed, or the text's end. */
function closeOf(text: string, tokens: readonly FilterToken[], open: number): number {
  let depth = 0;
  for (const token of tokens) {
    if (token.kind !== "paren" || token.start < open) continue;
    depth += text[token.start] === "(" ? 1 : -1;
    if (depth === 0) return token.end;
  }
  return text.length;
}

/** Whether a token is text that is typed on, an open quote among it. */
function isTyped({ kind }: FilterToken): boolean {
  return (
    kind === "word" ||
    kind === "phrase" ||
    kind === "keyword" ||
    kind === "error" ||
    kind === "field" ||
    kind === "regexp"
  );
}

function mayFollow(text: string, last: FilterToken, before: Before): boolean {
  switch (last.kind) {
    case "space":
    case "operator":
    case "comma":
      return true;
    case "field":
      return false;
    case "paren":
      return text[last.start] === "(";
    case "keyword":
      return before.inList;
    case "word":
    case "phrase":
    case "regexp":
    case "star":
    case "error":
      return false;
  }
}

/** The text that a whole or a begun quote means. */
function typedText(text: string): string {
  const quote = text[0];
  if (quote !== '"' && quote !== "'" && quote !== "`") return text;
  const inner = text.length > 1 && text.endsWith(quote) ? text.slice(1, -1) : text.slice(1);
  return quote === "`" ? inner : inner.replaceAll(/\\(["'\\])/g, "$1");
}

/** The text without the condition at the caret: what suggestions for it are counted under. */
export function filterAround(text: string, { condition }: CompletionContext): string {
  return `${text.slice(0, condition.start)} * ${text.slice(condition.end)}`;
}

/** A value, written as it must be at its place. */
export function writeValue(value: string, context: CompletionContext): string {
  const { place, operator = "", field = "message" } = context;
  if (place === "listed")
    return formatFilter({ kind: "field", field: "x", match: { kind: "in", texts: [value] } }).slice(5, -1);
  const exact = formatFilter({ kind: "field", field: "x", match: { kind: "exact", text: value } }).slice(3);
  if (place === "operand") return operator === "" ? `=${exact}` : exact;
  if (value === "") return '""';
  // In parentheses of a field the lexer reads text as in a term, where a colon makes a field.
  if (place === "grouped")
    return formatFilter({ kind: "field", field: "message", match: { kind: "phrase", text: value } });
  // Exactly this value, and not one that holds it: that is what was picked from a list.
  if (field !== "level" && field !== "message") return `=${exact}`;
  return formatFilter({ kind: "field", field: "x", match: { kind: "phrase", text: value } }).slice(2);
}

/** A field's name with its colon. */
export function writeField(name: string): string {
  return formatFilter({ kind: "field", field: name, match: { kind: "present" } }).slice(0, -1);
}

/** A text, and where the caret is in it. */
export interface TextWithCaret {
  readonly text: string;
  readonly caret: number;
}

/** Puts a suggestion in its place; `complete`: what follows it is something new. */
export function applyCompletion(
  text: string,
  context: CompletionContext,
  insert: string,
  complete: boolean,
): TextWithCaret & { readonly inserted: string } {
  const rest = text.slice(context.end);
  const space = complete && context.place !== "listed" && !/^[\s)]/.test(rest) ? " " : "";
  // A colon that stands there already is not written twice.
  const inserted = insert.endsWith(":") && rest.startsWith(":") ? insert.slice(0, -1) : `${insert}${space}`;
  const caret = context.start + inserted.length + (inserted.endsWith(":") || !insert.endsWith(":") ? 0 : 1);
  return { text: text.slice(0, context.start) + inserted + rest, caret, inserted };
}
