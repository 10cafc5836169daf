/**
 * Makes text harmless for a terminal. A log holds what strangers sent: escape
 * sequences that clear the screen or type commands, carriage returns that
 * overwrite what was shown, marks that turn the reading direction around.
 * They are shown as what they are, such as `\x1b`.
 */

// C0 but tab and line feed, DEL, C1; bidirectional marks (CVE-2021-42574); line and paragraph separators.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const dangerous = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/g;

/** The text with everything replaced that a terminal would act on; tabs and line feeds stay. */
export function neutralise(text: string): string {
  return text.replace(dangerous, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** The same on one line: what stands beside other things must not look like an entry of its own. */
export function neutraliseLine(text: string): string {
  return neutralise(text).replaceAll("\n", "\\x0a");
}

/** The same in JSON, which stays the same JSON. */
export function neutraliseJson(json: string): string {
  return json.replace(
    dangerous,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
