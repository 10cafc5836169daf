/** The service's figures as a component's state. */
import type { LogClient } from "@logsvc/client-web";
import { useEffect, useState } from "react";
import { addStats, emptyHistory, type StatsHistory } from "./stats-history.ts";
import { type WatchState, watchStats } from "./stats-watch.ts";

/** How it stands, and what is known. */
export interface UsedStats {
  readonly state: WatchState;
  readonly history: StatsHistory;
  /** Begins again after an error that ended it. */
  retry(): void;
}

/** Watches for as long as the component is there. */
export function useStats(client: LogClient): UsedStats {
  const [state, setState] = useState<WatchState>({ kind: "connecting" });
  const [history, setHistory] = useState<StatsHistory>(emptyHistory);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const reader = {
      onState: (next: WatchState) => {
        if (!stop.signal.aborted) setState(next);
      },
      onStats: (stats: Parameters<typeof addStats>[1]) => {
        if (!stop.signal.aborted) setHistory((before) => addStats(before, stats));
      },
    };
    // It reports every error as a state.
    void watchStats(client, reader, { signal: stop.signal, pageEvents: [globalThis.window, document] });
    return () => stop.abort();
  }, [client, attempt]);
  return { state, history, retry: () => setAttempt((before) => before + 1) };
}
