/**
 * Which web pages may call. A server on loopback without authentication is
 * open to its machine's programs, but not to every page that its user's
 * browser happens to show:
 *
 * 1. A request with an `Origin` is refused (403) unless the origin is allowed:
 *    it is a loopback host's (any port), or in `corsOrigins`, or this server's
 *    own, which is where `Host` names the same host and port. This also stops
 *    writes that need no preflight (a form, `text/plain`).
 * 2. A plaintext HTTP/1.1 request that arrived on a loopback address is refused
 *    unless `Host` is a loopback host, an IP address, or the host of one of
 *    `corsOrigins`: else a page could point its own domain at 127.0.0.1 (DNS
 *    rebinding), and would be this server's own origin by rule 1. Browsers
 *    speak no HTTP/2 without TLS, and with TLS the certificate stops them, so
 *    gRPC clients behind a local proxy are not concerned.
 *
 * "*" in `corsOrigins` switches both rules off. Programs other than browsers
 * send no `Origin`.
 */
import { isIP } from "node:net";
import { cors } from "@connectrpc/connect";
import fastifyCors from "@fastify/cors";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isLoopbackHost } from "../listen-host.ts";

/** A day, in seconds: browsers cap it at 2 h (Chromium) or 24 h (Firefox). */
const preflightMaxAgeSeconds = 24 * 60 * 60;

/** The header that names the producer on streams whose messages can't. */
export const producerIdHeader = "logsvc-producer-id";

/** Refuses pages that may not call, and lets those that may read the answers (CORS). */
export function guardBrowsers(app: FastifyInstance, corsOrigins: readonly string[]): void {
  const isAllowedOrigin = (origin: string): boolean =>
    corsOrigins.includes("*") || corsOrigins.includes(origin) || isLoopbackHost(hostnameOf(origin));

  app.addHook("onRequest", async (request, reply) => {
    const reason = refusal(request, corsOrigins, isAllowedOrigin);
    if (reason === undefined) return;
    await reply.code(403).send({ code: "permission_denied", message: reason });
  });
  void app.register(fastifyCors, {
    origin: (origin, callback) =>
      callback(null, origin !== undefined && isAllowedOrigin(origin) ? origin : false),
    methods: [...cors.allowedMethods],
    allowedHeaders: [
      ...cors.allowedHeaders,
      "Grpc-Encoding",
      "Grpc-Accept-Encoding",
      producerIdHeader,
      // For whatever stands before this server and asks for it.
      "Authorization",
    ],
    exposedHeaders: [...cors.exposedHeaders],
    maxAge: preflightMaxAgeSeconds,
    strictPreflight: false,
  });
}

function refusal(
  request: FastifyRequest,
  corsOrigins: readonly string[],
  isAllowedOrigin: (origin: string) => boolean,
): string | undefined {
  if (corsOrigins.includes("*")) return undefined;
  const { origin } = request.headers;
  if (origin !== undefined && !isAllowedOrigin(origin) && !isOwnOrigin(origin, request.host)) {
    return `Pages of ${origin} may not call this server: start it with that origin allowed for CORS.`;
  }
  // Browsers always send a Host; probes that speak HTTP/1.0 need not.
  if (!request.headers.host || !mayBeRebound(request)) return undefined;
  const hostname = hostnameOf(`http://${request.host}`);
  const isKnown =
    isLoopbackHost(hostname) ||
    isIP(hostname.replace(/^\[(.*)\]$/, "$1")) !== 0 ||
    corsOrigins.some((allowed) => hostnameOf(allowed) === hostname);
  return isKnown
    ? undefined
    : `Host ${JSON.stringify(request.host)} is not a name of this server: start it with that host's origin allowed for CORS.`;
}

/** Whether a page whose domain was pointed at this machine could have sent the request. */
function mayBeRebound({ raw }: FastifyRequest): boolean {
  const { localAddress } = raw.socket;
  const isPlaintext = !("encrypted" in raw.socket);
  return (
    isPlaintext && raw.httpVersionMajor === 1 && localAddress !== undefined && isLoopbackHost(localAddress)
  );
}

const isOwnOrigin = (origin: string, host: string): boolean =>
  URL.canParse(origin) && new URL(origin).host === host.toLowerCase();

/** Empty for what is not an origin, such as "null". */
const hostnameOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).hostname : "");
