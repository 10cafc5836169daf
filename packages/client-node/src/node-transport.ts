/**
 * How the client for Node reaches the server: one HTTP/2 connection with
 * keep-alive pings, in the clear by prior knowledge or over TLS by ALPN.
 *
 * A server that restarts, or a load balancer that forgets the connection, must
 * not leave a client that hangs: connecting has a timeout, pings find a dead
 * connection within 30 seconds also when it is idle, and the next call opens a
 * new one. A certificate that is not trusted is nothing that waiting mends, so
 * it is told as FailedPrecondition, which nobody retries.
 */
import * as http from "node:http";
import type * as http2 from "node:http2";
import * as https from "node:https";
import * as net from "node:net";
import * as tls from "node:tls";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  type ConnectTransportOptions,
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { bearerToken, Code, ConnectError, limits, type TokenSource } from "@logsvc/client";
import { compressionZstd } from "./compression-zstd.ts";
import { createMessageStream, createRunStream, type StreamRuns } from "./run-transport.ts";

/** How to reach the server. */
export interface NodeTransportOptions {
  /** The server: `http://localhost:50051` is HTTP/2 in the clear, `https://…` HTTP/2 over TLS. */
  readonly url: string;
  /** Default: "connect". The server speaks all three on the same port. */
  readonly protocol?: "connect" | "grpc" | "grpc-web";
  /** "1.1" for proxies that can't do HTTP/2: no bidirectional streams then, no gRPC, no pings. Default: "2". */
  readonly httpVersion?: "2" | "1.1";
  /** Sent as `authorization: Bearer …` with each call. A function is asked anew each time. */
  readonly token?: TokenSource;
  /** Only for `https://`. */
  readonly tls?: TlsOptions;
  /**
   * Compress requests and accept compressed answers; true is "gzip". zstd costs a
   * third of gzip's time. For far servers; near ones are faster without. Default: false.
   */
  readonly compression?: boolean | "gzip" | "zstd";
  /** Give up connecting over HTTP/2 after so long, in milliseconds. Default: 10 000, from 100. */
  readonly connectTimeoutMs?: number;
  /** Ping after so much silence, in milliseconds, also when idle (gRPC's keepalive_time). Default: 20 000, from 100. */
  readonly pingIntervalMs?: number;
  /** Take the connection for dead when a ping is not answered for so long, in milliseconds (gRPC's keepalive_timeout). Default: 10 000, from 100. */
  readonly pingTimeoutMs?: number;
}

/** TLS as in node:tls. */
export interface TlsOptions {
  /** Certificates to trust instead of the well-known ones, PEM. */
  readonly ca?: string | Buffer;
  /** The client's own certificate, PEM. */
  readonly cert?: string | Buffer;
  /** Its private key, PEM. */
  readonly key?: string | Buffer;
  /** The name to expect in the server's certificate. Default: the URL's host. */
  readonly servername?: string;
  /** False trusts any certificate: for trying only. Default: true. */
  readonly rejectUnauthorized?: boolean;
}

/** A transport, and what ends its connection. */
export interface NodeTransport {
  readonly transport: Transport;
  /** StreamLogs over the same connection, by runs of frames: many times faster than message by message. */
  readonly streamRuns: StreamRuns;
  /** ShipLogs in the same way. Undefined: messages are compressed, or go over HTTP/1.1. */
  readonly shipRuns: StreamRuns | undefined;
  /** Ends the connection with every call on it; calls after that are refused. */
  close(): void;
}

/** Proxies cut idle connections after 30 s and more. */
const pingIntervalMsDefault = 20_000;

/** A ping is answered by the peer's kernel of HTTP/2, not by its application: 10 s is a dead line. */
const pingTimeoutMsDefault = 10_000;

/** What a timer of Node holds; a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1;

/** Linux itself would go on for two minutes. */
const connectTimeoutMsDefault = 10_000;

/**
 * Creates a transport. It connects with the first call.
 *
 * @throws TypeError or RangeError that names the option, what was expected and what was given.
 */
