/** Waiting that ends when its caller is gone. */

/**
 * Waits for a promise until a signal aborts, and then rejects at once with the
 * signal's reason. The promise's own work goes on; a late failure of it is dropped.
 * (A `Promise.race` with the signal would leave a listener behind for each call.)
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(asError(signal.reason));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** An abort's reason may be anything; what is thrown is an Error. */
function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason });
}
