/**
 * Streams that can be left. Connect's own iterables have no `return`: whoever
 * breaks out of a loop over one leaves the RPC open.
 */

/**
 * The stream that `open` starts, cancelled when the signal aborts or when its
 * reader leaves.
 */
export async function* cancellable<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const rpc = new AbortController();
  const abort = (): void => rpc.abort(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    if (signal?.aborted) abort();
    yield* open(rpc.signal);
  } finally {
    signal?.removeEventListener("abort", abort);
    rpc.abort();
  }
}
