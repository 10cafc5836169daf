/**
 * Connect over fetch, in the binary format and nothing else. Made of Connect's
 * own parts; its transport for browsers brings protobuf's JSON along, which is
 * a quarter of the bundle and never used here.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  appendHeaders,
  Code,
  ConnectError,
  createContextValues,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import {
  compressedFlag,
  createEnvelopeReadableStream,
  createMethodUrl,
  encodeEnvelope,
  runStreamingCall,
  runUnaryCall,
} from "@connectrpc/connect/protocol";
import {
  endStreamFlag,
  endStreamFromJson,
  errorFromJson,
  requestHeader,
  trailerDemux,
  transformConnectPostToGetRequest,
  validateResponse,
} from "@connectrpc/connect/protocol-connect";

/** How to call. */
export interface WebTransportOptions {
  readonly baseUrl: string;
  readonly interceptors: Interceptor[];
  /** Whether to send cookies to another origin. Default: fetch's. */
  readonly credentials?: RequestCredentials | undefined;
}

/** A request as fetch wants it. */
interface WebRequest {
  readonly url: string;
  readonly requestMethod: string;
  readonly header: Headers;
  readonly signal: AbortSignal;
}

/** Creates the transport. It knows unary calls and streams from the server: browsers can't stream to it. */
export function createWebTransport({ baseUrl, interceptors, credentials }: WebTransportOptions): Transport {
  const send = (request: WebRequest, body: Uint8Array<ArrayBuffer> | null): Promise<Response> =>
    fetch(request.url, {
      method: request.requestMethod,
      headers: request.header,
      signal: request.signal,
      redirect: "error",
      body,
      ...(credentials && { credentials }),
    });
  return {
    unary: (method, signal, timeoutMs, header, message, contextValues = createContextValues()) =>
      runUnaryCall({
        ...{ interceptors, ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) },
        req: {
          ...{ stream: false, service: method.parent, method, requestMethod: "POST", contextValues, message },
          url: createMethodUrl(baseUrl, method),
          header: requestHeader(method.methodKind, true, timeoutMs, header, false),
        },
        next: async (request) => {
          const bytes = toBinary(method.input, request.message);
          // Such answers can be cached, and need no preflight.
          const isGet = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
          const response = isGet
            ? await send(transformConnectPostToGetRequest(request, bytes, true), null)
            : await send(request, bytes);
          const [responseHeader, trailer] = trailerDemux(response.headers);
          const { unaryError } = validateResponse(method.methodKind, true, response.status, response.headers);
          if (unaryError) {
            throw errorFromJson(await response.json(), appendHeaders(responseHeader, trailer), unaryError);
          }
          const answer = new Uint8Array(await response.arrayBuffer());
          return {
            ...{ stream: false, service: method.parent, method, header: responseHeader, trailer },
            message: parsed(() => fromBinary(method.output, answer)),
          };
        },
      }),
    stream: (method, signal, timeoutMs, header, messages, contextValues = createContextValues()) =>
      runStreamingCall({
        ...{ interceptors, ...(signal && { signal }), ...(timeoutMs !== undefined && { timeoutMs }) },
        req: {
          ...{ stream: true, service: method.parent, method, requestMethod: "POST", contextValues },
          url: createMethodUrl(baseUrl, method),
          header: requestHeader(method.methodKind, true, timeoutMs, header, false),
          message: messages,
        },
        next: async (request) => {
          if (method.methodKind !== "server_streaming") {
            throw new ConnectError("browsers can't stream to a server: write in batches", Code.Unimplemented);
          }
          const { done, value } = await request.message[Symbol.asyncIterator]().next();
          if (done) throw new ConnectError("the request is missing", Code.Internal);
          const response = await send(request, encodeEnvelope(0, toBinary(method.input, value)));
          validateResponse(method.methodKind, true, response.status, response.headers);
          const trailer = new Headers();
          const frames = framesOf(response, trailer, request.signal);
          const read = async function* () {
            for await (const frame of frames) yield parsed(() => fromBinary(method.output, frame));
          };
          return { ...request, header: response.headers, trailer, message: read() };
        },
      }),
  };
}

/** The messages of a response, until the frame that ends it: an error, or trailers. */
async function* framesOf(
  { body, headers }: Response,
  trailer: Headers,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (body === null) throw new ConnectError("the response has no body", Code.Unknown);
  const reader = createEnvelopeReadableStream(body).getReader();
  let isEnded = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (value.flags & compressedFlag) throw new ConnectError("the response is compressed", Code.Internal);
    if (value.flags & endStreamFlag) {
      const { error, metadata } = endStreamFromJson(value.data);
      if (error) {
        for (const [name, text] of headers) error.metadata.append(name, text);
        throw error;
      }
      for (const [name, text] of metadata) trailer.set(name, text);
      isEnded = true;
    } else yield value.data;
  }
  // Node ends the body of an aborted fetch: https://github.com/nodejs/undici/issues/1940
  signal.throwIfAborted();
  if (!isEnded) throw new ConnectError("the response was cut off", Code.Unknown);
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new ConnectError(`the response is not protobuf: ${String(error)}`, Code.Internal);
  }
}
