/**
 * StreamLogs by runs of frames, at the speed of the wire.
 *
 * Connect for Node costs 30 to 40 µs a message, whatever its size. So it is
 * kept in charge of the protocol (headers, interceptors, deadlines, cancels,
 * trailers, errors), and sees fewer messages: the RPC is called as one whose
 * messages are FrameRuns, and the HTTP client beneath Connect takes off and
 * puts on what is around a run. The bytes between client and server are the
 * same as ever (packages/proto/src/frames.ts).
 *
 *   run of frames ─▶ FrameRun ─▶ Connect ─▶ 0 len FrameRun ─ unwrap ─▶ frame │ frame │ …   HTTP/2
 *   run of frames ◀─ FrameRun ◀─ Connect ◀─ 0 len FrameRun ◀─ gather ─ frame │ fra
 *
 * Frames that are not plain messages, such as those that end a stream, go to
 * Connect by themselves. It needs HTTP/2 and messages without compression:
 * everything else sends and receives messages, with the same runs in front.
 */
import { Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import type {
  CommonTransportOptions,
  UniversalClientFn,
  UniversalClientResponse,
} from "@connectrpc/connect/protocol";
import { createTransport as createConnectTransport } from "@connectrpc/connect/protocol-connect";
import { createTransport as createGrpcTransport } from "@connectrpc/connect/protocol-grpc";
import { createTransport as createGrpcWebTransport } from "@connectrpc/connect/protocol-grpc-web";
import { createNodeHttpClient, type NodeHttpClientOptions } from "@connectrpc/connect-node";
import {
  decodeEntries,
  encodeAnswer,
  FrameGatherer,
  FrameRunSchema,
  LogService,
  limits,
  unwrapFrames,
} from "@logsvc/client";

/**
 * Calls StreamLogs: takes and yields runs of whole frames, of entries and of
 * answers. It is done with a run of entries when it asks for the next one.
 */
export type StreamRuns = (
  runs: AsyncIterable<Uint8Array>,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => AsyncIterable<Uint8Array>;

/** What runs are sent over. */
export interface RunTransportOptions {
  readonly protocol: "connect" | "grpc" | "grpc-web";
  readonly baseUrl: string;
  readonly interceptors: Interceptor[];
  /** The connection, which other calls share. */
  readonly sessions: ReturnType<Http2SessionProvider>;
}

type Http2SessionProvider = NonNullable<
  Extract<NodeHttpClientOptions, { httpVersion: "2" }>["sessionProvider"]
>;

/** The flag of the frame that ends a response's stream; gRPC has none. */
const endFlags = { connect: 2, grpc: 0, "grpc-web": 128 } as const;

/** A run has one message of the greatest size at the most, and what comes with it. */
const runBytesMax = 2 * limits.batchBytesMax;

/** StreamLogs over HTTP/2 in frames. */
export function createRunStream(options: RunTransportOptions): StreamRuns {
  const transport = createTransport(options);
  const { streamLogs } = LogService.method;
  const method = { ...streamLogs, input: FrameRunSchema, output: FrameRunSchema };
  return async function* streamRuns(runs, headers, signal) {
    const response = await transport.stream(method, signal, undefined, headers, wrapped(runs));
    for await (const { frames } of response.message) yield frames;
  };
}

/** StreamLogs over any transport, message by message. */
export function createMessageStream(transport: Transport): StreamRuns {
  const rpc = createClient(LogService, transport);
  return async function* streamRuns(runs, headers, signal) {
    const answers = rpc.streamLogs(entriesOf(runs), { headers, signal });
    for await (const answer of answers) yield encodeAnswer(answer);
  };
}

async function* wrapped(runs: AsyncIterable<Uint8Array>) {
  for await (const frames of runs) yield { frames };
}

async function* entriesOf(runs: AsyncIterable<Uint8Array>) {
  for await (const frames of runs) yield* decodeEntries(frames);
}

function createTransport({ protocol, baseUrl, interceptors, sessions }: RunTransportOptions): Transport {
  const client = createNodeHttpClient({ httpVersion: "2", sessionProvider: () => sessions });
  const options: CommonTransportOptions = {
    baseUrl,
    interceptors,
    httpClient: framed(client, endFlags[protocol]),
    useBinaryFormat: true,
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: runBytesMax,
    readMaxBytes: runBytesMax,
    writeMaxBytes: runBytesMax,
  };
  switch (protocol) {
    case "connect":
      return createConnectTransport(options);
    case "grpc-web":
      return createGrpcWebTransport(options);
    case "grpc":
      return createGrpcTransport(options);
  }
}

/** The HTTP client for who sends and receives FrameRuns. */
function framed(client: UniversalClientFn, endFlag: number): UniversalClientFn {
  return async ({ body, ...request }) => {
    const response = await client({ ...request, ...(body && { body: unwrapped(body) }) });
    return { ...response, body: gathered(response.body, endFlag) };
  };
}

/** Not a generator: that would turn a `throw`, by which a failed write is told, into a `return`. */
function unwrapped(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const frames = body[Symbol.asyncIterator]();
      const unwrap = async (
        step: Promise<IteratorResult<Uint8Array>>,
      ): Promise<IteratorResult<Uint8Array>> => {
        const { done, value } = await step;
        return done ? { done, value } : { done: false, value: unwrapFrames(value) };
      };
      return {
        next: () => unwrap(frames.next()),
        throw: (error) => unwrap(frames.throw?.(error) ?? Promise.reject(error)),
        return: (value) => unwrap(frames.return?.(value) ?? Promise.resolve({ done: true, value })),
      };
    },
  };
}

/** A response's body with each run of frames wrapped. Not a generator either: Connect cancels the request by `throw`. */
function gathered(body: UniversalClientResponse["body"], endFlag: number): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = body[Symbol.asyncIterator]();
      const gatherer = new FrameGatherer({ messageBytesMax: limits.batchBytesMax, endFlag, tooLarge });
      const frames = gather(chunks, gatherer);
      return {
        next: () => frames.next(),
        throw: async (error) => chunks.throw?.(error) ?? Promise.reject(error),
      };
    },
  };
}

/** As many frames at once as one read of the stream brings; waiting for more of them has shown no gain. */
async function* gather(chunks: AsyncIterator<Uint8Array>, gatherer: FrameGatherer) {
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) break;
    gatherer.push(value);
    for (let frames = gatherer.take(); frames !== undefined; frames = gatherer.take()) yield frames;
  }
  const rest = gatherer.rest();
  if (rest.length > 0) yield rest;
}

/** In Connect's words, as it would refuse the message itself. */
function tooLarge(messageBytes: number): ConnectError {
  const message = `message size ${messageBytes} is larger than configured readMaxBytes ${limits.batchBytesMax}`;
  return new ConnectError(message, Code.ResourceExhausted);
}
