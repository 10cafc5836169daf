/**
 * Whether anybody reads at the head of the log. Only then does the writer hand
 * new blocks over, and only then are the newest ones kept in memory: without
 * readers they would be so many megabytes a second for nobody.
 *
 *   a reader at the head ─▶ note ─▶ shared flag ─▶ writer: blocks come with their commits
 *   none for a while ─▶ expire ─▶ shared flag ─▶ writer: blocks stay on its side
 *
 * What comes in between is read from the disk, as by any reader who is behind.
 */

/** How long after a reader was last seen at the head, in milliseconds: longer than tails rest between two looks. */
const lingerMs = 2_000;

/** The main thread's side. */
export class HeadDemand {
  /** For the writer's thread: see `isHeadWanted`. */
  readonly shared: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #flag = new Int32Array(this.shared);
  #notedAt = Number.NEGATIVE_INFINITY;

  /** Somebody reads at the head, or is about to. */
  note(): void {
    this.#notedAt = performance.now();
    Atomics.store(this.#flag, 0, 1);
  }

  /**
   * To be called now and then.
   *
   * @param isAwaited Whether somebody waits at the head.
   * @returns True: nobody has been there for a while.
   */
  expire(isAwaited: boolean): boolean {
    if (isAwaited || performance.now() - this.#notedAt < lingerMs) return false;
    Atomics.store(this.#flag, 0, 0);
    return true;
  }
}

/** In the writer's thread: whether new blocks are wanted now. */
export function isHeadWanted(shared: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(shared), 0) === 1;
}
