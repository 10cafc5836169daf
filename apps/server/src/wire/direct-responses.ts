/**
 * The responses of a stream that never ends, past Connect.
 *
 * A response costs Connect as much as all else that is done for it, and a
 * thousand tails send some thousand responses a second. So Connect sends the
 * first one, which takes the headers along, and then waits in the handler; the
 * others go to HTTP as frames, by themselves, for as long as there are any. The
 * stream's end, or its error, is Connect's again:
 *
 *   handler    first response ─▶ Connect ─▶ headers, frame
 *              pass(frames) ─────────────▶ frame, frame, frame …
 *              return, throw  ─▶ Connect ─▶ trailers
 *
 * What Connect does to a call in between (its deadline, its cancel, a failed
 * write) it does by the call's signal, on which the frames must end. Frames are
 * not compressed: clients who take compressed ones have Connect's own way.
 */
import type { ServerResponse } from "node:http";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ContextKey,
  createContextKey,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { frameHeaderBytes, frameOf, writeFrameHeader } from "@logsvc/proto";

/** The responses of one call. */
export class DirectResponses {
  readonly #response: ServerResponse;
  readonly #begun = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #frames: AsyncIterable<Uint8Array> | undefined;
  /** What Connect has been asked for and will say when the frames are over. */
  #connects: Promise<IteratorResult<Uint8Array>> | undefined;
  /** Why nothing can be written any more. */
  #failure: Error | undefined;
  /** Ends the wait of a write for what was written before it. */
  #goOn: (() => void) | undefined;

  /** @param response Where the call's response is written. */
  constructor(response: ServerResponse) {
    this.#response = response;
    const fail = (error: Error): void => {
      this.#failure ??= error;
      this.#goOn?.();
    };
    response.on("drain", () => this.#goOn?.());
    response.on("error", fail);
    // Nothing else may tell of a client that leaves while a write waits.
    response.on("close", () => fail(new ConnectError("the response was closed", Code.Canceled)));
  }

  /**
   * Sends frames. To be called by the handler after its first message.
   *
   * @throws What the frames throw; what a write failed with.
   */
  async pass(frames: AsyncIterable<Uint8Array>): Promise<void> {
    this.#frames = frames;
    this.#begun.resolve();
    await this.#ended.promise;
  }

  /** The response as Connect is to write it. */
  response(response: UniversalServerResponse): UniversalServerResponse {
    return response.body === undefined ? response : { ...response, body: this.#written(response.body) };
  }

  #written(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const connect = body[Symbol.asyncIterator]();
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          // Asking is what makes the handler go on, to `pass` or to its end.
          this.#connects ??= connect.next();
          await Promise.race([this.#connects, this.#begun.promise]);
          await this.#sendFrames();
          const asked = this.#connects;
          this.#connects = undefined;
          return asked;
        },
        throw: (error) => connect.throw?.(error) ?? Promise.reject(error),
        return: (value) => connect.return?.(value) ?? Promise.resolve({ done: true, value }),
      }),
    };
  }

  /** Writes the frames, if there are any, and lets the handler go on. */
  async #sendFrames(): Promise<void> {
    const frames = this.#frames;
    if (frames === undefined) return;
    this.#frames = undefined;
    try {
      for await (const frame of frames) {
        const drained = this.#write(frame);
        if (drained !== undefined) await drained;
      }
      this.#ended.resolve();
    } catch (error) {
      this.#ended.reject(error);
    }
  }

  /** Returns a promise only where the client has to take what was written before. Connect's way makes one, and listeners, for each write. */
  #write(frame: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#response.write(frame)) return undefined;
    return new Promise((resolve, reject) => {
      this.#goOn = () => {
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
    });
  }
}

/** How a handler finds the direct responses of its call. */
export const directResponsesKey: ContextKey<DirectResponses | undefined> = createContextKey<
  DirectResponses | undefined
>(undefined, { description: "direct responses" });

/** Whether a client takes no compressed messages. */
export function takesPlain(header: Headers): boolean {
  const accepted = header.get("grpc-accept-encoding") ?? header.get("connect-accept-encoding") ?? "identity";
  return accepted === "identity" || accepted === "";
}

/**
 * Yields responses: the first one, and where the call has direct responses
 * nothing else, as the others go past Connect.
 *
 * @param responses End with the call's signal.
 */
export async function* respondDirectly<Desc extends DescMessage>(
  schema: Desc,
  responses: AsyncGenerator<MessageShape<Desc>, void, undefined>,
  { values }: HandlerContext,
): AsyncGenerator<MessageShape<Desc>, void, undefined> {
  const direct = values.get(directResponsesKey);
  if (direct === undefined) {
    yield* responses;
    return;
  }
  const first = await responses.next();
  if (first.done) return;
  try {
    yield first.value;
    await direct.pass(framesOf(schema, responses));
  } finally {
    // Also where frames were passed: after a failed write nobody asks for the next one, and they end with nobody.
    await responses.return();
  }
}

/** Frames of responses that many calls send, each made once: a message has one schema. */
const knownFrames = new WeakMap<object, Uint8Array>();

async function* framesOf<Desc extends DescMessage>(
  schema: Desc,
  responses: AsyncIterable<MessageShape<Desc>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const response of responses) {
    let frame = knownFrames.get(response);
    if (frame === undefined) {
      frame = frameOfResponse(schema, response);
      knownFrames.set(response, frame);
    }
    yield frame;
  }
}

/**
 * A response as a frame. What is encoded already (`$unknown`) is copied once:
 * protobuf would do it thrice, and it is nearly all of a tail's response.
 */
function frameOfResponse<Desc extends DescMessage>(schema: Desc, response: MessageShape<Desc>): Uint8Array {
  const { $unknown = [], ...known } = response;
  if (!$unknown.every(({ no }) => no <= oneByteFieldMax)) return frameOf(toBinary(schema, response));
  const message = toBinary(schema, known as MessageShape<Desc>);
  const length = $unknown.reduce((sum, { data }) => sum + 1 + data.length, message.length);
  const frame = new Uint8Array(frameHeaderBytes + length);
  writeFrameHeader(frame, 0, 0, length);
  frame.set(message, frameHeaderBytes);
  let at = frameHeaderBytes + message.length;
  for (const { no, wireType, data } of $unknown) {
    frame[at] = (no << 3) | wireType;
    frame.set(data, at + 1);
    at += 1 + data.length;
  }
  return frame;
}

/** Fields up to this one have a tag of one byte. */
const oneByteFieldMax = 15;
