/**
 * Waiting until something about an object has changed.
 */

/** A change that any number may wait for. Who wakes looks again at what it waits for. */
export class Condition {
  #next = Promise.withResolvers<void>();

  /** Resolves at the next `notify`. */
  changed(): Promise<void> {
    return this.#next.promise;
  }

  /** Wakes all who wait now. */
  notify(): void {
    const { resolve } = this.#next;
    this.#next = Promise.withResolvers<void>();
    resolve();
  }
}
