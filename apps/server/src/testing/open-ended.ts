/** Streams of messages that tests send when they like. */

/** A stream of messages that goes on until it is told to end. */
export function openEnded<T>(): {
  readonly messages: AsyncIterable<T>;
  readonly send: (message: T) => void;
  readonly end: () => void;
} {
  const queue: T[] = [];
  let ended = false;
  let wake = (): void => undefined;
  async function* messages(): AsyncGenerator<T> {
    while (true) {
      if (queue.length > 0) yield* queue.splice(0);
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const send = (message: T): void => {
    queue.push(message);
    wake();
  };
  const end = (): void => {
    ended = true;
    wake();
  };
  return { messages: messages(), send, end };
}
