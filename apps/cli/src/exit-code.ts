/**
 * How the command ends, in one table. docs/cli.md has the same one, and a test
 * compares them.
 */

import { Code, ConnectError } from "@logsvc/client-node";
import { CommanderError } from "commander";

/** The exit codes, by what they mean. */
export const exitCodes = {
  /** All done. */
  ok: 0,
  /** Something failed: an entry was not acknowledged, a file can't be read, the port is taken. */
  failed: 1,
  /** Wrong usage: an unknown flag, a value out of its range, a filter that does not parse. */
  usage: 2,
  /** The server could not be reached. */
  unreachable: 3,
  /** The query found nothing. */
  nothingFound: 4,
  /** Interrupted by Ctrl-C (SIGINT). */
  interrupted: 130,
  /** Terminated (SIGTERM). */
  terminated: 143,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A failure that has been explained: the message is all there is to print. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = exitCodes.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The exit code of an error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode;
  // Commander ends --help and --version by an error too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof ConnectError) return exitCodeOfConnect(error.code);
  return exitCodes.failed;
}

function exitCodeOfConnect(code: Code): ExitCode {
  if (code === Code.Unavailable || code === Code.DeadlineExceeded) return exitCodes.unreachable;
  if (code === Code.NotFound) return exitCodes.nothingFound;
  if (code === Code.InvalidArgument || code === Code.OutOfRange) return exitCodes.usage;
  return exitCodes.failed;
}
