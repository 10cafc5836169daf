/**
 * The level of a plain line, where it says one beyond doubt. A wrong level is
 * worse than none, so only these are taken, and only in what comes before the
 * message proper:
 *
 *   <34>Oct 11 22:14:15 host su: …                syslog's priority
 *   E0102 15:04:05.000000  1 main.go:12] …        klog
 *   03-17 16:13:38.811  1702  2395 D Tag: …       Android's logcat
 *   2026-11-22 09:36:40 info starting             any case, right after the time
 *   warning: disk is nearly full                  any case, at the start, with a colon
 *   [Sun Dec 04 04:47:44 2005] [error] …          any case, in brackets
 *   17/06/09 20:10:40 INFO executor.Backend: …    upper case, a word of its own
 *
 * Prose ends the search: two words in lower or mixed case side by side. So
 * "Log level set to DEBUG" has no level.
 */

const wordSource =
  "trace|debug|info|information|notice|warn|warning|error|err|fatal|critical|crit|severe|alert|emerg|emergency|panic";
const anyWord = new RegExp(wordSource, "i");
const word = new RegExp(`^(?:${wordSource})$`, "i");
const upperWord = new RegExp(`^(?:${wordSource.toUpperCase()})$`);
const leadingWord = new RegExp(String.raw`^(${wordSource}):\s`, "i");
const bracketed = new RegExp(String.raw`^[[<(](${wordSource})[\])>]:?$`, "i");

const klog = /^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ /;
const logcat = /^\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s+\d+\s+\d+ ([VDIWEFA]) /;
const letters: Readonly<Record<string, string>> = {
  V: "TRACE",
  D: "DEBUG",
  I: "INFO",
  W: "WARN",
  E: "ERROR",
  F: "FATAL",
  A: "FATAL",
};

const syslogPriority = /^<(\d{1,3})>(?=\S)/;

/** Syslog's severities by number (RFC 5424, table 2), as levels: 0 is an emergency, 7 is debug. */
export const syslogLevels = ["FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG"] as const;

/** Facility 23, severity 7. */
const syslogPriorityMax = 191;

/** How far the search goes. The longest prefixes of real logs have 9 words. */
const prefixLengthMax = 160;
const prefixWordsMax = 10;

const clock = /^[[(]?(?:\d[\d/-]*T)?\d?\d:\d\d:\d\d[\d.,:Z+-]*[\]),]?$/;
const proseWord = /^[("']?\p{L}*\p{Ll}\p{L}*[.,;:!?)"']?$/u;
const calendarWord = /^(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)$/i;

/** The level's text as the line has it, or a level's name where it has a letter or number; undefined: none. */
export function plainLevel(line: string): string | undefined {
  const priority = syslogPriority.exec(line)?.[1];
  if (priority !== undefined && Number(priority) <= syslogPriorityMax)
    return syslogLevels[Number(priority) % 8];
  const letter = klog.exec(line)?.[1] ?? logcat.exec(line)?.[1];
  if (letter !== undefined) return letters[letter];
  return leadingWord.exec(line)?.[1] ?? levelInPrefix(prefixOf(line));
}

/** What is searched: whole words only, a cut one could look like a level. */
function prefixOf(line: string): string {
  if (line.length <= prefixLengthMax) return line;
  return line.slice(0, Math.max(0, line.lastIndexOf(" ", prefixLengthMax)));
}

function levelInPrefix(prefix: string): string | undefined {
  // Most lines without a level are told by this, several times faster than word by word.
  if (!anyWord.test(prefix)) return undefined;
  let proseBefore = false;
  let clockBefore = false;
  for (const token of prefix.split(/[\s|]+/, prefixWordsMax)) {
    const bare = token.replace(/^[[(<]|[\])>:,;]+$/g, "");
    if (upperWord.test(bare) || (clockBefore && word.test(bare))) return bare;
    const inBrackets = bracketed.exec(token)?.[1];
    if (inBrackets !== undefined) return inBrackets;
    const prose = proseWord.test(token) && !calendarWord.test(token);
    if (prose && proseBefore) return undefined;
    proseBefore = prose;
    clockBefore = clock.test(token);
  }
  return undefined;
}
