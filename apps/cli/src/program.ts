/** The command line: every command, its flags and its help. */
import { Command, type Option } from "commander";
import type { Choose } from "./commands/chosen-command.ts";
import { importCommand } from "./commands/import.ts";
import { queryCommand } from "./commands/query.ts";
import { serveCommand } from "./commands/serve.ts";
import { shipCommand } from "./commands/ship.ts";
import { tailCommand } from "./commands/tail.ts";
import { version } from "./version.ts";

const epilogue = `
Every flag is also a variable, --retry-timeout is LOGSVC_RETRY_TIMEOUT; the flag
wins. Results go to stdout, everything else to stderr.

Exit codes:
  0    all done
  1    something failed: an entry was not acknowledged, a file can't be read
  2    wrong usage: an unknown flag, a filter that does not parse
  3    the server could not be reached
  4    the query found nothing
  130  interrupted by Ctrl-C (SIGINT); 143 terminated (SIGTERM)`;

/** Creates the program. Parsing chooses a command; nothing is run. */
export function createProgram(choose: Choose): Command {
  const program = new Command("logsvc")
    .description("A durable, live log service.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .showHelpAfterError("(--help shows what there is)")
    .addHelpText("after", epilogue);
  const create = [serveCommand, shipCommand, tailCommand, queryCommand, importCommand];
  for (const createCommand of create) {
    program.addCommand(
      createCommand(choose).copyInheritedSettings(program).helpOption("-h, --help", "show help"),
    );
  }
  // The errors are thrown to main.ts, which alone ends the program.
  for (const command of [program, ...program.commands]) command.exitOverride();
  return program;
}

/** Every flag of every command. */
export function allFlags(program: Command): Option[] {
  return program.commands.flatMap((command) => [...command.options]);
}
