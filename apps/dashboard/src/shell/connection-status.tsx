/**
 * How the page stands with the server, at the top of it: a dot, two words, and
 * when something is wrong the reason and a button. A screen reader hears what
 * changes, but not every second of a countdown.
 */
import { type ReactNode, useEffect, useState } from "react";
import type { LogSource } from "../log/log-source.ts";
import type { SourceState } from "../log/source-state.ts";
import { connectionText } from "./connection-text.ts";
import { useSourceValue } from "./use-source.ts";
import "./connection-status.css";

/** What `ConnectionStatus` needs. */
export interface ConnectionStatusProps {
  readonly source: LogSource;
  /** The reader wants to enter a token. */
  onToken(): void;
}

/** Often enough for seconds. */
const tickMs = 250;

/** The connection's state. */
export function ConnectionStatus({ source, onToken }: ConnectionStatusProps): ReactNode {
  const state = useSourceValue(source, (snapshot) => snapshot.state);
  const leftMs = useTimeLeft(state);
  const { tone, label, reason, action } = connectionText(state, leftMs);
  const spoken = state.kind === "retrying" ? "Disconnected" : label;
  return (
    <div className="connection" data-tone={tone} data-state={state.kind}>
      <span className="connection-dot" aria-hidden="true" />
      <span className="visually-hidden" role="status">
        {reason === undefined ? spoken : `${spoken}: ${reason}`}
      </span>
      <span className="connection-label" aria-hidden="true">
        {label}
      </span>
      {reason !== undefined && (
        <span className="connection-reason" aria-hidden="true" title={reason}>
          {reason}
        </span>
      )}
      {action === "wake" && (
        <button type="button" className="button connection-action" onClick={() => source.wake()}>
          Try now
        </button>
      )}
      {action === "retry" && (
        <button type="button" className="button connection-action" onClick={() => source.retry()}>
          Try again
        </button>
      )}
      {action === "token" && (
        <button type="button" className="button connection-action" onClick={onToken}>
          Enter a token
        </button>
      )}
    </div>
  );
}

/** How long until the next attempt, in milliseconds. */
function useTimeLeft(state: SourceState): number {
  const delayMs = state.kind === "retrying" ? state.delayMs : 0;
  const [ticking, setTicking] = useState<{ readonly state: SourceState; readonly leftMs: number }>();
  useEffect(() => {
    if (state.kind !== "retrying") return undefined;
    const end = performance.now() + state.delayMs;
    const tick = (): void => setTicking({ state, leftMs: Math.max(0, end - performance.now()) });
    const timer = setInterval(tick, tickMs);
    return () => clearInterval(timer);
  }, [state]);
  return ticking?.state === state ? ticking.leftMs : delayMs;
}
