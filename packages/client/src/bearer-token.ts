/**
 * Sends a token with every call.
 */
import type { Interceptor } from "@connectrpc/connect";

/** A token, or what returns one, or none: it is asked anew for each call, so that tokens can change. */
export type TokenSource = string | (() => string | undefined | Promise<string | undefined>);

/** The interceptor that adds `authorization: Bearer …`. */
export function bearerToken(source: TokenSource): Interceptor {
  return (next) => async (request) => {
    const token = typeof source === "string" ? source : await source();
    if (token) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}
