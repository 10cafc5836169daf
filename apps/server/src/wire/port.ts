/**
 * One port for HTTP/1.1 and HTTP/2.
 *
 *   plaintext   socket ─▶ first bytes ─┬─ the HTTP/2 preface ─▶ http2 server ─┐
 *                  │ silent: closed    └─ anything else ──────▶ http server ──┴─▶ Fastify
 *   TLS         socket ─▶ ALPN: h2 or http/1.1 ──────────────▶ http2 server ────▶ Fastify
 *
 * A client that speaks HTTP/2 without TLS says so with the first 24 bytes
 * ("prior knowledge", RFC 9113 section 3.4). Node offers both protocols on one
 * port with TLS only (https://github.com/nodejs/node/issues/44887), so a
 * plaintext socket's bytes are looked at, put back, and the socket is given to
 * the one or the other server as if it had been accepted there.
 */
import http from "node:http";
import http2 from "node:http2";
import type { Socket } from "node:net";
import { limits } from "@logsvc/proto";
import type { TlsConfig } from "../server-config.ts";

/** Fastify's entry. It serves the requests of both protocols, though its type names the first one's. */
export type RequestListener = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** Options of `createPort`. */
export interface PortOptions {
  readonly tls: TlsConfig | undefined;
  /** Asked when the port closes: how long its connections may take to end by themselves, in milliseconds. */
  readonly closeTimeoutMs: () => number;
}

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** A client that has not said in so long which protocol it speaks is not going to. */
const prefaceTimeoutMs = 10_000;

/** Dead peers (a laptop lid, a cut cable) are noticed after two of these; gRPC's default for servers is 2 h. */
const pingIntervalMs = 30_000;

/** While the port closes: how often connections that have become idle are let go. */
const sweepIntervalMs = 50;

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: pingIntervalMs };

const http1Options = {
  ...socketOptions,
  // An upload or a tail may last for hours; only the headers must come in time.
  requestTimeout: 0,
  headersTimeout: 20_000,
  keepAliveTimeout: 72_000,
  maxHeaderSize: 32 * 1024,
};

const http2Options = {
  settings: {
    initialWindowSize: limits.streamWindowBytes,
    maxConcurrentStreams: 1_000,
    maxHeaderListSize: 32 * 1024,
    enablePush: false,
  },
  // MB. Responses that wait for slow readers count here, and the default of 10
  // lets a proxy that multiplexes some dozens of them open no more streams.
  maxSessionMemory: 64,
};

/** The server behind `server.listen`: not listening, not yet closed. */
export function createPort(serve: RequestListener, options: PortOptions): http.Server {
  // The one cast: the second server's requests and responses are compatible
  // with the first one's, which Fastify relies on as well.
  const serveHttp2 = serve as unknown as (
    request: http2.Http2ServerRequest,
    response: http2.Http2ServerResponse,
  ) => void;
  if (options.tls === undefined) return createPlainPort(serve, serveHttp2, options);
  const server = http2.createSecureServer(
    { ...http2Options, ...http1Options, allowHTTP1: true, cert: options.tls.cert, key: options.tls.key },
    serveHttp2,
  );
  // Typed as an http.Server because that is what it offers to Fastify: listen, address, close.
  return endWithin(server as unknown as http.Server, trackSessions(server), options.closeTimeoutMs);
}

function createPlainPort(
  serve: RequestListener,
  serveHttp2: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void,
  options: PortOptions,
): http.Server {
  const server = http.createServer(http1Options, serve);
  const multiplexed = http2.createServer(http2Options, serveHttp2);
  // Connections are accepted by `server`, whose own listener is called only
  // for those that turn out to be HTTP/1.
  const serveHttp1 = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    detectHttp2(socket, (isHttp2) => {
      if (isHttp2) {
        // An http.Server's sockets stay open when the client has ended its
        // side; a session whose client has left would never close.
        socket.allowHalfOpen = false;
        // The session takes what was put back by itself; resuming would lose it.
        multiplexed.emit("connection", socket);
        return;
      }
      for (const listener of serveHttp1) listener.call(server, socket);
      socket.resume();
    });
  });
  return endWithin(server, trackSessions(multiplexed), options.closeTimeoutMs);
}

/** Calls back once, when the bytes so far tell the protocol, with those bytes put back into the paused socket. */
function detectHttp2(socket: Socket, onDetected: (isHttp2: boolean) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const onBytes = (bytes: Buffer): void => {
    seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
    const compared = Math.min(seen.length, preface.length);
    const isPreface = preface.compare(seen, 0, compared, 0, compared) === 0;
    if (isPreface && compared < preface.length) return;
    stop();
    socket.pause();
    socket.unshift(seen);
    onDetected(isPreface);
  };
  const stop = (): void => {
    socket.off("data", onBytes).off("end", giveUp).off("error", giveUp).off("timeout", giveUp);
    socket.setTimeout(0);
  };
  const giveUp = (): void => {
    stop();
    // Errors of a socket that is nobody's yet concern nobody.
    socket.on("error", () => undefined);
    socket.destroy();
  };
  socket.setTimeout(prefaceTimeoutMs);
  socket.on("data", onBytes).on("end", giveUp).on("error", giveUp).on("timeout", giveUp);
}

/** The open sessions of a server, each with its window and its pings. */
function trackSessions(server: http2.Http2Server | http2.Http2SecureServer): ReadonlySet<http2.Http2Session> {
  const sessions = new Set<http2.Http2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    const stopPinging = pingRegularly(session);
    session.once("close", () => {
      sessions.delete(session);
      stopPinging();
    });
    // Without a listener an error of the session would end the server.
    session.on("error", () => session.destroy());
    session.setLocalWindowSize(limits.connectionWindowBytes);
  });
  return sessions;
}

function pingRegularly(session: http2.Http2Session): () => void {
  let unanswered = false;
  const timer = setInterval(() => {
    if (unanswered) {
      session.destroy();
      return;
    }
    if (session.destroyed) return;
    // False: so many pings are on their way already that one more is none of them.
    unanswered = session.ping((error) => {
      if (error === null) unanswered = false;
    });
  }, pingIntervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Makes `close` end: sessions get GOAWAY and finish their streams, idle
 * connections are let go at once and as they become idle, and what is left
 * after the time is up is cut. A socket that has said nothing (browsers open
 * some ahead of need) belongs to no protocol yet, and is let go at once too.
 */
function endWithin(
  server: http.Server,
  sessions: ReadonlySet<http2.Http2Session>,
  closeTimeoutMs: () => number,
): http.Server {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const close = server.close.bind(server);
  server.close = (callback) => {
    for (const session of sessions) session.close();
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    const sweep = setInterval(() => server.closeIdleConnections?.(), sweepIntervalMs);
    const cut = setTimeout(() => {
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
    }, closeTimeoutMs());
    return close((error) => {
      clearInterval(sweep);
      clearTimeout(cut);
      callback?.(error);
    });
  };
  return server;
}
