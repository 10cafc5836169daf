/** The entries before and after one, as the log has them, without regard to any filter. */
import { ConnectError, type LogClient, type StoredEntry } from "@logsvc/client-web";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { EntryRow } from "../log/log-entry-row.ts";
import { MessageLine } from "../message/message-view.tsx";
import { useLatestRequest } from "../request/use-latest-request.ts";
import { formatTime } from "../view/format-time.ts";
import type { ChangeView } from "../view/view-state.ts";

/** Entries before, and as many after. */
const stepsShown = [5, 25, 100] as const;

/** What `EntryContext` needs. */
export interface EntryContextProps {
  readonly client: LogClient;
  readonly row: EntryRow;
  readonly timeZone: string;
  readonly changeView: ChangeView;
}

/** The list, with the entry marked. */
export function EntryContext({ client, row, timeZone, changeView }: EntryContextProps): ReactNode {
  const [steps, setSteps] = useState<number>(stepsShown[0]);
  const [asked, setAsked] = useState(0);
  const { answer, error, pending } = useLatestRequest(
    `${row.id} ${steps} ${asked}`,
    (signal) => client.around(row.id, { limit: 2 * steps + 1, signal }),
    { delayMs: 100 },
  );
  const known = answer?.some(({ id }) => id === row.id) === true ? answer : undefined;
  const more = stepsShown.find((count) => count > steps);
  return (
    <section className="details-section" aria-label="Entries around this one">
      <header className="details-section-header">
        <h3>Around it</h3>
        {more !== undefined && (
          <button type="button" className="button button-quiet" onClick={() => setSteps(more)}>
            More
          </button>
        )}
        <button type="button" className="button button-quiet" onClick={() => setAsked(asked + 1)}>
          Again
        </button>
        <button
          type="button"
          className="button button-quiet"
          onClick={() => changeView({ aroundId: row.id, selectedId: row.id })}
        >
          Show in the list
        </button>
      </header>
      {known === undefined ? (
        <p className="muted" role="status">
          {contextText(pending, error)}
        </p>
      ) : (
        <ContextList entries={known} id={row.id} timeZone={timeZone} changeView={changeView} />
      )}
    </section>
  );
}

function contextText(pending: boolean, error: unknown): string {
  if (pending || error === undefined) return "Looking for its neighbours…";
  return `Its neighbours can't be had: ${ConnectError.from(error).rawMessage}`;
}

interface ContextListProps extends Pick<EntryContextProps, "timeZone" | "changeView"> {
  readonly entries: readonly StoredEntry[];
  readonly id: string;
}

function ContextList({ entries, id, timeZone, changeView }: ContextListProps): ReactNode {
  const current = useRef<HTMLLIElement>(null);
  useEffect(() => {
    // The list scrolls by itself when it is long; the page and the panel stay.
    const list = current.current?.parentElement;
    if (current.current === null || list === null || list === undefined) return;
    list.scrollTop = current.current.offsetTop - (list.clientHeight - current.current.offsetHeight) / 2;
  }, [entries, id]);
  return (
    <ol className="context-list">
      {entries.map(({ id: entryId, entry }) => (
        <li
          key={entryId}
          ref={entryId === id ? current : undefined}
          aria-current={entryId === id ? "true" : undefined}
        >
          <button type="button" onClick={() => changeView({ selectedId: entryId })}>
            <time>{formatTime(entry?.timestamp ?? 0n, timeZone, "ms")}</time>
            <span className="level-text" data-level={entry?.level}>
              {entry?.level}
            </span>
            <span className="context-message">
              {entry?.service !== "" && <span className="muted">{entry?.service} </span>}
              <MessageLine message={entry?.message ?? ""} />
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}
