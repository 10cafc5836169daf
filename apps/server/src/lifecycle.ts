/**
 * The server's life, and the calls that are open in it:
 *
 *   serving ─▶ draining ─▶ closed
 *
 * - serving: calls are taken.
 * - draining: no new calls; `draining` has aborted, upon which ingest answers
 *   what it has read and tails end; queries may finish.
 * - closed: every call has ended, or was cut (`cut` has aborted).
 */
import { RequestError } from "./request-error.ts";

/** Where the server is in its life. */
export type LifecycleState = "serving" | "draining" | "closed";

/** The server's state, its open calls, and the signals that end them. */
export class Lifecycle {
  readonly #draining = new AbortController();
  readonly #cut = new AbortController();
  readonly #idle = Promise.withResolvers<void>();
  #state: LifecycleState = "serving";
  #openCalls = 0;
  #drained: Promise<void> | undefined;
  #deadline = Number.POSITIVE_INFINITY;

  /** Where the server is in its life. */
  get state(): LifecycleState {
    return this.#state;
  }

  /** Aborts, with the error to end with, when calls without an end of their own have to end. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  /** Aborts when whatever is still open has to stop. */
  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  /**
   * Counts a call until it is disposed of.
   *
   * @throws RequestError `draining` when no more calls are taken.
   */
  enter(): Disposable {
    if (this.#state !== "serving") throw drainingError();
    this.#openCalls += 1;
    return { [Symbol.dispose]: () => this.#leave() };
  }

  /** How much of the time for draining is left, in milliseconds; none when the server is not draining. */
  get timeLeftMs(): number {
    return Number.isFinite(this.#deadline) ? Math.max(0, this.#deadline - Date.now()) : 0;
  }

  /** Drains, and resolves when every call has ended or the time is up. Later calls get the first one's promise. */
  drain(timeoutMs: number): Promise<void> {
    this.#drained ??= this.#drain(timeoutMs);
    return this.#drained;
  }

  async #drain(timeoutMs: number): Promise<void> {
    this.#state = "draining";
    this.#deadline = Date.now() + timeoutMs;
    this.#draining.abort(drainingError());
    if (this.#openCalls === 0) this.#idle.resolve();
    const timer = setTimeout(() => this.#idle.resolve(), timeoutMs);
    await this.#idle.promise;
    clearTimeout(timer);
    this.#state = "closed";
    this.#cut.abort(drainingError());
  }

  #leave(): void {
    this.#openCalls -= 1;
    if (this.#openCalls === 0 && this.#state !== "serving") this.#idle.resolve();
  }
}

function drainingError(): RequestError {
  return new RequestError("draining", "The server is draining: resume on another one, or here in a moment.");
}
