/**
 * Flushing a shipper when its process ends. A library that adds handlers to a
 * process by itself changes how the program behaves; so this does nothing until
 * it is called, and is given the process.
 */
import type { LogShipper } from "./log-shipper.ts";

/** What is needed of Node's `process`. */
export interface EndingProgram {
  readonly pid: number;
  once(event: "beforeExit" | "exit" | NodeJS.Signals, listener: () => void): unknown;
  off(event: "beforeExit" | "exit" | NodeJS.Signals, listener: () => void): unknown;
  listenerCount(event: NodeJS.Signals): number;
  kill(pid: number, signal: NodeJS.Signals): unknown;
}

/** Options of flushOnExit. */
export interface FlushOnExitOptions {
  /**
   * Signals on which to close the shipper and then let the signal do what it
   * does without us: end the process, unless the program listens to it as well.
   * Default: none.
   */
  readonly signals?: readonly NodeJS.Signals[];
  /** How long the shipper may take, in milliseconds. Default: 5 000. */
  readonly timeoutMs?: number;
}

const timeoutMsDefault = 5_000;

/**
 * Delivers what a shipper holds when its process ends:
 *
 * | the process | the shipper |
 * | --- | --- |
 * | has nothing left to do | flushes, for as long as `timeoutMs` |
 * | gets one of `signals` | closes, for as long as `timeoutMs`; then the signal has its usual effect |
 * | exits, also by `process.exit` or an exception | saves what is not acknowledged to its spool, synchronously |
 *
 * @returns What takes the handlers away again.
 */
export function flushOnExit(
  shipper: LogShipper,
  program: EndingProgram,
  { signals = [], timeoutMs = timeoutMsDefault }: FlushOnExitOptions = {},
): () => void {
  const onIdle = (): void => void shipper.flush({ timeoutMs });
  const onExit = (): void => void shipper.saveSync();
  const onSignals = signals.map((signal) => {
    const listener = async (): Promise<void> => {
      await shipper.close({ timeoutMs });
      // Who listens beside us ends the process when it sees fit.
      if (program.listenerCount(signal) === 0) program.kill(program.pid, signal);
    };
    return { signal, listener: (): void => void listener() };
  });
  program.once("beforeExit", onIdle);
  program.once("exit", onExit);
  for (const { signal, listener } of onSignals) program.once(signal, listener);
  return () => {
    program.off("beforeExit", onIdle);
    program.off("exit", onExit);
    for (const { signal, listener } of onSignals) program.off(signal, listener);
  };
}
