/**
 * Words and phrases in a text.
 *
 * A word character is a Unicode letter, mark or number, or `_`. A phrase is in
 * a text where its characters are, if they neither begin nor end within a word
 * of the text: `time` is not in `timeout`, nor `10.0.0.1` in `110.0.0.1`, but
 * `/api` is in `v1/api/users`. An end of the phrase that is no word character
 * may stand anywhere. A prefix may end within a word.
 *
 * Case does not count, by Unicode's simple case folding: character by
 * character, so that no text changes its length. `ß` is not `ss`.
 */
import { RE2JS } from "re2js";
import { escapeLiteral } from "./regexp-structure.ts";

const wordCharacter = "[\\p{L}\\p{M}\\p{N}_]";
const startsWithWord = new RegExp(`^${wordCharacter}`, "u");
const endsWithWord = new RegExp(`${wordCharacter}$`, "u");

/** Whether a phrase begins with a word character, so that none may stand before it. */
export function startsInWord(phrase: string): boolean {
  return startsWithWord.test(phrase);
}

/** Whether a phrase ends with a word character, so that none may follow it. */
export function endsInWord(phrase: string): boolean {
  return endsWithWord.test(phrase);
}

/**
 * A search for literal characters can cost their number for each character of
 * the text. From this length on RE2 does it, whose time does not depend on it.
 */
const nativeLengthMax = 64;

/**
 * Compiles a phrase into a test whether a text has it. The empty phrase is in
 * the empty text, the empty prefix in every other.
 *
 * @param isPrefix Whether it may end within a word.
 */
export function compilePhrase(phrase: string, isPrefix: boolean): (text: string) => boolean {
  if (phrase === "") return (text) => (text === "") !== isPrefix;
  const begins = startsInWord(phrase);
  const ends = !isPrefix && endsInWord(phrase);
  return phrase.length > nativeLengthMax
    ? compileLong(phrase, begins, ends)
    : compileShort(phrase, begins, ends);
}

/** RegExp's search without regard to case is several times as fast as lower-casing the text first. */
function compileShort(phrase: string, begins: boolean, ends: boolean): (text: string) => boolean {
  const before = begins ? `(?<!${wordCharacter})` : "";
  const after = ends ? `(?!${wordCharacter})` : "";
  const regexp = new RegExp(`${before}${escapeLiteral(phrase)}${after}`, "iu");
  return (text) => regexp.test(text);
}

/**
 * RE2 can't look around; but whether the phrase is there is the same when its
 * neighbours are part of the match. Few texts have even the phrase's
 * beginning, which RegExp tells first.
 */
function compileLong(phrase: string, begins: boolean, ends: boolean): (text: string) => boolean {
  // Half a surrogate pair would match nothing.
  const beginning = phrase.slice(0, nativeLengthMax).replace(/[\ud800-\udbff]$/, "");
  const hasBeginning = compileShort(beginning, begins, false);
  const before = begins ? "(?:^|[^\\p{L}\\p{M}\\p{N}_])" : "";
  const after = ends ? "(?:$|[^\\p{L}\\p{M}\\p{N}_])" : "";
  const regexp = RE2JS.compile(`${before}(?i:${RE2JS.quote(phrase)})${after}`);
  return (text) => hasBeginning(text) && regexp.test(text);
}

/** Compiles a test whether a text is this one as a whole, without regard to case. */
export function compileWholeText(whole: string): (text: string) => boolean {
  const regexp = new RegExp(`^${escapeLiteral(whole)}$`, "iu");
  return (text) => regexp.test(text);
}
