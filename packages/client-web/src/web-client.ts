/**
 * The client for browsers: Connect over fetch, and tails that mind the page.
 *
 * Browsers can't stream to the server, so writing is `write`, a batch at a time.
 */
import { createConnectTransport } from "@connectrpc/connect-web";
import {
  bearerToken,
  createLogClient,
  type LogClient,
  type LogClientOptions,
  type TailOptions,
  type TokenSource,
} from "@logsvc/client";
import { onPageBack } from "./page-events.ts";

/** Options of createWebClient. */
export interface WebClientOptions extends LogClientOptions {
  /** The server, such as `https://logs.example.com`. Default: the origin of the page. */
  readonly url?: string;
  /** Sent as `authorization: Bearer …` with each call. A function is asked anew each time. */
  readonly token?: TokenSource;
  /** Whether to send cookies to another origin. Default: as fetch, "same-origin". */
  readonly credentials?: RequestCredentials;
}

/**
 * Creates a client. Its tails try again at once when the page becomes visible
 * or the network comes back.
 *
 * @throws TypeError when the URL is not http:// or https://.
 */
export function createWebClient(options: WebClientOptions = {}): LogClient {
  const { token, credentials } = options;
  const transport = createConnectTransport({
    baseUrl: baseUrl(options.url),
    useBinaryFormat: true,
    // Counts and values can be cached and need no preflight this way.
    useHttpGet: true,
    interceptors: token === undefined ? [] : [bearerToken(token)],
    ...(credentials && { fetch: (input, init) => fetch(input, { ...init, credentials }) }),
  });
  const client = createLogClient(transport, options);
  return {
    ...client,
    tail: (tailOptions = {}) => {
      const tail = client.tail(wakingOptions(tailOptions, () => tail.wake()));
      return tail;
    },
  };
}

/** Listens to the page from a tail's first state to its last, so that a tail nobody reads holds nothing. */
function wakingOptions(options: TailOptions, wake: () => void): TailOptions {
  let stopListening: (() => void) | undefined;
  return {
    ...options,
    onState: (state) => {
      if (state.kind === "closed") stopListening?.();
      else stopListening ??= onPageBack(wake);
      options.onState?.(state);
    },
  };
}

function baseUrl(url = globalThis.location?.origin ?? ""): string {
  if (!/^https?:\/\//.test(url)) {
    throw new TypeError(`Expected url to begin with http:// or https://, got "${url}"`);
  }
  return url.replace(/\/+$/, "");
}
