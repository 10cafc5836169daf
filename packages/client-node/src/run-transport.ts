/**
 * StreamLogs and ShipLogs by runs of frames, at the speed of the wire.
 *
 * Connect for Node costs 30 to 40 µs a message, whatever its size. So it is
 * kept in charge of the protocol (headers, interceptors, deadlines, cancels,
 * trailers, errors), and sees fewer messages: an empty one for each run, which
 * passes beside it (packages/proto/src/frames.ts). The bytes between client and
 * server are the same as ever.
 *
 *   run of frames ───── beside Connect ─────▶ frame │ frame │ …        HTTP/2
 *   an empty message ─▶    Connect
 *   run of frames ◀──── beside Connect ◀───── gather ◀─ frame │ fra    HTTP/2
 *   an empty message ◀─    Connect
 *
 * Frames that are not plain messages, such as those that end a stream, go to
 * Connect by themselves. It needs HTTP/2 and messages without compression:
 * everything else sends and receives messages, with the same runs in front.
 */
import { EmptySchema } from "@bufbuild/protobuf/wkt";
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
import { decodeEntries, encodeAnswer, FrameGatherer, LogService, limits, PassingRuns } from "@logsvc/client";

/**
 * Calls an RPC: takes and yields runs of whole frames, of its requests and of
 * its answers. It is done with a run of requests when it asks for the next one.
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

/** Of what Connect sees: the frames that end streams. */
const messageBytesMax = limits.batchBytesMax;

/** StreamLogs or ShipLogs over HTTP/2 in frames. */
export function createRunStream(options: RunTransportOptions, rpc: "streamLogs" | "shipLogs"): StreamRuns {
  const method = { ...LogService.method[rpc], input: EmptySchema, output: EmptySchema };
  return async function* streamRuns(runs, headers, signal) {
    // One for each call: its HTTP client hands this call's runs over.
    const passing = { sent: new PassingRuns(), received: new PassingRuns() };
    const transport = createTransport(options, passing);
    const messages = emptyMessages(runs, passing.sent);
    const response = await transport.stream(method, signal, undefined, headers, messages);
    for await (const _message of response.message) yield passing.received.receive();
  };
}

/** The runs of one call on their way past Connect. */
interface CallRuns {
  readonly sent: PassingRuns;
  readonly received: PassingRuns;
}

/** StreamLogs over any transport, message by message. */
export function createMessageStream(transport: Transport): StreamRuns {
  const rpc = createClient(LogService, transport);
  return async function* streamRuns(runs, headers, signal) {
    const answers = rpc.streamLogs(entriesOf(runs), { headers, signal });
    for await (const answer of answers) yield encodeAnswer(answer);
  };
}

async function* emptyMessages(runs: AsyncIterable<Uint8Array>, sent: PassingRuns) {
  for await (const frames of runs) {
    sent.pass(frames);
    yield {};
  }
}

async function* entriesOf(runs: AsyncIterable<Uint8Array>) {
  for await (const frames of runs) yield* decodeEntries(frames);
}

function createTransport(
  { protocol, baseUrl, interceptors, sessions }: RunTransportOptions,
  runs: CallRuns,
): Transport {
  const client = createNodeHttpClient({ httpVersion: "2", sessionProvider: () => sessions });
  const options: CommonTransportOptions = {
    baseUrl,
    interceptors,
    httpClient: framed(client, runs, endFlags[protocol]),
    useBinaryFormat: true,
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: messageBytesMax,
    readMaxBytes: messageBytesMax,
    writeMaxBytes: messageBytesMax,
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

/** The HTTP client beneath empty messages that stand for runs. */
function framed(client: UniversalClientFn, { sent, received }: CallRuns, endFlag: number): UniversalClientFn {
  return async ({ body, ...request }) => {
    const response = await client({ ...request, ...(body && { body: written(body, sent) }) });
    return { ...response, body: gathered(response.body, received, endFlag) };
  };
}

/** A run in place of each message. Not a generator: that would turn a `throw`, by which a failed write is told, into a `return`. */
function written(body: AsyncIterable<Uint8Array>, sent: PassingRuns): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const frames = body[Symbol.asyncIterator]();
      const write = async (
        step: Promise<IteratorResult<Uint8Array>>,
      ): Promise<IteratorResult<Uint8Array>> => {
        const { done, value } = await step;
        return done ? { done, value } : { done: false, value: sent.receive() };
      };
      return {
        next: () => write(frames.next()),
        throw: (error) => write(frames.throw?.(error) ?? Promise.reject(error)),
        return: (value) => write(frames.return?.(value) ?? Promise.resolve({ done: true, value })),
      };
    },
  };
}

/** A response's body with a message for each run. Not a generator either: Connect cancels the request by `throw`. */
function gathered(
  body: UniversalClientResponse["body"],
  received: PassingRuns,
  endFlag: number,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = body[Symbol.asyncIterator]();
      const gatherer = new FrameGatherer({ messageBytesMax: limits.batchBytesMax, endFlag, tooLarge });
      const frames = gather(chunks, gatherer, received);
      return {
        next: () => frames.next(),
        throw: async (error) => chunks.throw?.(error) ?? Promise.reject(error),
      };
    },
  };
}

/** As many frames at once as one read of the stream brings; waiting for more of them has shown no gain. */
async function* gather(
  chunks: AsyncIterator<Uint8Array>,
  gatherer: FrameGatherer,
  received: PassingRuns,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) break;
    gatherer.push(value);
    for (let taken = gatherer.take(); taken !== undefined; taken = gatherer.take()) {
      yield taken.arePlain ? received.pass(taken.frames) : taken.frames;
    }
  }
  const rest = gatherer.rest();
  if (rest.length > 0) yield rest;
}

/** In Connect's words, as it would refuse the message itself. */
function tooLarge(messageBytes: number): ConnectError {
  const message = `message size ${messageBytes} is larger than configured readMaxBytes ${limits.batchBytesMax}`;
  return new ConnectError(message, Code.ResourceExhausted);
}
