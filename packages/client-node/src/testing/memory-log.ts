/** A log for tests, which takes repeats for what they are. */
import type { LogServiceImpl } from "./test-server.ts";

/** A log that remembers which sequences of each producer it has, as the real one does. */
export class MemoryLog {
  readonly messages: string[] = [];
  readonly batches: { readonly producerId: string; readonly firstSequence: number }[] = [];
  readonly #stored = new Set<string>();

  /** Stores what is new. */
  write(
    producerId: string,
    firstSequence: number,
    messages: string[],
  ): { accepted: number; duplicates: number } {
    this.batches.push({ producerId, firstSequence });
    let duplicates = 0;
    for (const [index, message] of messages.entries()) {
      const key = `${producerId} ${firstSequence + index}`;
      if (this.#stored.has(key)) duplicates++;
      else this.messages.push(message);
      this.#stored.add(key);
    }
    return { accepted: messages.length, duplicates };
  }
}

/** Serves a log; `beforeAnswer` runs when a batch is stored and not yet answered. */
export function logService(
  log: MemoryLog,
  beforeAnswer: () => Promise<void> | void = () => undefined,
): LogServiceImpl {
  return {
    async *shipLogs(batches) {
      for await (const { producerId, firstSequence, entries } of batches) {
        const written = log.write(
          producerId,
          Number(firstSequence),
          entries.map(({ message }) => message),
        );
        await beforeAnswer();
        yield written;
      }
    },
  };
}
