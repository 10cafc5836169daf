/**
 * logfmt, as Go's loggers, Heroku and many others write it:
 *
 *   line   = pair *(1*SP pair) *SP
 *   pair   = key "=" [ value | quoted ]
 *   key    = a letter or one of _ @ $, then letters, digits and _ . - / @ $
 *   value  = anything but space and quote
 *   quoted = '"' with the escapes of JSON '"'
 *
 * Stricter than most readers, on purpose: a line that only contains `a=b`
 * somewhere is prose, and must stay a plain line.
 */

const pairPattern = /([\p{L}_@$][\p{L}\p{N}_.\-/@$]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?:\s+|$)/uy;

/** The pairs of a line that is logfmt from its beginning to its end, in order; undefined when it is not. */
export function parseLogfmt(line: string): [key: string, value: string][] | undefined {
  const text = line.trim();
  const pairs: [string, string][] = [];
  pairPattern.lastIndex = 0;
  while (pairPattern.lastIndex < text.length) {
    const match = pairPattern.exec(text);
    if (match === null) return undefined;
    pairs.push([match[1] ?? "", unquote(match[2] ?? "")]);
  }
  return pairs.length > 0 ? pairs : undefined;
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    const text: unknown = JSON.parse(value);
    if (typeof text === "string") return text;
  } catch {
    // Escapes that JSON does not have, such as \x1b or \': kept as written.
  }
  return value.slice(1, -1);
}
