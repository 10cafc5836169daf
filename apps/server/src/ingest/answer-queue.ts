/**
 * Answers in the order of what they answer, while many are pending: the heart
 * of "answers never block receiving". A reader pushes pending answers as fast
 * as it receives; the one consumer takes each when its turn has come.
 *
 * The queue is bounded by its reader, which pushes nothing while the stream's
 * bytes in flight are over their limit (see ByteGate).
 */

interface PendingAnswer<Answer> {
  readonly onDone: () => void;
  outcome: { readonly value: Answer } | { readonly error: unknown } | undefined;
}

/** Pending answers, first in first out. */
export class AnswerQueue<Answer> implements AsyncIterable<Answer> {
  #pending: PendingAnswer<Answer>[] = [];
  #taken = 0;
  #end: "complete" | { readonly error: unknown } | undefined;
  #abort: { readonly error: unknown } | undefined;
  #closed = false;
  #wake: (() => void) | undefined;

  /** True when nothing more may be pushed. */
  get ended(): boolean {
    return this.#end !== undefined || this.#abort !== undefined;
  }

  /**
   * Adds an answer. A failed one ends the iteration with its error, when its turn comes.
   *
   * @param onDone Called once: when the consumer has dealt with the answer, or, where
   *   it never will, when the answer is there: until then what it is about is in memory.
   */
  push(answer: Promise<Answer>, onDone: () => void): void {
    const pending: PendingAnswer<Answer> = { onDone, outcome: undefined };
    this.#pending.push(pending);
    answer.then(
      (value) => this.#settle(pending, { value }),
      (error: unknown) => this.#settle(pending, { error }),
    );
  }

  /** No more answers: the iteration ends after the ones there are. */
  complete(): void {
    this.#end ??= "complete";
    this.#wake?.();
  }

  /** No more answers: the iteration ends with an error, after the ones there are. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** Ends the iteration at once, with an error; pending answers are dropped. */
  abort(error: unknown): void {
    this.#abort ??= { error };
    this.#wake?.();
  }

  /** For one consumer, once. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Answer, void, undefined> {
    try {
      while (true) {
        if (this.#abort !== undefined) throw this.#abort.error;
        const head = this.#pending[this.#taken];
        if (head?.outcome !== undefined) {
          if ("error" in head.outcome) throw head.outcome.error;
          yield head.outcome.value;
          this.#drop(head);
        } else if (head === undefined && this.#end !== undefined) {
          if (this.#end === "complete") return;
          throw this.#end.error;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.#abort ??= { error: undefined };
      this.#dropAll();
    }
  }

  #settle(pending: PendingAnswer<Answer>, outcome: NonNullable<PendingAnswer<Answer>["outcome"]>): void {
    pending.outcome = outcome;
    if (this.#closed) pending.onDone();
    else this.#wake?.();
  }

  /** What is pushed or settles from here on is done with as it settles. */
  #dropAll(): void {
    this.#closed = true;
    for (const { outcome, onDone } of this.#pending.splice(0).slice(this.#taken)) {
      if (outcome !== undefined) onDone();
    }
  }

  #drop(head: PendingAnswer<Answer>): void {
    this.#taken += 1;
    // Not `shift`, which moves all others: what is taken goes in one piece, now and then.
    if (this.#taken >= 64 && this.#taken * 2 >= this.#pending.length) {
      this.#pending = this.#pending.slice(this.#taken);
      this.#taken = 0;
    }
    head.onDone();
  }
}
