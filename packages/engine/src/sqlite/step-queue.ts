/** Carries the steps of a job from the thread that sends them to the one who asks for them. */

/**
 * A queue between a job's messages and an async loop. It has no bound of its
 * own: what a job sends in all is bounded by its page.
 */
export class StepQueue<Step> implements AsyncIterable<Step> {
  #steps: Step[] = [];
  #ended: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(step: Step): void {
    this.#steps.push(step);
    this.#wake?.();
  }

  /** The queue ends when the job does; when that fails, with its error. */
  follow(job: Promise<unknown>): void {
    job.then(
      () => this.#end({}),
      (error: unknown) => this.#end({ error }),
    );
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Step, void, undefined> {
    for (;;) {
      // An error is told at once, even before steps that are still here: an abort must not wait for its reader.
      if (this.#ended !== undefined && "error" in this.#ended) throw this.#ended.error;
      const step = this.#steps.shift();
      if (step !== undefined) yield step;
      else if (this.#ended !== undefined) return;
      else await this.#moved();
    }
  }

  #end(how: { readonly error?: unknown }): void {
    this.#ended = how;
    this.#wake?.();
  }

  #moved(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
