/**
 * The command `logsvc`: chooses what the command line asks for, runs it, and
 * ends with its exit code. The only place that ends the program, but for a
 * second Ctrl-C.
 */
import { CommanderError } from "commander";
import type { ChosenCommand } from "./commands/chosen-command.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import { idleVariables } from "./flags/flag.ts";
import { neutralise } from "./output/neutralise.ts";
import { allFlags, createProgram } from "./program.ts";
import { createTerminal } from "./terminal.ts";

/** A programmer's mistake, which needs its stack; what the user can mend does not. */
function isBug(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
}

function report(error: unknown): ExitCode {
  // Commander has printed what it has to say.
  if (!(error instanceof CommanderError)) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`logsvc: ${neutralise((isBug(error) ? error.stack : undefined) ?? message)}\n`);
  }
  return exitCodeOf(error);
}

async function main(): Promise<ExitCode> {
  let chosen: ChosenCommand | undefined;
  const program = createProgram((command) => {
    chosen = command;
  });
  try {
    for (const name of idleVariables(process.env, allFlags(program))) delete process.env[name];
    program.parse();
  } catch (error) {
    return report(error);
  }
  if (chosen === undefined) return exitCodes.ok;
  return run(chosen);
}

async function run(chosen: ChosenCommand): Promise<ExitCode> {
  const terminal = createTerminal(chosen);
  const fail = (error: unknown): ExitCode => {
    terminal.notices.clearProgress();
    return report(error);
  };
  const exitCode = await chosen.run(terminal).catch(fail);
  // What can't be written is only known at the end, at the latest here.
  return terminal.output.flush().then(() => exitCode, fail);
}

process.exit(await main());
