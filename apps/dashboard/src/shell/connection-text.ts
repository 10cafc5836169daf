/** What the page says of its connection, in words that a reader can act on. */
import { Code, type ConnectError } from "@logsvc/client-web";
import type { SourceState } from "../log/source-state.ts";

/** How bad it is: the colour of the dot beside it. */
export type ConnectionTone = "good" | "busy" | "poor" | "bad";

/** What is said, and what the reader may do about it. */
export interface ConnectionText {
  readonly tone: ConnectionTone;
  /** Two or three words. */
  readonly label: string;
  /** Why, if there is more to say. */
  readonly reason?: string;
  /** "wake": try at once; "retry": ask again; "token": enter another token. */
  readonly action?: "wake" | "retry" | "token";
}

const count = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** What a state means. `leftMs`: until the next attempt. */
export function connectionText(state: SourceState, leftMs: number): ConnectionText {
  switch (state.kind) {
    case "connecting":
      return state.waiting
        ? {
            tone: "poor",
            label: "Waiting for a connection",
            reason: "other tabs of this server have all that the browser allows: close one, or serve TLS",
          }
        : { tone: "busy", label: "Connecting…" };
    case "live":
      return { tone: "good", label: "Up to date" };
    case "behind":
      return { tone: "busy", label: `${count.format(state.lag)} behind` };
    case "held":
      return { tone: "poor", label: "Held", reason: "the page is full: resume to read on, nothing is lost" };
    case "retrying": {
      const label = leftMs < 500 ? "Trying again…" : `Trying again in ${Math.round(leftMs / 1000)} s`;
      return { tone: "poor", label, reason: reasonText(state.error), action: "wake" };
    }
    case "searching":
      return { tone: "busy", label: "Searching…" };
    case "done":
      return { tone: "good", label: "Complete" };
    case "failed":
      return failureText(state);
    default:
      return state satisfies never;
  }
}

function failureText({ cause, error }: SourceState & { kind: "failed" }): ConnectionText {
  const reason = reasonText(error);
  switch (cause) {
    case "token":
      return { tone: "bad", label: "Token needed", reason, action: "token" };
    case "permission":
      return { tone: "bad", label: "Not allowed", reason, action: "token" };
    case "filter":
      return { tone: "bad", label: "Filter refused", reason };
    case "position":
      return { tone: "bad", label: "Not in this log", reason };
    case "request":
      return { tone: "bad", label: "Stopped", reason, action: "retry" };
    default:
      return cause satisfies never;
  }
}

/** An error as a reader understands it: browsers say "Failed to fetch" for all that can happen to a connection. */
export function reasonText(error: ConnectError): string {
  const message = error.rawMessage;
  if (/fetch|network\s?error|load failed|err_|connection/i.test(message) && !isOfServer(error)) {
    return "the server can't be reached";
  }
  if (message !== "") return message;
  return error.code === Code.Unavailable
    ? "the server can't be reached"
    : `the server said ${Code[error.code]}`;
}

/** What the server itself says has a code that no broken connection has. */
const isOfServer = ({ code }: ConnectError): boolean =>
  code !== Code.Unavailable && code !== Code.Unknown && code !== Code.Aborted && code !== Code.Internal;
