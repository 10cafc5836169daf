/** How the commands that read lines recognise them, and what they add. */
import { limits } from "@logsvc/proto";
import type { Option } from "commander";
import { type LineFormat, lineFormats, type RecogniseOptions } from "../lines/recognise-line.ts";
import { flag } from "./flag.ts";
import { collectLabels, readText } from "./flag-values.ts";

/** The values of `lineFlags`. */
export interface LineFlags {
  readonly service: string;
  readonly level: string;
  readonly label?: ReadonlyMap<string, string>;
  readonly format: LineFormat;
  readonly parseTime?: boolean;
}

/** The flags of every command that reads lines. */
export const lineFlags = (): Option[] => [
  flag("-s, --service <name>", "the service of every entry; wins over what a line says")
    .default("", "what the line says")
    .argParser(readText(limits.serviceBytesMax)),
  flag("--level <level>", "the level of lines that say none")
    .default("", "info")
    .argParser(readText(limits.levelBytesMax)),
  flag("-l, --label <key=value>", "an attribute of every entry; repeatable, or with commas").argParser(
    collectLabels,
  ),
  flag("--format <format>", "what lines may be; auto tells line by line")
    .choices(lineFormats)
    .default("auto"),
  flag("--parse-time", "take the time that plain lines begin with, not the time of arrival"),
];

/** The flags as the recogniser takes them. */
export function recogniseOptions(flags: LineFlags): RecogniseOptions {
  const { service, level, format, parseTime = false, label = new Map() } = flags;
  return { service, level, format, parseTime, labels: label };
}
