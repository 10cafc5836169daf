/**
 * The errors of an engine: what can go wrong in operation, as a closed set.
 * A programmer's mistake is not here; it throws a plain Error and is mended.
 */

/**
 * What went wrong:
 *
 * | code | meaning | retryable |
 * | --- | --- | --- |
 * | `unavailable` | the storage can't be written or read now: disk full, broker away | yes |
 * | `closed` | the engine was closed, or is closing | yes, elsewhere |
 * | `out_of_range` | a cursor, id or page token that is not one of this log's | no |
 * | `not_found` | an id that is no longer, or not yet, in the log | no |
 * | `invalid` | a request that can't be answered, such as too many buckets | no |
 * | `corrupt` | stored bytes do not read back as they were written | no |
 * | `foreign` | what is to be opened is not a log of ours | no |
 * | `newer` | what is to be opened was written by a later version | no |
 * | `locked` | another process has the log open | yes |
 */
export type EngineErrorCode =
  | "unavailable"
  | "closed"
  | "out_of_range"
  | "not_found"
  | "invalid"
  | "corrupt"
  | "foreign"
  | "newer"
  | "locked";

const retryableCodes: ReadonlySet<EngineErrorCode> = new Set(["unavailable", "closed", "locked"]);

/** Options of an EngineError. */
export interface EngineErrorOptions extends ErrorOptions {
  /** The message as clients may see it. Default: the message. */
  readonly clientMessage?: string | undefined;
}

/** An engine's failure in operation. The message is written for the user and names what was given. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  /** The message as clients may see it: without the paths of this machine. */
  readonly clientMessage: string;

  constructor(code: EngineErrorCode, message: string, options?: EngineErrorOptions) {
    super(message, options);
    this.code = code;
    this.clientMessage = options?.clientMessage ?? message;
  }

  /** True: the same call may succeed later. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}
