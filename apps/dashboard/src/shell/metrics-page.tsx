/** The page of live metrics, below the same top. */
import { type ReactNode, useEffect } from "react";
import type { PageProps } from "../app.tsx";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import { StatsPage } from "../stats/stats-page.tsx";
import { documentTitle } from "./document-title.ts";
import { ErrorBoundary } from "./error-boundary.tsx";
import { PageHeader } from "./page-header.tsx";

/** The page. */
export function MetricsPage({ client, view, changeView, onHelp }: PageProps): ReactNode {
  useShortcuts({ openHelp: onHelp, leave: () => changeView({ page: "logs" }) });
  useEffect(() => {
    document.title = documentTitle(view, undefined);
  }, [view]);
  return (
    <div className="page">
      <PageHeader view={view} changeView={changeView} onHelp={onHelp} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has nothing else that takes the focus. */}
      <div className="page-scroll" tabIndex={0}>
        <ErrorBoundary part="the metrics">
          <StatsPage client={client} />
        </ErrorBoundary>
      </div>
    </div>
  );
}
