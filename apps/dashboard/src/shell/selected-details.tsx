/** The details of the selected entry: one of the list's rows, or one that a link named and the list does not hold. */
import { type ReactNode, useMemo } from "react";
import { DetailsPanel, type DetailsPanelProps } from "../details/details-panel.tsx";
import { LinkedDetails } from "../details/linked-details.tsx";
import type { LogSource } from "../log/log-source.ts";
import { ErrorBoundary } from "./error-boundary.tsx";

/** What `SelectedDetails` needs. */
export interface SelectedDetailsProps extends Omit<DetailsPanelProps, "row"> {
  readonly source: LogSource;
  readonly id: string;
}

/** The details. */
export function SelectedDetails({ source, id, ...props }: SelectedDetailsProps): ReactNode {
  // Once for each entry: it is shown as long as it is selected, also when the list has dropped its row.
  const row = useMemo(() => rowOf(source, id), [source, id]);
  return (
    <div className="page-details">
      <ErrorBoundary part="the details" resetKey={id}>
        {row === undefined ? <LinkedDetails {...props} id={id} /> : <DetailsPanel {...props} row={row} />}
      </ErrorBoundary>
    </div>
  );
}

function rowOf({ buffer }: LogSource, id: string): DetailsPanelProps["row"] | undefined {
  const position = buffer.positionOfId(id);
  const row = position === undefined ? undefined : buffer.at(position);
  return row?.kind === "entry" ? row : undefined;
}
