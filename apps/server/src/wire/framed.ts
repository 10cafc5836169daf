/**
 * StreamLogs at the speed of the wire.
 *
 * The contract answers message by message, and Connect for Node costs 30 to
 * 40 µs a message. So Connect is kept in charge of the protocol (headers,
 * deadlines, cancels, trailers, end-of-stream frames, errors after partial
 * answers), and sees fewer messages:
 *
 *   1. Gather.  What the HTTP/2 stream brings in one turn of the event loop is
 *               one run (gather-frames.ts). Of a message only its header is
 *               looked at: one that is too long is refused before it is here.
 *   2. Wrap.    The run of frames becomes one frame with one message, a
 *               FrameRun. Nothing is decoded, and no byte of a frame changes
 *               (packages/proto/src/frames.ts).
 *   3. Answer.  The handler takes FrameRuns and yields FrameRuns: the answers
 *               of many entries, as the frames that they will be on the wire
 *               (answer-frames.ts).
 *   4. Unwrap.  The frame around them is taken off, and they are written with
 *               one write.
 *
 * It takes HTTP/2 requests in binary without message compression. Frames that
 * are no plain messages go to Connect by themselves: it skips the ends of
 * streams, refuses what is compressed without having been agreed on, and
 * refuses what has broken off. Everything else (JSON, compressed, HTTP/1.1)
 * takes Connect's own way to the same ingest.
 */
import type { ServerHttp2Stream } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { FrameGatherer, limits, unwrapFrames } from "@logsvc/proto";
import { gatherFrames } from "./gather-frames.ts";

/**
 * A FrameRun at the most: what is gathered in a turn, and the greatest entry
 * on top of it. Gathering stops there; nothing larger ever comes to Connect.
 */
export const runBytesMax = 2 * limits.entryBytesMax;

/** Whether the frames of a request in binary are plain: nobody has said that messages are compressed. */
export function canBeFramed(header: Headers): boolean {
  const encoding = header.get("grpc-encoding") ?? header.get("connect-content-encoding") ?? "identity";
  return encoding === "identity" || encoding === "";
}

/** The body of a request as a handler of FrameRuns takes it. */
export function framedRequest(stream: ServerHttp2Stream, header: Headers): AsyncIterable<Uint8Array> {
  const gatherer = new FrameGatherer({
    messageBytesMax: limits.entryBytesMax,
    endFlag: endFlagOf(header.get("content-type") ?? ""),
    tooLarge,
  });
  return gatherFrames(stream, gatherer);
}

/** The response of a handler of FrameRuns as it goes on the wire. */
export function framedResponse(response: UniversalServerResponse): UniversalServerResponse {
  return response.body === undefined ? response : { ...response, body: unwrapped(response.body) };
}

/** In Connect's words, as its own way would refuse it. */
function tooLarge(messageBytes: number): ConnectError {
  const message = `message size ${messageBytes} is larger than configured readMaxBytes ${limits.entryBytesMax}`;
  return new ConnectError(message, Code.ResourceExhausted);
}

/** The flag of the frame that ends a stream of this content type. */
function endFlagOf(contentType: string): number {
  if (contentType.startsWith("application/connect")) return 2;
  return contentType.startsWith("application/grpc-web") ? 128 : 0;
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
        if (done) return { done, value };
        // Connect's and gRPC-Web's own last frame is no FrameRun.
        return { done: false, value: value[0] === 0 ? unwrapFrames(value) : value };
      };
      return {
        next: () => unwrap(frames.next()),
        throw: (error) => unwrap(frames.throw?.(error) ?? Promise.reject(error)),
        return: (value) => unwrap(frames.return?.(value) ?? Promise.resolve({ done: true, value })),
      };
    },
  };
}
