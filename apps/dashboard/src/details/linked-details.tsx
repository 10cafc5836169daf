/** The details of an entry that only its id is known of: a link led to it, and the list does not hold it. */
import { ConnectError } from "@logsvc/client-web";
import { type ReactNode, useState } from "react";
import { useLatestRequest } from "../request/use-latest-request.ts";
import { DetailsFrame, DetailsPanel, type DetailsPanelProps } from "./details-panel.tsx";
import { type LoadedEntry, loadEntry } from "./load-entry.ts";

/** What `LinkedDetails` needs. */
export interface LinkedDetailsProps extends Omit<DetailsPanelProps, "row"> {
  readonly id: string;
}

/** The details, as soon as they are there, or why there are none. */
export function LinkedDetails({ id, ...props }: LinkedDetailsProps): ReactNode {
  const [attempt, setAttempt] = useState(0);
  const { answer, error, pending } = useLatestRequest(`${id} ${attempt}`, async (signal) => ({
    id,
    loaded: await loadEntry(props.client, id, signal),
  }));
  // Of the entry before, while this one is on its way.
  const loaded = answer?.id === id ? answer.loaded : undefined;
  if (loaded?.kind === "found") return <DetailsPanel {...props} row={loaded.row} />;
  return (
    <DetailsFrame title="Entry" onClose={props.onClose} onStep={props.onStep}>
      <div className="details-missing" role="status">
        <p>{missingText(loaded, pending ? undefined : error)}</p>
        {error !== undefined && !pending && loaded === undefined && (
          <button type="button" className="button" onClick={() => setAttempt(attempt + 1)}>
            Try again
          </button>
        )}
        <p className="muted mono">{id}</p>
      </div>
    </DetailsFrame>
  );
}

function missingText(loaded: LoadedEntry | undefined, error: unknown): string {
  if (loaded?.kind === "gone") {
    return "This entry is no longer in the log: retention has deleted it.";
  }
  if (loaded?.kind === "unknown") {
    return "This log has no such entry: the link is of another log, or was cut off.";
  }
  return error === undefined ? "Loading…" : `The entry can't be had: ${ConnectError.from(error).rawMessage}`;
}
