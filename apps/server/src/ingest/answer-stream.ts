/** One ingest stream: its answers in order, its bytes in flight, and the reading of it. */
import { limits } from "@logsvc/proto";
import { AnswerQueue } from "./answer-queue.ts";
import { ByteGate } from "./byte-gate.ts";

/** One stream's answers, and its bytes in flight. */
export class AnswerStream<Answer> {
  /** The answers. */
  readonly queue = new AnswerQueue<Answer>();
  readonly #all: ByteGate;
  readonly #own = new ByteGate(limits.streamInFlightBytesMax);

  /** @param all Bytes in flight of all streams together. */
  constructor(all: ByteGate) {
    this.#all = all;
  }

  /** Counts received bytes. */
  add(bytes: number): void {
    this.#all.add(bytes);
    this.#own.add(bytes);
  }

  /** Takes answered bytes off. */
  release(bytes: number): void {
    this.#all.release(bytes);
    this.#own.release(bytes);
  }

  /** Resolves when the stream may be read on; undefined when it may now. */
  room(): Promise<void> | undefined {
    return this.#own.room() ?? this.#all.room();
  }
}

/**
 * Reads messages as fast as there is room for them, and ends the answers with
 * the source. Never rejects: what fails is told by the answers.
 */
export async function readInto<Message, Answer>(
  stream: AnswerStream<Answer>,
  messages: AsyncIterable<Message>,
  submit: (message: Message, stream: AnswerStream<Answer>) => void,
  flush: ((stream: AnswerStream<Answer>) => void) | undefined,
): Promise<void> {
  const { queue } = stream;
  try {
    for await (const message of messages) {
      if (queue.ended) return;
      submit(message, stream);
      // Again after each wait: room in one bound is not yet room in both.
      for (let room = stream.room(); room !== undefined; room = stream.room()) {
        await room;
        if (queue.ended) return;
      }
    }
    flush?.(stream);
    queue.complete();
  } catch (error) {
    if (!queue.ended) flush?.(stream);
    queue.fail(error);
  }
}
