/**
 * The bound on the requests of unary calls. Each is received whole before
 * anybody looks at it, so that a thousand calls could hold a thousand batches:
 * what they receive counts as it comes, and past the bound a call is refused in
 * the middle of its body. None is made to wait, since each might wait for bytes
 * that another waiting one holds.
 */
import { RequestError } from "../request-error.ts";
import { toConnectError } from "./connect-errors.ts";

/** Counts the bytes of requests from their arrival until their responses are closed. */
export class ReceiveBound {
  readonly #bytesMax: number;
  #bytes = 0;

  /** @param bytesMax Past so many bytes requests are refused. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /**
   * Passes a request's body on, and counts it until its response is closed.
   *
   * @throws ConnectError ResourceExhausted with RetryInfo, in a step, past the bound.
   */
  async *count(
    body: AsyncIterable<Uint8Array>,
    response: { once(event: "close", listener: () => void): unknown },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let received = 0;
    response.once("close", () => {
      this.#bytes -= received;
    });
    for await (const chunk of body) {
      received += chunk.length;
      this.#bytes += chunk.length;
      if (this.#bytes > this.#bytesMax) throw this.#refusal();
      yield chunk;
    }
  }

  #refusal(): Error {
    const message = `request body: all bodies together hold at most ${this.#bytesMax} bytes, got ${this.#bytes}`;
    return toConnectError(new RequestError("busy", message));
  }
}
