/**
 * Regular expressions in RE2's syntax, whose matching takes time linear in the
 * text: a filter is a user's, and must not be able to hang the server.
 * https://github.com/google/re2/wiki/Syntax
 *
 * The engine is RE2JS, except for patterns that are provably as safe in the
 * platform's RegExp, which is some ten times as fast (see regexp-structure.ts);
 * what matches is the same.
 */
import { limits } from "@logsvc/proto";
import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";
import {
  nativeRegexpOf,
  RegexpStructureError,
  readRegexpStructure,
  regexpSizeOf,
} from "./regexp-structure.ts";

/** A pattern that is not a regular expression of RE2, or too large a one. Offsets are into the pattern. */
export class RegexpSyntaxError extends Error {
  override readonly name = "RegexpSyntaxError";
  readonly start: number;
  readonly end: number;

  constructor(reason: string, start: number, end: number) {
    super(reason);
    this.start = start;
    this.end = end;
  }
}

/**
 * Compiles a pattern into a test whether it matches somewhere in a text.
 *
 * @throws RegexpSyntaxError when it is not one of RE2, or larger than
 *   `limits.filterRegexpSizeMax`.
 */
export function compileRegexp(pattern: string): (text: string) => boolean {
  const re2 = compileRe2(pattern);
  const native = nativeRegexpOf(readRegexpStructure(pattern));
  if (native !== undefined) return (text) => native.test(text);
  return (text) => re2.test(text);
}

function compileRe2(pattern: string): RE2JS {
  refuseLargePattern(pattern);
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw faultOf(pattern, error);
  }
}

/** RE2JS would take seconds and gigabytes to compile what it then may refuse. */
function refuseLargePattern(pattern: string): void {
  const size = regexpSize(pattern);
  if (size <= limits.filterRegexpSizeMax) return;
  const reason = `with its repetitions written out it has about ${size} steps, the limit is ${limits.filterRegexpSizeMax}`;
  throw new RegexpSyntaxError(reason, 0, pattern.length);
}

/**
 * How large a pattern is, in steps: about the number of instructions that it
 * compiles to, repetitions written out.
 *
 * @throws RegexpSyntaxError for parentheses that don't match.
 */
export function regexpSize(pattern: string): number {
  try {
    return regexpSizeOf(readRegexpStructure(pattern).part);
  } catch (error) {
    if (!(error instanceof RegexpStructureError)) throw error;
    throw new RegexpSyntaxError(error.message, error.at, error.at + 1);
  }
}

function faultOf(pattern: string, error: RE2JSException): RegexpSyntaxError {
  const fragment = error instanceof RE2JSSyntaxException ? error.input : null;
  if (!fragment) return new RegexpSyntaxError(error.message, 0, pattern.length);
  // Of `(?P=` it tells `(?P`, which is also how every named group begins.
  const isNamed = fragment === "(?P";
  const start = isNamed
    ? Math.max(0, pattern.search(/\(\?P(?!<)/))
    : placeOf(pattern, fragment, error.message);
  const known = unsupported.find(([construct]) => construct.test(pattern.slice(start)));
  // RE2JS tells sometimes more than the construct, sometimes less.
  const construct = known?.[0].exec(pattern.slice(start))?.[0] ?? fragment;
  return new RegexpSyntaxError(
    `\`${construct}\`: ${known?.[1] ?? descriptionOf(error)}`,
    start,
    Math.min(start + construct.length, pattern.length),
  );
}

/** What others' regular expressions have and RE2 has not, and what to write instead. */
const unsupported: readonly (readonly [construct: RegExp, reason: string])[] = [
  [
    /^\(\?<?[=!]/,
    'looking ahead or behind can\'t be matched in linear time; write two conditions, such as ~"a" -~"b"',
  ],
  [
    /^(?:\\[1-9k]|\(\?P=)/,
    "a reference to a group can't be matched in linear time; write the group's pattern once more",
  ],
  [/^\(\?>/, "there are no atomic groups, for nothing is tried twice; write `(?:`"],
  [
    /^(?:[*+?]|\{[\d,]+\})\+/,
    "there are no possessive repetitions, for nothing is tried twice; leave out the `+`",
  ],
  [/^\(\?(?:#|[a-z]*x)/, "there are no comments and no free spacing; leave them out"],
  [/^\\Z/, "write `\\z` or `$` for the end of the text"],
  [/^\\u/, "write a character by its number as `\\x{…}`"],
  [/^\\h/, "write `[ \\t]`"],
  [/^\\R/, "write `\\r?\\n`"],
];

function descriptionOf(error: RE2JSException): string {
  return error instanceof RE2JSSyntaxException ? error.error : error.message;
}

/**
 * Where the fragment is that RE2JS complains of, for it tells only its text. It
 * reads from left to right, so that the pattern up to there has the same error,
 * and up to an earlier occurrence has not.
 */
function placeOf(pattern: string, fragment: string, message: string): number {
  let start = pattern.indexOf(fragment);
  for (let tries = 0; tries < placeTriesMax && start >= 0; tries++) {
    if (messageOf(pattern.slice(0, start + fragment.length)) === message) return start;
    start = pattern.indexOf(fragment, start + 1);
  }
  return Math.max(0, pattern.lastIndexOf(fragment));
}

/** Each try compiles a part of the pattern; after so many the last occurrence is near enough. */
const placeTriesMax = 16;

function messageOf(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
