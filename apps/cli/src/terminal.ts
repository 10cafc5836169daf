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
    notices: createNotices(process.stderr, { isTerminal, quiet: options.quiet }),
    interruption,
  };
}
