/**
 * Parsing the command line does nothing but choose: what runs is started
 * afterwards, by main.ts, with the terminal that its flags ask for.
 */
import type { ExitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";

/** What the command line asks for. */
export interface ChosenCommand {
  /** Only results, rejections and errors. */
  readonly quiet: boolean;
  /** Does it. Rejects with an error that `exitCodeOf` knows. */
  run(terminal: Terminal): Promise<ExitCode>;
}

/** Takes the choice. */
export type Choose = (command: ChosenCommand) => void;
