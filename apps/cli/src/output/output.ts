/**
 * Standard output for a lot of text: waits where the reader is slow, so that
 * `logsvc query | less` holds the server back instead of filling memory, and
 * knows when the reader has gone (`| head`).
 */
import { once } from "node:events";
import type { Writable } from "node:stream";

/** Where results are written. */
export interface Output {
  /** Aborts when the reader has gone; writing then does nothing. */
  readonly closed: AbortSignal;
  /** Writes text, and resolves when there is room for more. */
  write(text: string): Promise<void>;
  /** Resolves when all that was written has left this program. Throws what kept it from leaving, unless `write` has. */
  flush(): Promise<void>;
}

/** How long the rest of the output may take when the user wants to end. */
const lastFlushMs = 1_000;

/**
 * Creates an output on a stream. An error of the stream other than a gone
 * reader is thrown once, by the next write or flush.
 *
 * @param interrupted Once aborted, a reader who has paused (`| less`) is not waited for any more.
 */
export function createOutput(stream: Writable, interrupted: AbortSignal): Output {
  const gone = new AbortController();
  const pointless = AbortSignal.any([gone.signal, interrupted]);
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    if (gone.signal.aborted) return;
    if (!isBrokenPipe(error)) failure = new Error(`standard output: ${error.message}`, { cause: error });
    gone.abort();
  };
  stream.on("error", fail);
  const throwFailure = (): void => {
    if (failure === undefined) return;
    const thrown = failure;
    failure = undefined;
    throw thrown;
  };
  const write = async (text: string): Promise<void> => {
    throwFailure();
    if (gone.signal.aborted || stream.write(text)) return;
    await once(stream, "drain", { signal: pointless }).catch(() => {
      // Nobody to wait for: whoever wants to know why looks at `closed` or the interruption.
    });
  };
  const flush = async (): Promise<void> => {
    if (gone.signal.aborted) return throwFailure();
    await new Promise<void>((resolve) => {
      gone.signal.addEventListener("abort", () => resolve());
      const hurry = (): unknown => setTimeout(resolve, lastFlushMs);
      if (interrupted.aborted) hurry();
      else interrupted.addEventListener("abort", hurry);
      stream.write("", (error) => {
        if (error) fail(error);
        resolve();
      });
    });
    throwFailure();
  };
  return { closed: gone.signal, write, flush };
}

function isBrokenPipe(error: Error): boolean {
  return "code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED");
}
