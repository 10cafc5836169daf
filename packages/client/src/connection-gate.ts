/**
 * Whom a stream asks before it takes a connection. Where connections are few,
 * as over HTTP/1.1 in browsers, streams without an end have to take turns, or
 * those that came first would starve everything else.
 *
 *   enter ─▶ pass ─▶ connect ─┬─▶ over: release
 *     ▲                       └─▶ recalled: the connection is given up at once,
 *     └───────────────────────────    and asked for anew
 *
 * Nothing is lost by a recall: what has not been delivered is read again by
 * whoever can resume, and streams of figures begin anew.
 */
import { cancellable } from "./cancellable.ts";

/** Who wants to connect. */
export interface ConnectionWish {
  /** Aborts when nobody wants it any more. */
  readonly signal: AbortSignal;
  /**
   * Whether it would do now to hand the connection over to others: not before
   * it was of use, or nobody would ever get on.
   */
  readonly mayLeave: () => boolean;
}

/** Leave to hold one connection. */
export interface ConnectionPass {
  /** Aborts when the connection must be given up at once. The pass is void then. */
  readonly recalled: AbortSignal;
  /** Gives it back. Again: nothing. */
  release(): void;
}

/** Gives leave to connect. */
export interface ConnectionGate {
  /** Resolves when there is leave, with undefined when the wish's signal aborts first. */
  enter(wish: ConnectionWish): Promise<ConnectionPass | undefined>;
}

/** Where connections are plenty. */
export const openGate: ConnectionGate = {
  enter: async ({ signal }) =>
    signal.aborted ? undefined : { recalled: new AbortController().signal, release: () => undefined },
};

/**
 * A stream that can begin anew at any time, through a gate: opened again after
 * each recall. It ends, or fails, as the stream does.
 */
export async function* reopening<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  gate: ConnectionGate,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<T, void, undefined> {
  for (;;) {
    let isUsed = false;
    const pass = await gate.enter({ signal, mayLeave: () => isUsed });
    // Without a pass the signal has aborted: the call says so itself.
    const recalled = pass?.recalled ?? signal;
    try {
      for await (const message of cancellable(open, AbortSignal.any([signal, recalled]))) {
        isUsed = true;
        yield message;
      }
      return;
    } catch (error) {
      if (signal.aborted || !recalled.aborted) throw error;
    } finally {
      pass?.release();
    }
  }
}
