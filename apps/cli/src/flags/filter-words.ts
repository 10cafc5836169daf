/**
 * The filter as words of the command line. It is parsed here first: a mistake
 * is shown under the character, without a server.
 */
import { FilterSyntaxError, parseFilter } from "@logsvc/filter";
import { CommandError, exitCodes } from "../exit-code.ts";

/**
 * The filter's text.
 *
 * @throws CommandError that shows the place, with the exit code of wrong usage.
 */
export function readFilter(words: readonly string[]): string {
  const filter = words.join(" ");
  try {
    parseFilter(filter);
    return filter;
  } catch (error) {
    if (!(error instanceof FilterSyntaxError)) throw error;
    throw new CommandError(pointAt(filter, error), exitCodes.usage, { cause: error });
  }
}

function pointAt(filter: string, error: FilterSyntaxError): string {
  // One column for each character, or the mark would not stand under its place.
  const line = filter.replace(/[\s\p{Cc}]/gu, " ");
  const mark = "^".repeat(Math.max(1, Math.min(error.end, line.length) - error.start));
  return `${error.message}\n  ${line}\n  ${" ".repeat(error.start)}${mark}`;
}
