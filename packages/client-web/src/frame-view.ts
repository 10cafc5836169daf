/**
 * What a page shows of something that changes faster than it can be drawn: a
 * view that is made anew once a frame at the most.
 *
 * Hidden pages have no frames, so a timer stands by.
 */

/** Calls back with the next frame, or after a quarter of a second. Returns what cancels it. */
export type FrameTimer = (callback: () => void) => () => void;

/** Slower than any frame, and what a hidden page is worth. */
const framelessMs = 250;

/** The browser's frames; where there are none, the timer alone. */
export const nextFrame: FrameTimer = (callback) => {
  const frame = globalThis.requestAnimationFrame?.(() => {
    clearTimeout(timer);
    callback();
  });
  const timer = setTimeout(() => {
    if (frame !== undefined) cancelAnimationFrame(frame);
    callback();
  }, framelessMs);
  return () => {
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
};

/** A view, and who looks at it. */
export class FrameView<View> {
  readonly #make: () => View;
  readonly #nextFrame: FrameTimer;
  readonly #listeners = new Set<() => void>();
  #view: View;
  #cancel: (() => void) | undefined;
  #drawn = Promise.withResolvers<void>();

  /** @param make Makes the view of what there is. It must not change afterwards. */
  constructor(make: () => View, frames: FrameTimer) {
    this.#make = make;
    this.#nextFrame = frames;
    this.#view = make();
  }

  /** The last view: the same object until there is another. */
  get view(): View {
    return this.#view;
  }

  /** Calls back with each new view. Returns what ends it. */
  listen(listener: () => void): () => void {
    // A function may be handed in twice.
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Says that there is something new. The view is made with the next frame. */
  change(): void {
    this.#cancel ??= this.#nextFrame(() => this.draw());
  }

  /** Makes the view now. */
  draw(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#view = this.#make();
    this.#drawn.resolve();
    this.#drawn = Promise.withResolvers();
    for (const listener of [...this.#listeners]) listener();
  }

  /** Resolves when the view is made the next time. */
  drawn(): Promise<void> {
    return this.#drawn.promise;
  }
}
