/**
 * Reads the frames of a request's HTTP/2 stream by turns of the event loop.
 *
 * Node calls back once for each DATA frame, and runs the microtasks in between;
 * a Go client sends a DATA frame for each message. So nothing is done with a
 * frame but to keep it, until `setImmediate` tells that everything the socket
 * had to give is here: then all of it goes on as one run. Without that turn
 * there were two messages in a run, with it there are hundreds.
 */
import type { ServerHttp2Stream } from "node:http2";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { FrameGatherer, GatheredFrames } from "@logsvc/proto";
import { brokenOff } from "./frame-boundaries.ts";

/**
 * The stream's frames as the gatherer passes them on. When it is full the stream
 * is paused, and HTTP/2 flow control holds the client. It ends with the stream;
 * the stream itself is left as it is when the reader stops.
 */
export function gatherFrames(
  stream: ServerHttp2Stream,
  gatherer: FrameGatherer,
): AsyncIterable<GatheredFrames> {
  return { [Symbol.asyncIterator]: () => readTurns(new StreamTurns(stream, gatherer), gatherer) };
}

async function* readTurns(
  turns: StreamTurns,
  gatherer: FrameGatherer,
): AsyncGenerator<GatheredFrames, void, undefined> {
  try {
    for (let more = true; more; ) {
      more = await turns.next();
      for (let frames = gatherer.take(); frames !== undefined; frames = gatherer.take()) {
        yield frames;
        // Connect skips the ends of streams without waiting for anything: a flood of them would stop all else.
        if (!frames.arePlain) await nextTurn();
      }
    }
    if (gatherer.rest().length > 0) throw brokenOff();
  } finally {
    turns.close();
  }
}

/** The turns in which a stream has brought something. */
class StreamTurns {
  readonly #stream: ServerHttp2Stream;
  readonly #gatherer: FrameGatherer;
  #turn: NodeJS.Immediate | undefined;
  #ended = false;
  #failure: Error | undefined;
  #turned = false;
  #wake: (() => void) | undefined;

  constructor(stream: ServerHttp2Stream, gatherer: FrameGatherer) {
    this.#stream = stream;
    this.#gatherer = gatherer;
    stream
      .on("data", this.#onBytes)
      .on("end", this.#onEnd)
      .on("error", this.#onError)
      .on("close", this.#onClose);
    // The listener makes the stream flow, unless somebody has paused it before.
    stream.resume();
    // What has ended or gone before does not say so again: a request without a body has.
    if (stream.readableEnded) this.#onEnd();
    else if (stream.destroyed) this.#onClose();
  }

  /**
   * Resolves after the next turn that has brought something: true, or after the last: false.
   *
   * @throws ConnectError Canceled when the client has gone; what the stream failed with.
   */
  async next(): Promise<boolean> {
    if (this.#stream.isPaused()) this.#stream.resume();
    while (!this.#turned) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#turned = false;
    return true;
  }

  close(): void {
    clearImmediate(this.#turn);
    this.#stream.off("data", this.#onBytes).off("end", this.#onEnd).off("close", this.#onClose);
    // Not "error": what fails after this concerns nobody here, but must not be unheard.
    this.#stream.pause();
  }

  readonly #onBytes = (chunk: Buffer): void => {
    this.#gatherer.push(chunk);
    if (this.#gatherer.isFull) this.#stream.pause();
    this.#turn ??= setImmediate(this.#onTurn);
  };

  readonly #onTurn = (): void => {
    this.#turn = undefined;
    this.#turned = true;
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#turn ??= setImmediate(this.#onTurn);
  };

  readonly #onError = (error: Error): void => {
    this.#failure ??= error;
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    if (this.#ended) return;
    this.#onError(new ConnectError("the client has gone", Code.Canceled));
  };
}
