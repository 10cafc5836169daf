/** The flags of `ship`, and which of them go together. */
import { homedir } from "node:os";
import { join } from "node:path";
import { InvalidArgumentError, type Option } from "commander";
import { CommandError, exitCodes } from "../exit-code.ts";
import type { Multiline } from "../lines/join-lines.ts";
import { standardInputName } from "../lines/open-source.ts";
import { type ClientFlags, clientFlags } from "./client-flags.ts";
import { flag } from "./flag.ts";
import { readTimeout } from "./flag-values.ts";
import { type LineFlags, lineFlags } from "./line-flags.ts";

/** The values of `shipFlags`. */
export interface ShipFlags extends ClientFlags, LineFlags {
  readonly follow?: boolean;
  readonly multiline: Multiline;
  readonly spool?: string;
  readonly retryTimeout: number;
  readonly quiet?: boolean;
}

/** The flags of `ship`. */
export const shipFlags = (): Option[] => [
  flag("-f, --follow", "go on with files and patterns as they grow, are rotated and appear"),
  ...lineFlags(),
  flag(
    "--multiline <how>",
    "join lines that belong together: auto (stack traces), off, or a regular expression that first lines match",
  )
    .default("off", "off")
    .argParser(readMultiline),
  flag(
    "--spool <folder>",
    "keep positions here, or what waits for the server when stdin is read; with --follow by default in the user's state folder",
  ).argParser(readFolder),
  flag("--retry-timeout <duration>", "give up when the server is away for so long; 0: never")
    .default(0, "0")
    .argParser(readTimeout),
  flag("-q, --quiet", "no summary and no rates on stderr, only rejections and errors"),
  ...clientFlags(),
];

/** Longer ones are no first line's pattern. */
const patternLengthMax = 1_000;

/** `auto`, `off` or a regular expression. */
export function readMultiline(text: string): Multiline {
  if (text === "auto" || text === "off") return text;
  if (text === "" || text.length > patternLengthMax) {
    throw new InvalidArgumentError(
      `Expected auto, off or a regular expression of 1 to ${patternLengthMax} characters.`,
    );
  }
  try {
    return new RegExp(text, "u");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InvalidArgumentError(`Expected auto, off or a regular expression. ${reason}.`);
  }
}

function readFolder(text: string): string {
  if (text.trim() !== "") return text;
  throw new InvalidArgumentError("Expected a folder.");
}

/**
 * Checks which files go with the flags.
 *
 * @throws CommandError when they do not go together.
 */
export function checkShipFiles(files: readonly string[], flags: ShipFlags): void {
  if (!flags.follow) return;
  if (files.length === 0) throw usage("--follow needs files or patterns, such as '/var/log/*.log'");
  if (files.includes(standardInputName)) {
    throw usage("--follow is for files: stdin is read to its end in any case; leave - away");
  }
}

function usage(message: string): CommandError {
  return new CommandError(message, exitCodes.usage);
}

/** Where positions are kept when `--spool` does not say: systemd's StateDirectory, or the user's folder for state. */
export function stateFolder(environment: NodeJS.ProcessEnv): string {
  const { STATE_DIRECTORY = "", XDG_STATE_HOME = "" } = environment;
  const [ofService = ""] = STATE_DIRECTORY.split(":");
  if (ofService !== "") return ofService;
  return join(XDG_STATE_HOME === "" ? join(homedir(), ".local", "state") : XDG_STATE_HOME, "logsvc", "ship");
}
