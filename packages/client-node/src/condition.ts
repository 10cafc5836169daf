/**
 * Waiting until something about an object has changed.
 */

/** A change that any number may wait for. Who wakes looks again at what it waits for. */
export class Condition {
  /** Only there while somebody waits, so that a change that nobody waits for costs nothing. */
  #next: PromiseWithResolvers<void> | undefined;

  /** Resolves at the next `notify`. */
  changed(): Promise<void> {
    this.#next ??= Promise.withResolvers<void>();
    return this.#next.promise;
  }

  /** Wakes all who wait now. */
  notify(): void {
    const waiting = this.#next;
    this.#next = undefined;
    waiting?.resolve();
  }
}
