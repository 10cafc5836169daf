/**
 * The client for browsers: Connect over fetch, and tails that mind the page.
 *
 * Browsers can't stream to the server, so writing is `write`, a batch at a time.
 */
import {
  bearerToken,
  createLogClient,
  type LogClient,
  type LogClientOptions,
  systemClock,
  type TailOptions,
  type TokenSource,
} from "@logsvc/client";
import { ConnectionTurns } from "./connection-turns.ts";
import { onPageBack, pagePresence } from "./page-events.ts";
import { createWebTransport } from "./web-transport.ts";

/** Options of createWebClient. */
export interface WebClientOptions extends Omit<LogClientOptions, "gate"> {
  /** The server, such as `https://logs.example.com`. Default: the origin of the page. */
  readonly url?: string;
  /** Sent as `authorization: Bearer …` with each call. A function is asked anew each time. */
  readonly token?: TokenSource;
  /** Whether to send cookies to another origin. Default: as fetch, "same-origin". */
  readonly credentials?: RequestCredentials;
  /**
   * What the browser and the server speak. Over HTTP/1.1 browsers open six connections to a server, so
   * tails and `watchStats` of all tabs take turns with them. Default: "1.1" for http:// URLs, and for
   * https:// ones when the page was loaded so.
   */
  readonly httpVersion?: "1.1" | "2";
}

/**
 * Creates a client. Its tails try again at once when the page becomes visible
 * or the network comes back, and hold no connection while it is frozen.
 *
 * @throws TypeError when the URL is not http:// or https://.
 */
export function createWebClient(options: WebClientOptions = {}): LogClient {
  const { token, credentials, clock = systemClock, httpVersion } = options;
  const url = baseUrl(options.url);
  const interceptors = token === undefined ? [] : [bearerToken(token)];
  const transport = createWebTransport({ baseUrl: url, interceptors, credentials });
  const { origin } = new URL(url);
  const gate = new ConnectionTurns({
    origin,
    areFew: () => (httpVersion ?? spokenVersion(origin)) === "1.1",
    presence: pagePresence(),
    clock,
    locks: globalThis.navigator?.locks,
  });
  const client = createLogClient(transport, { clock, gate });
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

/** What this browser speaks with a server, as far as it tells. */
function spokenVersion(origin: string): "1.1" | "2" {
  // Not a browser: no such limit.
  if (globalThis.location === undefined) return "2";
  // No browser speaks HTTP/2 without TLS.
  if (origin.startsWith("http:")) return "1.1";
  const spoken = ["navigation", "resource"]
    .flatMap((type) => performance.getEntriesByType(type))
    .filter(({ name }) => name.startsWith(`${origin}/`))
    // Empty: from a cache, or a server of another origin that does not allow to know.
    .flatMap((entry) => ("nextHopProtocol" in entry && entry.nextHopProtocol) || []);
  return spoken.at(-1) === "http/1.1" ? "1.1" : "2";
}

function baseUrl(url = globalThis.location?.origin ?? ""): string {
  if (!/^https?:\/\//.test(url)) {
    throw new TypeError(`Expected url to begin with http:// or https://, got "${url}"`);
  }
  return url.replace(/\/+$/, "");
}
