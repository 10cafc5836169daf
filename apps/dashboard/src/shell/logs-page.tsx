/** The page of the log: what is asked at the top, what there is below. */
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import type { PageProps } from "../app.tsx";
import { ColumnsMenu } from "../columns/columns-menu.tsx";
import { ExportMenu } from "../export/export-menu.tsx";
import { FacetPanel } from "../facets/facet-panel.tsx";
import { FilterBar } from "../filter/filter-bar.tsx";
import { Histogram } from "../histogram/histogram.tsx";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import type { LogSource } from "../log/log-source.ts";
import { RangePicker } from "../range/range-picker.tsx";
import { loadPreferences, savePreferences } from "../view/preferences.ts";
import { ConnectionStatus } from "./connection-status.tsx";
import { documentTitle } from "./document-title.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { Icon } from "./icons.tsx";
import { LogPlaceholder } from "./log-placeholder.tsx";
import { PageHeader } from "./page-header.tsx";
import { placeholderOf } from "./placeholder.ts";
import { SelectedDetails } from "./selected-details.tsx";
import { useSource, useSourceValue } from "./use-source.ts";

/** Where facets stand beside the list, they are open unless the reader closed them. */
const facetsWidthMin = 1_100;

/** Changes of the filter that follow one another so soon are one. */
const filterStepMs = 5_000;

type FilterRef = RefObject<HTMLInputElement | HTMLTextAreaElement | null>;

/** The page. */
export function LogsPage(props: PageProps): ReactNode {
  const { client, view, changeView, onToken, onHelp } = props;
  const source = useSource(client, view);
  const filterRef = useRef<HTMLInputElement | HTMLTextAreaElement>(null);
  const [facetsAreOpen, setFacetsOpen] = useFacetsOpen();
  useTokenWanted(source, onToken);
  useShortcuts({
    openHelp: onHelp,
    focusFilter: () => filterRef.current?.focus(),
    goLive: () => changeView({ range: { kind: "live" }, aroundId: undefined }),
    toggleWrap: () => changeView({ wrap: !view.wrap }),
  });
  return (
    <div className="page">
      <PageHeader
        view={view}
        changeView={changeView}
        onHelp={onHelp}
        status={<ConnectionStatus source={source} onToken={onToken} />}
        question={<Question {...props} filterRef={filterRef} />}
        actions={
          <>
            <FacetsButton open={facetsAreOpen} onToggle={() => setFacetsOpen(!facetsAreOpen)} />
            <ColumnsMenu client={client} view={view} changeView={changeView} />
            <ExportMenu client={client} view={view} />
          </>
        }
      />
      <Title source={source} view={view} />
      <LogBody {...props} source={source} facetsAreOpen={facetsAreOpen} />
    </div>
  );
}

/** What is asked: the filter, and the range of time. */
function Question({
  client,
  view,
  changeView,
  filterRef,
}: PageProps & { readonly filterRef: FilterRef }): ReactNode {
  const { filter, range, timeZone } = view;
  const lastChange = useRef(Number.NEGATIVE_INFINITY);
  const onFilter = (next: string): void => {
    // A filter is applied while it is written: all of that is one step to come back from.
    const isSameStep = performance.now() - lastChange.current < filterStepMs;
    lastChange.current = performance.now();
    changeView({ filter: next, aroundId: undefined }, isSameStep ? "replace" : "push");
  };
  return (
    <>
      <FilterBar filter={filter} onFilter={onFilter} client={client} range={range} inputRef={filterRef} />
      <RangePicker
        range={range}
        timeZone={timeZone}
        onRange={(next) => changeView({ range: next, aroundId: undefined })}
      />
    </>
  );
}

function FacetsButton({ open, onToggle }: { readonly open: boolean; onToggle(): void }): ReactNode {
  return (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-label="Fields and their values"
      title="Fields and their values"
      aria-expanded={open}
      aria-controls="facets"
      onClick={onToggle}
    >
      <Icon name="facets" />
    </button>
  );
}

