/** In what form the commands that print entries print them. */
import type { Option } from "commander";
import {
  createEntryWriter,
  type EntryWriter,
  type OutputFormat,
  outputFormats,
} from "../output/entry-writer.ts";
import { type ColorMode, colorModes, useColor } from "../output/use-color.ts";
import type { Terminal } from "../terminal.ts";
import { flag } from "./flag.ts";

/** The values of `outputFlags`. */
export interface OutputFlags {
  readonly output: OutputFormat;
  readonly color: ColorMode;
  readonly utc?: boolean;
  readonly quiet?: boolean;
}

/** The flags of every command that prints entries. */
export const outputFlags = (): Option[] => [
  flag("-o, --output <format>", "for people, as JSON lines, or the messages alone")
    .choices(outputFormats)
    .default("pretty"),
  flag("--color <when>", "colours: auto looks at NO_COLOR, FORCE_COLOR and the terminal")
    .choices(colorModes)
    .default("auto"),
  flag("--utc", "times in UTC; otherwise local, or as TZ says"),
  flag("-q, --quiet", "no notices on stderr, only errors"),
];

/**
 * Creates the writer that the flags ask for.
 *
 * @param marked The id of an entry to mark among the others.
 */
export function openEntryWriter(flags: OutputFlags, terminal: Terminal, marked?: string): EntryWriter {
  return createEntryWriter(terminal.output, terminal.notices, {
    format: flags.output,
    color: useColor(flags.color, terminal.outputIsTerminal, process.env),
    utc: flags.utc ?? false,
    isTerminal: terminal.outputIsTerminal,
    ...(marked === undefined ? {} : { marked }),
  });
}
