/**
 * Reading errors: can a retry help, how long to wait before it, and where a
 * filter is wrong.
 *
 * | code | retry |
 * | --- | --- |
 * | Unavailable, Aborted, Canceled, DeadlineExceeded, Internal, Unknown | yes: the network, a proxy or a restart |
 * | ResourceExhausted | with RetryInfo, or from HTTP/2's own flow control |
 * | InvalidArgument | only where it is the transport's word for a body cut short |
 * | everything else | no |
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { type FilterError, FilterErrorSchema, RetryInfoSchema } from "@logsvc/proto";

const retryableCodes: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.Aborted,
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.Internal,
  Code.Unknown,
]);

/**
 * Whether the same call may succeed later. What is not a ConnectError is a
 * failed fetch or a broken socket, as a rule, and may.
 */
export function isRetryable(reason: unknown): boolean {
  const error = ConnectError.from(reason);
  if (error.code === Code.InvalidArgument) {
    // Connect says InvalidArgument when a response ends without its last
    // envelope: the connection was cut, and nobody's argument is at fault.
    return error.rawMessage.startsWith("protocol error:");
  }
  if (error.code === Code.ResourceExhausted) {
    // Without RetryInfo a message is over its limit; ENHANCE_YOUR_CALM is HTTP/2's.
    return retryDelayMs(error) !== undefined || error.rawMessage.startsWith("http/2 ");
  }
  return retryableCodes.has(error.code);
}

/** How long the server asks to wait before a retry, in milliseconds; undefined when it does not say. */
export function retryDelayMs(reason: unknown): number | undefined {
  const delay = ConnectError.from(reason).findDetails(RetryInfoSchema)[0]?.retryDelay;
  if (delay === undefined) return undefined;
  return Math.max(0, Number(delay.seconds) * 1000 + delay.nanos / 1_000_000);
}

/** Where and why a filter does not parse; undefined when that is not what went wrong. */
export function filterErrorOf(reason: unknown): FilterError | undefined {
  return ConnectError.from(reason).findDetails(FilterErrorSchema)[0];
}
