/**
 * Ctrl-C and SIGTERM: the first one asks to end in order, the second one ends
 * at once.
 */
import { type ExitCode, exitCodes } from "./exit-code.ts";

/** Whether, and how, the command was asked to end. */
export interface Interruption {
  /** Aborts with the first signal. */
  readonly signal: AbortSignal;
  /** The exit code that the signal stands for; undefined while there was none. */
  readonly exitCode: ExitCode | undefined;
}

const exitCodeOfSignal = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

/** Watches for signals from now on. Node no longer ends by itself then. */
export function watchInterruption(): Interruption {
  const controller = new AbortController();
  let exitCode: ExitCode | undefined;
  const interrupt = (signal: keyof typeof exitCodeOfSignal): void => {
    if (exitCode !== undefined) process.exit(exitCodeOfSignal[signal]);
    exitCode = exitCodeOfSignal[signal];
    controller.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
  };
}
