#!/usr/bin/env node
/**
 * The command `logsvc`: chooses what the command line asks for, runs it, and
 * ends with its exit code. The only place that ends the program, but for a
 * second Ctrl-C.
 */
import { CommanderError } from "commander";
import type { ChosenCommand } from "./commands/chosen-command.ts";
import { type ExitCode, exitCodeOf, exitCodes } from "./exit-code.ts";
import { idleVariables } from "./flags/flag.ts";
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
    process.stderr.write(`logsvc: ${isBug(error) ? error.stack : message}\n`);
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
  const terminal = createTerminal(chosen);
  try {
    return await chosen.run(terminal);
  } catch (error) {
    terminal.notices.clearProgress();
    return report(error);
  } finally {
    await terminal.output.flush();
  }
}

process.exit(await main());
