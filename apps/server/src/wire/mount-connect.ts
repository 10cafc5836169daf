/**
 * Connect's handlers on Fastify: gRPC, gRPC-Web and Connect, binary and JSON.
 *
 *   request ─┬─ binary, and the RPC has an encoded form ─┬─ framed, HTTP/2, not compressed ─▶ framed.ts ─▶ handler of runs
 *            │                                           └─ a batch ─────────────────────────────────────▶ handler of bytes
 *            └─ anything else ────────────────────────────────────────────────────────────────────────────▶ handler of messages
 *
 * Fastify routes and runs its hooks, then Connect has the raw request and
 * response: bodies are never parsed nor bounded by Fastify (its content type
 * parsers are switched off here, and with them `bodyLimit`); each method's
 * `readMaxBytes` bounds its messages before they are buffered, and a
 * ReceiveBound those of all unary calls together. The entries of batches are
 * counted before Connect decodes them (entry-count.ts).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants as http2Constants, type ServerHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { EncodedBatchSchema, WriteLogsRequestSchema } from "@logsvc/proto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { compressionZstd } from "./compression-zstd.ts";
import { errorBody, toConnectError } from "./connect-errors.ts";
import { DirectResponses, directResponsesKey, takesPlain } from "./direct-responses.ts";
import { boundCompression, boundEntries, type MessageFormat, startCount } from "./entry-count.ts";
import { cutAtFrames } from "./frame-boundaries.ts";
import { canBeFramed, FramedCall, framedCallKey, messageBytesMaxOf } from "./framed.ts";
import type { ReceiveBound } from "./receive-bound.ts";
import { takeOver } from "./take-over.ts";

/** How long the rest of an HTTP/1.1 request that nobody wants is read and dropped before the connection is cut. */
const lingerMs = 1_000;

/** Adds RPCs to a router. */
export type AddRoutes = (router: ConnectRouter) => unknown;

/** What is mounted. */
export interface ConnectRoutes {
  /** Every RPC, with its messages. */
  readonly messages: AddRoutes;
  /**
   * Some of them once more, for requests in binary: their entries stay encoded.
   * Those whose messages are empty take and return runs of frames (framed.ts),
   * and stand before others of the same RPC, for requests that can't be framed;
   * server streams may respond past Connect (direct-responses.ts).
   */
  readonly encoded: AddRoutes;
  /** Bounds the bodies of all unary calls together. */
  readonly receiveBound: ReceiveBound;
}

/** The handlers of one RPC. */
interface RpcHandlers {
  /** Alike but for how they count the entries of what was compressed. */
  readonly messages: Readonly<Record<MessageFormat, UniversalHandler>>;
  readonly encoded: readonly UniversalHandler[];
  readonly receiveBound: ReceiveBound;
}

/** Adds a route for each RPC. */
export function mountConnect(app: FastifyInstance, routes: ConnectRoutes): void {
  const { receiveBound } = routes;
  const pathOf = ({ requestPath }: UniversalHandler): string => requestPath;
  const encoded = Map.groupBy(handlersOf(routes.encoded, "binary"), pathOf);
  const binary = new Map(handlersOf(routes.messages, "binary").map((handler) => [pathOf(handler), handler]));
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    for (const json of handlersOf(routes.messages, "json")) {
      const url = pathOf(json);
      const messages = { json, binary: binary.get(url) ?? json };
      const handlers = { messages, encoded: encoded.get(url) ?? [], receiveBound };
      scope.route({
        method: ["GET", "POST"],
        url,
        handler: (request, reply) => serve(handlers, request, reply),
      });
    }
  });
}

const compressions = [compressionGzip, compressionBrotli, compressionZstd];

