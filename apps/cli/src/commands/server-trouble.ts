/** What to tell the user when the server is away, or says no. */
import { Code, ConnectError, filterErrorOf } from "@logsvc/client-node";
import { CommandError, exitCodeOf, exitCodes } from "../exit-code.ts";

/** The server's address and why it does not answer: nobody is there, or it says so itself. */
export function connectionTrouble(url: string, error: ConnectError): string {
  return `${url} is unavailable: ${error.rawMessage}`;
}

/** A call's error, explained; an error of another kind stays as it is. */
export function serverFailure(error: unknown, url: string): unknown {
  if (!(error instanceof ConnectError)) return error;
  const exitCode = exitCodeOf(error);
  if (exitCode === exitCodes.unreachable) {
    return new CommandError(connectionTrouble(url, error), exitCode, { cause: error });
  }
  // The client's own word: its certificate is not trusted.
  if (error.code === Code.FailedPrecondition) {
    return new CommandError(`${error.rawMessage} (--tls-ca trusts another)`, exitCode, { cause: error });
  }
  const reason = filterErrorOf(error)?.reason ?? error.rawMessage;
  return new CommandError(`the server refused: ${reason}`, exitCode, { cause: error });
}
