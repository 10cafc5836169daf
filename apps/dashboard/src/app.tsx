/** The page, whole: the client, the view, and which of the two pages is shown. */
import { CSPProvider } from "@base-ui/react/csp-provider";
import { createWebClient, type LogClient } from "@logsvc/client-web";
import { type ReactNode, useCallback, useMemo, useState, useSyncExternalStore } from "react";
import { HelpSheet } from "./keyboard/help-sheet.tsx";
import { ErrorBoundary } from "./shell/error-boundary.tsx";
import { LogsPage } from "./shell/logs-page.tsx";
import { MetricsPage } from "./shell/metrics-page.tsx";
import { TokenDialog } from "./token/token-dialog.tsx";
import { tokenStore } from "./token/token-store.ts";
import { type UsedView, useView } from "./view/use-view.ts";
import "./app.css";

/** The dashboard. */
export function App(): ReactNode {
  return (
    <ErrorBoundary part="the page">
      {/* The policy of the page allows no style element, and none is needed. */}
      <CSPProvider disableStyleElements>
        <Page />
      </CSPProvider>
    </ErrorBoundary>
  );
}

/** What both pages are given. */
export interface PageProps extends UsedView {
  readonly client: LogClient;
  /** The server refused a call for its token, or the reader wants to enter another. */
  onToken(): void;
  onHelp(): void;
}

function Page(): ReactNode {
  const used = useView();
  const token = useSyncExternalStore(tokenStore.subscribe, tokenStore.current);
  // Another token is another reader: everything is asked again.
  const client = useMemo(() => openClient(token), [token]);
  const [helpIsOpen, setHelpIsOpen] = useState(false);
  const [tokenIsWanted, setTokenIsWanted] = useState(false);
  const onToken = useCallback(() => setTokenIsWanted(true), []);
  const onHelp = useCallback(() => setHelpIsOpen(true), []);
  const page: PageProps = { ...used, client, onToken, onHelp };
  return (
    <>
      {used.view.page === "stats" ? <MetricsPage {...page} /> : <LogsPage {...page} />}
      <HelpSheet open={helpIsOpen} onClose={() => setHelpIsOpen(false)} />
      <TokenDialog
        open={tokenIsWanted}
        reason={token === undefined ? "missing" : "refused"}
        onToken={() => setTokenIsWanted(false)}
      />
    </>
  );
}

/** The server is where the page came from, also below a prefix. */
function openClient(token: string | undefined): LogClient {
  const url = new URL(".", location.href).href;
  return createWebClient({ url, ...(token !== undefined && { token }) });
}