function handlersOf(addRoutes: AddRoutes, format: MessageFormat): readonly UniversalHandler[] {
  const router = createConnectRouter({
    acceptCompression: compressions.map((compression) => boundCompression(compression, format)),
    // Fields of a later version are not stored: nothing here could validate them.
    binaryOptions: { readUnknownFields: false },
    // In JSON, which people write by hand, an unknown field is a misspelt one: what it held must not be lost.
    jsonOptions: { ignoreUnknownFields: false },
    requestGate: (context) => blameTheSender(context.signal),
  });
  addRoutes(router);
  return router.handlers;
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

async function serve(handlers: RpcHandlers, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { raw } = request;
  const { method } = handlers.messages.json;
  if (method.methodKind === "bidi_streaming" && raw.httpVersionMajor === 1) {
    const message = `${method.name} streams both ways, which needs HTTP/2`;
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
    await respond(handlers, raw, reply.raw);
  } catch (error) {
    endFailed(error, request, reply);
  }
}

async function respond(handlers: RpcHandlers, raw: IncomingMessage, response: ServerResponse): Promise<void> {
  const universal = universalRequestFromNodeRequest(raw, response, undefined, undefined);
  dropEndlessDeadline(universal.header);
  const handler = chooseHandler(handlers, universal.header, raw);
  const stream = streamOf(response);
  if (stream !== undefined && takesRuns(handler)) {
    const call = new FramedCall(
      universal.header.get("content-type") ?? "",
      messageBytesMaxOf(handler.method.name),
    );
    const contextValues = createContextValues().set(framedCallKey, call);
    const request = { ...universal, body: call.body(stream), contextValues };
    await universalResponseToNodeResponse(call.response(await handler(request)), response);
    return;
  }
  const body = bodyOf(handler, { raw, response, receiveBound: handlers.receiveBound });
  const isServerStream = handler.method.methodKind === "server_streaming";
  if (isServerStream && handlers.encoded.includes(handler) && takesPlain(universal.header)) {
    const direct = new DirectResponses(response);
    const contextValues = createContextValues().set(directResponsesKey, direct);
    const answer = await handler({ ...universal, body, contextValues });
    await universalResponseToNodeResponse(direct.response(answer), response);
    return;
  }
  await universalResponseToNodeResponse(await handler({ ...universal, body }), response);
}

/** A request's body as it is read by Connect. */
function bodyOf(
  { method }: UniversalHandler,
  call: {
    readonly raw: IncomingMessage;
    readonly response: ServerResponse;
    readonly receiveBound: ReceiveBound;
  },
): AsyncIterable<Uint8Array> {
  const { raw, response, receiveBound } = call;
  // Connect's own iteration destroys the request when it stops at an error,
  // which would abort the call before what was read is answered.
  const received: AsyncIterable<Uint8Array> = raw.iterator({ destroyOnReturn: false });
  const isUnary = method.methodKind === "unary";
  const chunks = isUnary ? receiveBound.count(received, response) : received;
  const takesBatches = method.input === EncodedBatchSchema || method.input === WriteLogsRequestSchema;
  const count = takesBatches ? startCount(formatOf(raw)) : undefined;
  if (!isUnary) return cutAtFrames(chunks, count);
  if (count === undefined) return chunks;
  if (!bareType.test(raw.headers["content-type"] ?? "")) return cutAtFrames(chunks, count);
  // What is compressed is counted behind its decompression.
  const encoding = raw.headers["content-encoding"] ?? "identity";
  return encoding === "identity" ? boundEntries(chunks, count) : chunks;
}

/** Connect's unary calls, whose one message is not framed. */
const bareType = /^application\/(proto|json)\s*(;|$)/i;

/** Whether a handler's messages are empty, and stand for runs of frames. */
const takesRuns = ({ method }: UniversalHandler): boolean => method.input === EmptySchema;

const binaryType = /^application\/(proto|connect\+proto|grpc(-web)?(\+proto)?)\s*(;|$)/i;

const formatOf = ({ headers }: IncomingMessage): MessageFormat =>
  binaryType.test(headers["content-type"] ?? "") ? "binary" : "json";

function chooseHandler(
  { messages, encoded }: RpcHandlers,
  header: Headers,
  raw: IncomingMessage,
): UniversalHandler {
  if (formatOf(raw) === "json") return messages.json;
  const isFramed = raw.httpVersionMajor === 2 && canBeFramed(header);
  return encoded.find((handler) => isFramed || !takesRuns(handler)) ?? messages.binary;
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
  const stream = streamOf(response);
  if (stream !== undefined) {
    // The response's last event before the end of both directions; the trailers go out in it.
    stream.once("wantTrailers", () => {
      if (stream.readableEnded) return;
      setImmediate(() => {
        stream.close(http2Constants.NGHTTP2_NO_ERROR);
        // What has come and nobody reads would keep the stream for as long as its connection.
        setImmediate(() => stream.destroy());
      });
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

/** The HTTP/2 stream that a response is sent on; undefined on HTTP/1.1. */
function streamOf(response: ServerResponse): ServerHttp2Stream | undefined {
  const stream: unknown = "stream" in response ? response.stream : undefined;
  return isHttp2Stream(stream) ? stream : undefined;
}

const isHttp2Stream = (stream: unknown): stream is ServerHttp2Stream =>
  stream instanceof Duplex && "close" in stream;
