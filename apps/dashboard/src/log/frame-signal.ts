/**
 * Tells subscribers that something changed, at most once a frame: however many
 * entries arrive in it, the page is drawn once.
 */

/** Where frames come from. Only tests give another than `pageFrames`. */
export interface Frames {
  /** Calls back once, with the next frame. Returns what cancels it. */
  request(callback: () => void): () => void;
}

/**
 * A hidden tab has no frames. Then a timer takes their place, so that a count
 * in the title goes on; browsers slow it down to once a second or less.
 */
const hiddenFrameMs = 500;

/** The browser's frames. */
export const pageFrames: Frames = {
  request(callback) {
    const cancel = (): void => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
    const run = (): void => {
      cancel();
      callback();
    };
    const frame = requestAnimationFrame(run);
    const timer = setTimeout(run, hiddenFrameMs);
    return cancel;
  },
};

/** One thing that changes and those who want to know. */
export class FrameSignal {
  readonly #frames: Frames;
  readonly #subscribers = new Set<() => void>();
  #cancel: (() => void) | undefined;

  /** @param frames Where frames come from. */
  constructor(frames: Frames = pageFrames) {
    this.#frames = frames;
  }

  /** Something changed: subscribers hear of it with the next frame. */
  mark(): void {
    if (this.#subscribers.size === 0) return;
    this.#cancel ??= this.#frames.request(() => this.flush());
  }

  /** Tells the subscribers now. For what the user did, who must not wait for a frame. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const subscriber of this.#subscribers) subscriber();
  }

  /** Calls back after changes. Returns what ends it. */
  subscribe(subscriber: () => void): () => void {
    this.#subscribers.add(subscriber);
    return () => {
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size > 0) return;
      this.#cancel?.();
      this.#cancel = undefined;
    };
  }
}
