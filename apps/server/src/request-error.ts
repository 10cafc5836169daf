/**
 * What can be wrong with a request, in words that do not depend on a protocol.
 * wire/connect-errors.ts says what each becomes on the wire.
 */

/**
 * - `invalid`: a field out of its range; repeating the request can't help.
 * - `too_large`: over a limit of this server.
 * - `busy`: the server has as many of these open as it takes.
 * - `draining`: the server is about to stop; another one, or this one later, will do.
 */
export type RequestErrorCode = "invalid" | "too_large" | "busy" | "draining";

/** A request that is refused. The message is written for its sender: field, limit, value. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
