/**
 * Connect's handlers on Fastify: gRPC, gRPC-Web and Connect, binary and JSON.
 *
 * Fastify routes and runs its hooks, then Connect has the raw request and
 * response: bodies are never parsed nor bounded by Fastify (its content type
 * parsers are switched off here, and with them `bodyLimit`); each method's
 * `readMaxBytes` bounds its messages before they are buffered, and a
 * ReceiveBound those of all unary calls together.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants as http2Constants, type ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { Code, ConnectError, type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { compressionZstd } from "./compression-zstd.ts";
import { errorBody, toConnectError } from "./connect-errors.ts";
import type { ReceiveBound } from "./receive-bound.ts";
import { takeOver } from "./take-over.ts";

/** How long the rest of an HTTP/1.1 request that nobody wants is read and dropped before the connection is cut. */
const lingerMs = 1_000;

/** What a request is served with. */
interface Serving {
  readonly handler: UniversalHandler;
  readonly receiveBound: ReceiveBound;
}

/** Adds a route for each RPC of `routes`. */
export function mountConnect(
  app: FastifyInstance,
  routes: (router: ConnectRouter) => unknown,
  receiveBound: ReceiveBound,
): void {
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli, compressionZstd],
    // Fields of a later version are not stored: nothing here could validate them.
    binaryOptions: { readUnknownFields: false },
    // In JSON, which people write by hand, an unknown field is a misspelt one: what it held must not be lost.
    jsonOptions: { ignoreUnknownFields: false },
    requestGate: (context) => blameTheSender(context.signal),
  });
  routes(router);
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    for (const handler of router.handlers) {
      scope.route({
        method: ["GET", "POST"],
        url: handler.requestPath,
        handler: (request, reply) => serve({ handler, receiveBound }, request, reply),
      });
    }
  });
}

/** What Connect says of bytes that are not what their sender calls them. */
const sendersFault = /^(parse binary:|decompression failed)/;

/**
 * A message that is not protobuf is its sender's fault, but Connect calls it
 * Internal, and one whose compression breaks off as well. Every protocol
 * aborts the call's signal with the error just before it writes the error out,
 * which is the one place to mend it for all of them: a unary request is parsed
 * before any interceptor or handler runs.
 */
function blameTheSender(signal: AbortSignal): void {
  signal.addEventListener("abort", () => {
    const error: unknown = signal.reason;
    if (!(error instanceof ConnectError) || error.code !== Code.Internal) return;
    if (sendersFault.test(error.rawMessage)) Object.assign(error, { code: Code.InvalidArgument });
  });
}

async function serve(serving: Serving, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { handler, receiveBound } = serving;
  const { raw } = request;
  if (handler.method.methodKind === "bidi_streaming" && raw.httpVersionMajor === 1) {
    const message = `${handler.method.name} streams both ways, which needs HTTP/2`;
    // The client may be in the middle of its stream: no other request can follow on the connection.
    await reply.code(505).header("connection", "close").send({ code: "unimplemented", message });
    return;
  }
  if (!URL.canParse(`http://${request.host}`)) {
    const message = `Host: expected the name of this server, got ${JSON.stringify(request.host ?? "")}`;
    await reply.code(400).send({ code: "invalid_argument", message });
    return;
  }
  takeOver(reply);
  letGoOfRest(raw, reply.raw);
  try {
    const universal = universalRequestFromNodeRequest(raw, reply.raw, undefined, undefined);
    dropEndlessDeadline(universal.header);
    // Connect's own iteration destroys the request when it stops at an error,
    // which would abort the call before what was read is answered.
    const chunks: AsyncIterable<Uint8Array> = raw.iterator({ destroyOnReturn: false });
    const body = handler.method.methodKind === "unary" ? receiveBound.count(chunks, reply.raw) : chunks;
    await universalResponseToNodeResponse(await handler({ ...universal, body }), reply.raw);
  } catch (error) {
    endFailed(error, request, reply);
  }
}

/** What Node's timers reach: 24.8 days. They take a longer time for one millisecond. */
const timerMsMax = 2 ** 31 - 1;

const grpcTimeoutMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1 };

/** Some clients say "no deadline" with one that is years away. */
function dropEndlessDeadline(header: Headers): void {
  const [, amount, unit = ""] = /^(\d+)([HMSm])$/.exec(header.get("grpc-timeout") ?? "") ?? [];
  if (Number(amount) * (grpcTimeoutMs[unit] ?? 0) > timerMsMax) header.delete("grpc-timeout");
  if (Number(header.get("connect-timeout-ms")) > timerMsMax) header.delete("connect-timeout-ms");
}

/** After a response has failed half-way: the client must not take what it got for whole. */
function endFailed(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = reply;
  const failure = toConnectError(error);
  // Aborted, Canceled: the client has gone, which is nothing to log.
  if (failure.code !== Code.Aborted && failure.code !== Code.Canceled) {
    request.log.error({ err: error, rpc: request.url }, "an RPC's response failed");
  }
  if (raw.headersSent || raw.destroyed) {
    raw.destroy();
    return;
  }
  raw.writeHead(500, { "content-type": "application/json" });
  raw.end(JSON.stringify(errorBody(failure)));
}

/**
 * Lets go of a request whose response is complete while its body is not: an
 * error has ended a stream early. gRPC servers reset the stream with NO_ERROR
 * (RFC 9113 section 8.1); HTTP/1.1 has no such thing.
 */
function letGoOfRest(request: IncomingMessage, response: ServerResponse): void {
  const stream: unknown = "stream" in response ? response.stream : undefined;
  if (isHttp2Stream(stream)) {
    // The response's last event before the end of both directions; the trailers go out in it.
    stream.once("wantTrailers", () => {
      if (!stream.readableEnded) setImmediate(() => stream.close(http2Constants.NGHTTP2_NO_ERROR));
    });
    return;
  }
  response.once("finish", () => {
    if (request.complete || request.readableEnded) return;
    request.resume();
    const timer = setTimeout(() => request.socket.destroy(), lingerMs);
    request.once("close", () => clearTimeout(timer));
  });
}

const isHttp2Stream = (stream: unknown): stream is ServerHttp2Stream =>
  stream instanceof Duplex && "close" in stream;
