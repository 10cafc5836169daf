/** A question to the server as a component's state. */
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
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
  const asked = useRef({ call, options });
  useEffect(() => {
    asked.current = { call, options };
  });
  // Without a call the question is another one, whatever its key.
  const question = call === undefined ? undefined : key;
  useEffect(() => {
    const { call: newest, options: newestOptions } = asked.current;
    if (question !== undefined && newest !== undefined) request.ask(newest, newestOptions);
    return () => request.stop();
  }, [question, request]);
  return useSyncExternalStore(
    (listener) => request.subscribe(listener),
    () => request.state,
  );
}
