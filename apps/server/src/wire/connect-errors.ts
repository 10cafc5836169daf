/**
 * What each error becomes on the wire. This is the only place that says so:
 * gRPC, gRPC-Web and Connect take the code and the details, the plain routes
 * the HTTP status that Connect gives to the code.
 *
 *   error                        code                    detail
 *   RequestError  invalid        InvalidArgument
 *                 too_large      ResourceExhausted
 *                 busy           ResourceExhausted       RetryInfo
 *                 draining       Unavailable             RetryInfo
 *   FilterSyntaxError            InvalidArgument         FilterError
 *   EngineError   unavailable    Unavailable             RetryInfo
 *                 closed, locked Unavailable             RetryInfo
 *                 out_of_range   OutOfRange
 *                 not_found      NotFound
 *                 invalid        InvalidArgument
 *                 corrupt        DataLoss
 *                 foreign, newer Internal (they stop an open, not a call)
 *   ConnectError                 as it is (deadlines, cancels, protocol errors)
 *   AbortError                   Canceled
 *   a lost connection            Canceled (the client has gone: no fault of the server's)
 *   anything else                Internal, without its text
 *
 * An EngineError goes out with its `clientMessage`: paths of this machine stay
 * in the server's own log.
 */
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeToHttpStatus, codeToString } from "@connectrpc/connect/protocol-connect";
import { EngineError, type EngineErrorCode } from "@logsvc/engine";
import { FilterSyntaxError } from "@logsvc/filter";
import { FilterErrorSchema, RetryInfoSchema } from "@logsvc/proto";
import { RequestError, type RequestErrorCode } from "../request-error.ts";

const requestCodes: Readonly<Record<RequestErrorCode, Code>> = {
  invalid: Code.InvalidArgument,
  too_large: Code.ResourceExhausted,
  busy: Code.ResourceExhausted,
  draining: Code.Unavailable,
};

const engineCodes: Readonly<Record<EngineErrorCode, Code>> = {
  unavailable: Code.Unavailable,
  closed: Code.Unavailable,
  locked: Code.Unavailable,
  out_of_range: Code.OutOfRange,
  not_found: Code.NotFound,
  invalid: Code.InvalidArgument,
  corrupt: Code.DataLoss,
  foreign: Code.Internal,
  newer: Code.Internal,
};

/** Long enough for a restart or a full commit queue, short enough not to be noticed. */
const retryInfo = detail(RetryInfoSchema, { retryDelay: { seconds: 1n } });

/**
 * Any error as the one to answer with.
 *
 * @param onFault Told of what is for the operator to see, whole: errors that nobody foresaw, and corruption.
 */
export function toConnectError(error: unknown, onFault?: (error: unknown) => void): ConnectError {
  if (isLostConnection(error)) {
    return new ConnectError("the client has gone", Code.Canceled, undefined, undefined, error);
  }
  if (error instanceof ConnectError) return error;
  if (error instanceof RequestError) {
    const retryable = error.code === "busy" || error.code === "draining";
    return answer(error, requestCodes[error.code], retryable ? [retryInfo] : []);
  }
  if (error instanceof EngineError) {
    if (error.code === "corrupt") onFault?.(error);
    const details = error.retryable ? [retryInfo] : [];
    return new ConnectError(error.clientMessage, engineCodes[error.code], undefined, details, error);
  }
  if (error instanceof FilterSyntaxError) {
    const { start, end, reason } = error;
    return answer(error, Code.InvalidArgument, [detail(FilterErrorSchema, { start, end, reason })]);
  }
  if (error instanceof Error && error.name === "AbortError") {
    return answer(error, Code.Canceled, []);
  }
  onFault?.(error);
  return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
}

/** What writing to a socket ends with when its other side has gone. */
const lostConnectionCodes: ReadonlySet<unknown> = new Set(["ECANCELED", "ECONNRESET", "EPIPE"]);

/** The system's error comes by itself as a signal's reason, and inside Connect's from a response. */
function isLostConnection(error: unknown): boolean {
  const reason = error instanceof ConnectError ? error.cause : error;
  return reason instanceof Error && "code" in reason && lostConnectionCodes.has(reason.code);
}

/** The HTTP status of an error, as Connect has it. */
export function httpStatusOf(error: ConnectError): number {
  return codeToHttpStatus(error.code);
}

/** An error as JSON: Connect's own shape, with a filter's position beside it. */
export function errorBody(error: ConnectError): Readonly<Record<string, string | number>> {
  const [fault] = error.findDetails(FilterErrorSchema);
  return {
    code: codeToString(error.code),
    message: error.rawMessage,
    ...(fault ? { start: fault.start, end: fault.end, reason: fault.reason } : {}),
  };
}

function answer(
  error: Error,
  code: Code,
  details: ConstructorParameters<typeof ConnectError>[3],
): ConnectError {
  return new ConnectError(error.message, code, undefined, details, error);
}

function detail<Desc extends DescMessage>(
  desc: Desc,
  value: MessageInitShape<Desc>,
): { readonly desc: Desc; readonly value: MessageInitShape<Desc> } {
  return { desc, value };
}