interface LogBodyProps extends PageProps {
  readonly source: LogSource;
  readonly facetsAreOpen: boolean;
}

function LogBody(props: LogBodyProps): ReactNode {
  const { client, view, changeView, faults, source, facetsAreOpen, onToken } = props;
  const { filter, range, timeZone, columns, selectedId } = view;
  const onFilter = (next: string): void => changeView({ filter: next, aroundId: undefined });
  return (
    <div className="page-body">
      {facetsAreOpen && (
        <div className="page-facets" id="facets">
          <ErrorBoundary part="the fields">
            <FacetPanel
              client={client}
              filter={filter}
              range={range}
              onFilter={onFilter}
              columns={columns}
              onColumns={(next) => changeView({ columns: next })}
            />
          </ErrorBoundary>
        </div>
      )}
      <main className="page-log" id="log" aria-label="Log">
        <Faults faults={faults} />
        <div className="page-chart">
          <ErrorBoundary part="the chart">
            <Histogram
              client={client}
              filter={filter}
              range={range}
              timeZone={timeZone}
              onRange={(next) => changeView({ range: next, aroundId: undefined })}
              onFilter={onFilter}
            />
          </ErrorBoundary>
        </div>
        <section className="page-list" aria-label="Entries">
          <ErrorBoundary part="the list">
            <Placeholders source={source} view={view} changeView={changeView} onToken={onToken} />
          </ErrorBoundary>
        </section>
      </main>
      {selectedId !== undefined && (
        <SelectedDetails
          client={client}
          source={source}
          id={selectedId}
          view={view}
          changeView={changeView}
          onClose={() => changeView({ selectedId: undefined })}
        />
      )}
    </div>
  );
}

type PlaceholdersProps = Pick<LogBodyProps, "source" | "view" | "changeView" | "onToken">;

function Placeholders({ source, view, changeView, onToken }: PlaceholdersProps): ReactNode {
  const kind = useSourceValue(source, (snapshot) => placeholderOf(snapshot, view));
  const state = useSourceValue(source, (snapshot) => snapshot.state);
  if (kind === undefined) return null;
  return (
    <LogPlaceholder
      kind={kind}
      state={state}
      source={source}
      view={view}
      changeView={changeView}
      onToken={onToken}
    />
  );
}

/** What of the link could not be understood. */
function Faults({ faults }: { readonly faults: readonly string[] }): ReactNode {
  const [closed, setClosed] = useState<readonly string[]>();
  if (faults.length === 0 || closed === faults) return null;
  return (
    <div className="page-notice" role="alert">
      <p>{faults.join(" ")}</p>
      <button
        type="button"
        className="button button-quiet button-icon"
        aria-label="Close"
        onClick={() => setClosed(faults)}
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

/** Keeps the tab's title. It draws nothing, so that the page is not drawn anew for it. */
function Title({ source, view }: Pick<LogBodyProps, "source" | "view">): ReactNode {
  const title = useSourceValue(source, (snapshot) => documentTitle(view, snapshot));
  useEffect(() => {
    document.title = title;
  }, [title]);
  return null;
}

/** Asks for a token when the server does. */
function useTokenWanted(source: LogSource, onToken: () => void): void {
  const wanted = useSourceValue(
    source,
    ({ state }) => state.kind === "failed" && state.cause === "token" && state.error,
  );
  useEffect(() => {
    if (wanted !== false) onToken();
    // The dialog is opened once for each refusal.
  }, [wanted, onToken]);
}

function useFacetsOpen(): readonly [open: boolean, setOpen: (open: boolean) => void] {
  const [open, setOpen] = useState(() => loadPreferences().facets !== false && innerWidth >= facetsWidthMin);
  const choose = (next: boolean): void => {
    setOpen(next);
    // On a narrow page it is looked at and closed again, which is no choice.
    if (innerWidth >= facetsWidthMin) savePreferences({ facets: next });
  };
  return [open, choose];
}
