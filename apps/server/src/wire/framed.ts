/**
 * StreamLogs and ShipLogs at the speed of the wire.
 *
 * The contract answers message by message, and Connect for Node costs 30 to
 * 40 µs a message. So Connect is kept in charge of the protocol (headers,
 * deadlines, cancels, trailers, end-of-stream frames, errors after partial
 * answers), and sees fewer messages:
 *
 *   HTTP/2 ─▶ gather ─▶ a run of frames ──── beside Connect ───▶ handler
 *                       an empty message ─▶      Connect     ─▶    │
 *   HTTP/2 ◀─────────── a run of frames ◀─── beside Connect ───────┤
 *                       an empty message ◀─      Connect     ◀─────┘
 *
 *   1. Gather.  What the HTTP/2 stream brings in one turn of the event loop is
 *               one run (gather-frames.ts). Of a message only its header is
 *               looked at: one that is too long is refused before it is here.
 *   2. Pass.    Connect gets one empty message for the run, and what it does
 *               with that message it does with the run
 *               (packages/proto/src/frames.ts). No byte of a frame changes.
 *   3. Answer.  The handler takes a run for each message, and for each message
 *               that it yields it hands over a run: the answers of many
 *               entries, as the frames that they are on the wire
 *               (entry-frames.ts, answer-frames.ts; of ShipLogs batch-frames.ts).
 *   4. Write.   In place of each empty message its run is written, with one
 *               write.
 *
 * It takes HTTP/2 requests in binary without message compression. Frames that
 * are no plain messages go to Connect as they are: it skips the ends of
 * streams, and refuses what is compressed without having been agreed on. What
 * has broken off, or is too long, ends the stream behind what came before it.
 * Everything else (JSON, compressed, HTTP/1.1) takes Connect's own way to the
 * same ingest.
 */
import type { ServerHttp2Stream } from "node:http2";
import {
  Code,
  ConnectError,
  type ContextKey,
  createContextKey,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { FrameGatherer, gatheringBytes, limits, PassingRuns, SpareBuffers } from "@logsvc/proto";
import { gatherFrames } from "./gather-frames.ts";

/** The greatest message of the RPCs that take runs. */
export const messageBytesMaxOf = (rpc: string): number =>
  rpc === "StreamLogs" ? limits.entryBytesMax : limits.batchBytesMax;

/** For streams that gather more than a few messages: one each, while a run is on its way to ingest. */
const buffers = new SpareBuffers(gatheringBytes, 32);

/** The runs of one stream, as its handler takes and answers them. */
export class FramedCall {
  readonly #gatherer: FrameGatherer;
  readonly #received = new PassingRuns();
  readonly #answered = new PassingRuns();

  /**
   * @param contentType The request's.
   * @param messageBytesMax A longer message ends the stream before it is received.
   */
  constructor(contentType: string, messageBytesMax: number) {
    this.#gatherer = new FrameGatherer({
      messageBytesMax,
      endFlag: endFlagOf(contentType),
      tooLarge: (messageBytes) => tooLarge(messageBytes, messageBytesMax),
      buffers,
    });
  }

  /** The request's body as Connect sees it. */
  async *body(stream: ServerHttp2Stream): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const { frames, arePlain } of gatherFrames(stream, this.#gatherer)) {
      yield arePlain ? this.#received.pass(frames) : frames;
    }
  }

  /** A run for each message of the handler. Each is good until the next one is asked for. */
  async *runs(messages: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const _message of messages) {
      const frames = this.#received.receive();
      yield frames;
      this.#gatherer.giveBack(frames);
    }
  }

  /** Hands frames over; to be called before each message that the handler yields. */
  answer(frames: Uint8Array): void {
    this.#answered.pass(frames);
  }

  /** The response as it goes on the wire. */
  response(response: UniversalServerResponse): UniversalServerResponse {
    return response.body === undefined ? response : { ...response, body: this.#written(response.body) };
  }

  /** Not a generator: that would turn a `throw`, by which a failed write is told, into a `return`. */
  #written(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const write = async (step: Promise<IteratorResult<Uint8Array>>): Promise<IteratorResult<Uint8Array>> => {
      const { done, value } = await step;
      if (done) return { done, value };
      // Connect's and gRPC-Web's own last frame is no message of the handler's.
      return { done: false, value: value[0] === 0 ? this.#answered.receive() : value };
    };
    return {
      [Symbol.asyncIterator]() {
        const frames = body[Symbol.asyncIterator]();
        return {
          next: () => write(frames.next()),
          throw: (error) => write(frames.throw?.(error) ?? Promise.reject(error)),
          return: (value) => write(frames.return?.(value) ?? Promise.resolve({ done: true, value })),
        };
      },
    };
  }
}

/** How a call's runs get past Connect to its handler. */
export const framedCallKey: ContextKey<FramedCall | undefined> = createContextKey<FramedCall | undefined>(
  undefined,
  { description: "framed call" },
);

/** The runs of a handler's call. */
export function framedCallOf({ values }: HandlerContext): FramedCall {
  const call = values.get(framedCallKey);
  if (call === undefined) throw new Error("the handler of runs was called with messages");
  return call;
}

/** Whether the frames of a request in binary are plain: nobody has said that messages are compressed. */
export function canBeFramed(header: Headers): boolean {
  const encoding = header.get("grpc-encoding") ?? header.get("connect-content-encoding") ?? "identity";
  return encoding === "identity" || encoding === "";
}

/** In Connect's words, as its own way would refuse it. */
function tooLarge(messageBytes: number, messageBytesMax: number): ConnectError {
  const message = `message size ${messageBytes} is larger than configured readMaxBytes ${messageBytesMax}`;
  return new ConnectError(message, Code.ResourceExhausted);
}

/** The flag of the frame that ends a stream of this content type. */
function endFlagOf(contentType: string): number {
  // Connect, too, takes it in any case.
  const type = contentType.toLowerCase();
  if (type.startsWith("application/connect")) return 2;
  return type.startsWith("application/grpc-web") ? 128 : 0;
}
