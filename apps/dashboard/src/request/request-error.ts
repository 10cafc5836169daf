/** What a reader is told when an answer did not come. */
import { Code, ConnectError, filterErrorOf } from "@logsvc/client-web";

/** One sentence, without codes. */
export function errorText(reason: unknown): string {
  const fault = filterErrorOf(reason);
  if (fault !== undefined) return `The server can't read the filter: ${fault.reason}`;
  const error = ConnectError.from(reason);
  return sentences.get(error.code) ?? error.rawMessage;
}

const sentences: ReadonlyMap<Code, string> = new Map([
  [Code.Unauthenticated, "The server asks for a token."],
  [Code.PermissionDenied, "This token may not read the log."],
  [Code.DeadlineExceeded, "The answer took too long. A shorter time range is quicker."],
  [Code.ResourceExhausted, "The server is busy with other searches."],
  [Code.Unavailable, "The server does not answer."],
  [Code.Unknown, "The server does not answer."],
]);