export function createNodeTransport(options: NodeTransportOptions): NodeTransport {
  const url = parseUrl(options.url);
  const { protocol = "connect", httpVersion = "2", token } = options;
  const wire = httpVersion === "2" ? openHttp2(url, options) : openHttp1(url, options);
  let closed = false;
  const refuseWhenClosed: Interceptor = (next) => async (request) => {
    if (closed) throw closedError();
    return next(request);
  };
  const interceptors = [
    refuseWhenClosed,
    createDistrustTeller(url),
    ...(token === undefined ? [] : [bearerToken(token)]),
  ];
  const baseUrl = url.href.replace(/\/+$/, "");
  const common = {
    baseUrl,
    interceptors,
    ...compressionOf(options.compression),
    readMaxBytes: limits.batchBytesMax,
    writeMaxBytes: limits.batchBytesMax,
  };
  const transport = createTransport(protocol, { ...common, ...wire.options });
  const runs =
    wire.options.httpVersion === "2" && !options.compression
      ? { protocol, baseUrl, interceptors, sessions: wire.options.sessionManager }
      : undefined;
  const streamRuns =
    runs === undefined ? createMessageStream(transport) : createRunStream(runs, "streamLogs");
  const shipRuns = runs === undefined ? undefined : createRunStream(runs, "shipLogs");
  const close = (): void => {
    closed = true;
    wire.close();
  };
  return { transport, streamRuns, shipRuns, close };
}

function compressionOf(chosen: NodeTransportOptions["compression"] = false) {
  switch (chosen) {
    case false:
      return { acceptCompression: [] };
    case true:
    case "gzip":
      return { acceptCompression: [compressionGzip], sendCompression: compressionGzip };
    case "zstd":
      return { acceptCompression: [compressionZstd], sendCompression: compressionZstd };
  }
}

function createTransport(
  protocol: NonNullable<NodeTransportOptions["protocol"]>,
  options: ConnectTransportOptions,
): Transport {
  switch (protocol) {
    case "connect":
      return createConnectTransport(options);
    case "grpc-web":
      return createGrpcWebTransport(options);
    case "grpc":
      if (options.httpVersion !== "2") {
        throw new TypeError('Expected httpVersion to be "2" with protocol "grpc", got "1.1"');
      }
      return createGrpcTransport(options);
  }
}

function closedError(): ConnectError {
  return new ConnectError("the client was closed", Code.FailedPrecondition);
}

/**
 * What node:tls says when it does not trust a certificate. Not here, as time or
 * somebody else mends them: CERT_HAS_EXPIRED, CERT_NOT_YET_VALID and the lists of
 * revoked ones.
 */
const distrustCodes: ReadonlySet<unknown> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_SIGNATURE_FAILURE",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

function createDistrustTeller(url: URL): Interceptor {
  return (next) => async (request) => {
    try {
      return await next(request);
    } catch (reason) {
      const cause = reason instanceof ConnectError ? reason.cause : undefined;
      if (!(cause instanceof Error && "code" in cause && distrustCodes.has(cause.code))) throw reason;
      const message = `the certificate of ${url.host} is not trusted: ${cause.message}`;
      throw new ConnectError(message, Code.FailedPrecondition, undefined, undefined, cause);
    }
  };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new TypeError(`Expected url to begin with http:// or https://, got "${text}"`);
  }
  return url;
}

/** The connection, as Connect's transports want it. */
interface Wire {
  readonly options:
    | { readonly httpVersion: "2"; readonly sessionManager: GuardedSessions }
    | { readonly httpVersion: "1.1"; readonly nodeOptions: { readonly agent: http.Agent } };
  close(): void;
}

