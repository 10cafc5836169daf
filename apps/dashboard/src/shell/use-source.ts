/** The list's source in React: one for the page, asked what the view asks, and read in parts. */
import type { LogClient } from "@logsvc/client-web";
import { useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { LogSource, type SourceSnapshot } from "../log/log-source.ts";
import type { ViewState } from "../view/view-state.ts";

/** The source for a view, open as long as the component is there. */
export function useSource(client: LogClient, view: ViewState): LogSource {
  const source = useMemo(() => new LogSource(client), [client]);
  const { filter, range, aroundId } = view;
  useEffect(() => {
    source.ask(
      aroundId === undefined ? { kind: "entries", filter, range } : { kind: "around", id: aroundId },
    );
  }, [source, filter, range, aroundId]);
  useEffect(() => () => source.close(), [source]);
  return source;
}

/**
 * One value of the source's snapshot. The component is drawn again only when
 * that changes, and not sixty times a second as the snapshot does: so `select`
 * must give the same value for what is the same.
 */
export function useSourceValue<T>(source: LogSource, select: (snapshot: SourceSnapshot) => T): T {
  const current = useCallback(() => select(source.snapshot()), [source, select]);
  return useSyncExternalStore(source.subscribe, current);
}
