/** A question to the server as a component's state. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { type AskOptions, type Call, LatestRequest, type RequestState } from "./latest-request.ts";

/**
 * Asks whenever `key` is another one, and aborts when the component goes.
 * Without a call nothing is asked. The call and the options are taken as they
 * are when the key changes: whatever they depend on belongs into the key.
 */
export function useLatestRequest<T>(
  key: string,
  call: Call<T> | undefined,
  options: AskOptions = {},
): RequestState<T> {
  const [request] = useState(() => new LatestRequest<T>());
  // The key stands for all that the call and the options depend on.
  useEffect(() => {
    if (call !== undefined) request.ask(call, options);
    return () => request.stop();
  }, [key, request]);
  return useSyncExternalStore(
    (listener) => request.subscribe(listener),
    () => request.state,
  );
}