function openHttp2(url: URL, options: NodeTransportOptions): Wire {
  const connectTimeoutMs = duration("connectTimeoutMs", options.connectTimeoutMs, connectTimeoutMsDefault);
  const sessions = new GuardedSessions(
    new Http2SessionManager(
      url.href,
      {
        pingIntervalMs: duration("pingIntervalMs", options.pingIntervalMs, pingIntervalMsDefault),
        pingTimeoutMs: duration("pingTimeoutMs", options.pingTimeoutMs, pingTimeoutMsDefault),
        pingIdleConnection: true,
      },
      {
        createConnection: () => connectSocket(url, options.tls ?? {}, connectTimeoutMs),
        settings: { initialWindowSize: limits.streamWindowBytes, enablePush: false },
        // MB. Requests that wait to be sent count here; past it Node resets the answers that come,
        // and its own 10 are less than a single batch may have.
        maxSessionMemory: 512,
      },
    ),
  );
  return {
    options: { httpVersion: "2", sessionManager: sessions },
    close: () => sessions.abort(closedError()),
  };
}

function openHttp1(url: URL, options: NodeTransportOptions): Wire {
  const agent =
    url.protocol === "https:"
      ? new https.Agent({ ...options.tls, keepAlive: true })
      : new http.Agent({ keepAlive: true });
  return {
    options: { httpVersion: "1.1", nodeOptions: { agent } },
    close: () => agent.destroy(),
  };
}

function duration(name: string, value: number | undefined, defaultMs: number): number {
  const valueMs = value ?? defaultMs;
  if (!(valueMs >= 100 && valueMs <= timerMsMax)) {
    throw new RangeError(`Expected ${name} to be a number from 100 to ${timerMsMax}, got ${valueMs}`);
  }
  return valueMs;
}

/** Node's HTTP/2 client waits for a connection as long as the system does; here it has a timeout. */
function connectSocket(url: URL, tlsOptions: TlsOptions, timeoutMs: number): net.Socket {
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const address = { host, port: Number(url.port) || (secure ? 443 : 80), noDelay: true };
  const socket = secure
    ? tls.connect({
        ...address,
        ALPNProtocols: ["h2"],
        ...(net.isIP(host) === 0 && { servername: host }),
        ...tlsOptions,
      })
    : net.connect(address);
  const timer = setTimeout(() => {
    socket.destroy(new ConnectError(`no connection to ${url.host} within ${timeoutMs} ms`, Code.Unavailable));
  }, timeoutMs).unref();
  const stop = (): void => clearTimeout(timer);
  socket.once(secure ? "secureConnect" : "connect", stop);
  socket.once("close", stop);
  return socket;
}

/**
 * Keeps the manager's sessions from ending the process. Between a session's
 * destruction and its "error" and "close" events the manager
 *
 * - pings it, which throws out of a timer:
 *   https://github.com/connectrpc/connect-es/issues/1795
 * - stops listening to it when a request opens another one, so that "error"
 *   finds no listener; the test with the frozen proxy shows it.
 *
 * Each guard can go when the manager minds the case itself.
 */
class GuardedSessions {
  readonly #sessions: Http2SessionManager;
  readonly #guarded = new WeakSet<http2.Http2Session>();
  readonly authority: string;

  constructor(sessions: Http2SessionManager) {
    this.#sessions = sessions;
    this.authority = sessions.authority;
  }

  async request(
    method: string,
    path: string,
    headers: http2.OutgoingHttpHeaders,
    options: Omit<http2.ClientSessionRequestOptions, "signal">,
  ): Promise<http2.ClientHttp2Stream> {
    const stream = await this.#sessions.request(method, path, headers, options);
    const { session } = stream;
    if (session !== undefined && !this.#guarded.has(session)) {
      this.#guarded.add(session);
      guardPing(session);
      if (!session.destroyed) session.setLocalWindowSize(limits.connectionWindowBytes);
      // The streams and the manager were told of the error; here it only must not be unheard.
      session.on("error", () => undefined);
    }
    return stream;
  }

  notifyResponseByteRead(stream: http2.ClientHttp2Stream): void {
    this.#sessions.notifyResponseByteRead(stream);
  }

  abort(reason: Error): void {
    this.#sessions.abort(reason);
  }
}

function guardPing(session: http2.Http2Session): void {
  const ping = session.ping;
  Object.defineProperty(session, "ping", {
    value: (...args: unknown[]): boolean =>
      session.destroyed ? false : Boolean(Reflect.apply(ping, session, args)),
  });
}
