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
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { type ContextKey, createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { frameOf } from "@logsvc/proto";

/** The responses of one call. */
export class DirectResponses {
  readonly #begun = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #frames: AsyncIterator<Uint8Array> | undefined;
  /** What Connect has been asked for and will say when the frames are over. */
  #connects: Promise<IteratorResult<Uint8Array>> | undefined;

  /**
   * Sends frames. To be called by the handler after its first message.
   *
   * @throws What the frames throw; what a write failed with.
   */
  async pass(frames: AsyncIterable<Uint8Array>): Promise<void> {
    this.#frames = frames[Symbol.asyncIterator]();
    this.#begun.resolve();
    await this.#ended.promise;
  }

  /** The response as it goes on the wire. */
  response(response: UniversalServerResponse): UniversalServerResponse {
    return response.body === undefined ? response : { ...response, body: this.#written(response.body) };
  }

  #written(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    const connect = body[Symbol.asyncIterator]();
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => (await this.#nextFrame(connect)) ?? this.#askConnect(connect),
        throw: (error) => {
          this.#end(() => this.#ended.reject(error));
          return connect.throw?.(error) ?? Promise.reject(error);
        },
        return: (value) => {
          this.#end(() => this.#ended.resolve());
          return connect.return?.(value) ?? Promise.resolve({ done: true, value });
        },
      }),
    };
  }

  /** The next frame that goes by itself, if there is one. */
  async #nextFrame(connect: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array> | undefined> {
    if (this.#frames === undefined) {
      // Asking is what makes the handler go on, to `pass` or to its end.
      this.#connects ??= connect.next();
      await Promise.race([this.#connects, this.#begun.promise]);
    }
    try {
      const step = await this.#frames?.next();
      if (step !== undefined && !step.done) return step;
      this.#end(() => this.#ended.resolve());
    } catch (error) {
      this.#end(() => this.#ended.reject(error));
    }
    return undefined;
  }

  #askConnect(connect: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    const asked = this.#connects ?? connect.next();
    this.#connects = undefined;
    return asked;
  }

  #end(settle: () => void): void {
    if (this.#frames === undefined) return;
    // Where nobody waits for it any more, an error has been told otherwise.
    this.#ended.promise.catch(() => undefined);
    settle();
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

async function* framesOf<Desc extends DescMessage>(
  schema: Desc,
  responses: AsyncIterable<MessageShape<Desc>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const response of responses) yield frameOf(toBinary(schema, response));
}
