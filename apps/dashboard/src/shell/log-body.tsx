/** The page of the log below its header: fields, chart, list, details. */
import { type ReactNode, type RefObject, useCallback } from "react";
import type { PageProps } from "../app.tsx";
import { FacetPanel } from "../facets/facet-panel.tsx";
import { Histogram } from "../histogram/histogram.tsx";
import { LogList, type LogListHandle } from "../log/log-list.tsx";
import type { LogSource } from "../log/log-source.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { LogPlaceholder } from "./log-placeholder.tsx";
import { AroundNotice, Faults } from "./notices.tsx";
import { placeholderOf } from "./placeholder.ts";
import { SelectedDetails } from "./selected-details.tsx";
import { useLasting } from "./use-lasting.ts";
import { usePreferences } from "./use-preferences.ts";
import { useSourceValue } from "./use-source.ts";

/** What `LogBody` needs. */
export interface LogBodyProps extends PageProps {
  readonly source: LogSource;
  readonly facetsAreOpen: boolean;
  readonly listRef: RefObject<LogListHandle | null>;
}

/** The body. */
export function LogBody(props: LogBodyProps): ReactNode {
  const { client, view, changeView, faults, source, facetsAreOpen } = props;
  const { filter, range, timeZone, columns, aroundId } = view;
  const placeholder = useSourceValue(source, (snapshot) => placeholderOf(snapshot, view));
  // An empty log has no fields and no chart.
  const isEmpty = useLasting(placeholder === "noEntries");
  const onFilter = (next: string): void => changeView({ filter: next, aroundId: undefined });
  return (
    <div className="page-body">
      {facetsAreOpen && !isEmpty && (
        <div className="page-facets">
          <ErrorBoundary part="the fields">
            <FacetPanel
              {...{ client, filter, range, columns, onFilter }}
              onColumns={(next) => changeView({ columns: next })}
            />
          </ErrorBoundary>
        </div>
      )}
      <main className="page-log" aria-label="Log">
        <Faults faults={faults} />
        {aroundId !== undefined && <AroundNotice changeView={changeView} />}
        {!isEmpty && (
          <div className="page-chart">
            <ErrorBoundary part="the chart">
              <Histogram
                {...{ client, filter, range, timeZone, onFilter }}
                onRange={(next) => changeView({ range: next, aroundId: undefined })}
              />
            </ErrorBoundary>
          </div>
        )}
        <Entries {...props} />
      </main>
      <Details {...props} />
    </div>
  );
}

function Entries({ source, view, changeView, onToken, listRef }: LogBodyProps): ReactNode {
  const { order } = usePreferences();
  const placeholder = useSourceValue(source, (snapshot) => placeholderOf(snapshot, view));
  const state = useSourceValue(source, (snapshot) => snapshot.state);
  return (
    <section className="page-list" aria-label="Entries">
      <ErrorBoundary part="the list">
        <LogList
          {...{ source, view, changeView }}
          {...(order !== "usual" && { order })}
          handleRef={listRef}
        />
        {placeholder !== undefined && (
          <div className="page-placeholder" key={placeholder}>
            <LogPlaceholder kind={placeholder} {...{ state, source, view, changeView, onToken }} />
          </div>
        )}
      </ErrorBoundary>
    </section>
  );
}

function Details({ client, source, view, changeView, listRef }: LogBodyProps): ReactNode {
  const { selectedId } = view;
  const onStep = useCallback(
    (step: -1 | 1) => {
      if (step === 1) listRef.current?.next();
      else listRef.current?.previous();
    },
    [listRef],
  );
  if (selectedId === undefined) return null;
  return (
    <SelectedDetails
      {...{ client, source, view, changeView, onStep }}
      id={selectedId}
      onClose={() => changeView({ selectedId: undefined })}
    />
  );
}
