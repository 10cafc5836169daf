/**
 * What a command has around it: where results go, where notices go, and
 * whether it was asked to end. The one place that touches the streams of
 * `process`.
 */
import { type Interruption, watchInterruption } from "./interruption.ts";
import { createNotices, type Notices } from "./output/notices.ts";
import { createOutput, type Output } from "./output/output.ts";

/** A command's surroundings. */
export interface Terminal {
  readonly output: Output;
  /** Standard output is a terminal. */
  readonly outputIsTerminal: boolean;
  /** How wide that terminal is; absent where standard output is none. */
  readonly outputColumns?: number;
  readonly notices: Notices;
  readonly interruption: Interruption;
}

/** Creates the surroundings on the streams and signals of this program. */
export function createTerminal(options: { readonly quiet: boolean }): Terminal {
  const isTerminal = process.stderr.isTTY === true;
  const interruption = watchInterruption();
  return {
    output: createOutput(process.stdout, interruption.signal),
    outputIsTerminal: process.stdout.isTTY === true,
    ...(process.stdout.isTTY ? { outputColumns: columnsOf(process.stdout) } : {}),
    notices: createNotices(process.stderr, {
      isTerminal,
      quiet: options.quiet,
      columns: () => columnsOf(process.stderr),
    }),
    interruption,
  };
}

/** A terminal that does not know how wide it is says 0. */
function columnsOf(stream: { readonly columns?: number }): number {
  return stream.columns || 80;
}
