/** The page of the log: what is asked at the top, what there is below. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { PageProps } from "../app.tsx";
import { ColumnsMenu } from "../columns/columns-menu.tsx";
import { ExportMenu } from "../export/export-menu.tsx";
import { useShortcuts } from "../keyboard/use-shortcuts.ts";
import type { LogListHandle } from "../log/log-list.tsx";
import type { LogSource } from "../log/log-source.ts";
import { ConnectionStatus } from "./connection-status.tsx";
import { documentTitle } from "./document-title.ts";
import { Icon } from "./icons.tsx";
import { LogBody } from "./log-body.tsx";
import { PageHeader } from "./page-header.tsx";
import { pageShortcuts } from "./page-shortcuts.ts";
import { Question } from "./question.tsx";
import { useToast } from "./toast.tsx";
import { changePreferences, usePreferences } from "./use-preferences.ts";
import { useSource, useSourceValue } from "./use-source.ts";

/** Where fields stand beside the list, they are open unless the reader closed them. */
const facetsWidthMin = 900;

/** The page. */
export function LogsPage(props: PageProps): ReactNode {
  const { client, view, changeView, onToken, onHelp } = props;
  const source = useSource(client, view);
  const filter = useRef<HTMLInputElement | HTMLTextAreaElement>(null);
  const list = useRef<LogListHandle>(null);
  const facets = useFacets();
  const [toast, say] = useToast();
  useTokenWanted(source, onToken);
  const { closeFacets } = facets;
  useShortcuts(pageShortcuts({ view, changeView, onHelp, source, list, filter, say, closeFacets }));
  return (
    <div className="page">
      <button type="button" className="skip-link" onClick={() => list.current?.focus()}>
        To the entries
      </button>
      <PageHeader
        {...{ view, changeView, onHelp }}
        status={<ConnectionStatus source={source} onToken={onToken} />}
        question={<Question {...{ client, view, changeView }} filterRef={filter} />}
        actions={
          <>
            <FacetsButton open={facets.open} onToggle={facets.toggle} />
            <ColumnsMenu {...{ client, view, changeView }} />
            <ExportMenu client={client} view={view} />
          </>
        }
      />
      <LogBody {...props} source={source} facetsAreOpen={facets.open} listRef={list} />
      {toast}
      <Title source={source} view={view} />
    </div>
  );
}

function FacetsButton({ open, onToggle }: { readonly open: boolean; onToggle(): void }): ReactNode {
  return (
    <button
      type="button"
      className="button button-icon"
      aria-label="Fields and their values"
      title="Fields and their values"
      aria-expanded={open}
      onClick={onToggle}
    >
      <Icon name="facets" />
    </button>
  );
}

/** Keeps the tab's title. It draws nothing, so that the page is not drawn anew for it. */
function Title({ source, view }: Pick<PageProps, "view"> & { readonly source: LogSource }): ReactNode {
  const title = useSourceValue(source, (snapshot) => documentTitle(view, snapshot));
  useEffect(() => {
    document.title = title;
  }, [title]);
  return null;
}

/** Asks for a token when the server does, once for each refusal. */
function useTokenWanted(source: LogSource, onToken: () => void): void {
  const refusal = useSourceValue(source, ({ state }) =>
    state.kind === "failed" && state.cause === "token" ? state.error : undefined,
  );
  useEffect(() => {
    if (refusal !== undefined) onToken();
  }, [refusal, onToken]);
}

interface Facets {
  readonly open: boolean;
  toggle(): void;
  /** Where they lie over the list: closes them, and tells whether they were open. */
  closeFacets(): boolean;
}

/** Beside the list the fields are open or not as the reader last chose; over it they are looked at and closed again. */
function useFacets(): Facets {
  const { facets = true } = usePreferences();
  const [overlaid, setOverlaid] = useState(false);
  const isWide = useIsWide();
  const toggle = (): void => {
    if (isWide) changePreferences({ facets: !facets });
    else setOverlaid(!overlaid);
  };
  const closeFacets = (): boolean => {
    if (isWide || !overlaid) return false;
    setOverlaid(false);
    return true;
  };
  return { open: isWide ? facets : overlaid, toggle, closeFacets };
}

function useIsWide(): boolean {
  const [query] = useState(() => matchMedia(`(min-width: ${facetsWidthMin}px)`));
  const [isWide, setWide] = useState(query.matches);
  useEffect(() => {
    const onChange = (): void => setWide(query.matches);
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, [query]);
  return isWide;
}
