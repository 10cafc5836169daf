/** The top of both pages: the name, the way to the other page, and the tools at the right. */
import type { MouseEvent, ReactNode } from "react";
import { ariaKeys } from "../keyboard/shortcuts.ts";
import { tokenStore } from "../token/token-store.ts";
import type { ChangeView, ViewPage, ViewState } from "../view/view-state.ts";
import { changedView, formatViewUrl } from "../view/view-url.ts";
import { Icon } from "./icons.tsx";
import { SettingsMenu } from "./settings-menu.tsx";
import "./page-header.css";

/** What `PageHeader` needs. */
export interface PageHeaderProps {
  readonly view: ViewState;
  readonly changeView: ChangeView;
  onHelp(): void;
  /** What stands beside the name: the connection's state. */
  readonly status?: ReactNode;
  /** What is asked: the filter and the range of time. */
  readonly question?: ReactNode;
  /** What can be done with the answer. */
  readonly actions?: ReactNode;
}

const pages: readonly (readonly [page: ViewPage, name: string])[] = [
  ["logs", "Log"],
  ["stats", "Metrics"],
];

/** The top of the page. */
export function PageHeader({
  view,
  changeView,
  onHelp,
  status,
  question,
  actions,
}: PageHeaderProps): ReactNode {
  return (
    <header className="page-header">
      <div className="page-brand">
        <h1>logsvc</h1>
        <nav aria-label="Pages">
          {pages.map(([page, name]) => (
            <PageLink key={page} page={page} name={name} view={view} changeView={changeView} />
          ))}
        </nav>
      </div>
      {question !== undefined && <div className="page-question">{question}</div>}
      <div className="page-status">{status}</div>
      {actions !== undefined && <div className="page-actions">{actions}</div>}
      <div className="page-tools">
        <SettingsMenu view={view} changeView={changeView} {...forgetting()} />
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Keyboard and filter help"
          aria-keyshortcuts={ariaKeys("openHelp")}
          title="Keyboard and filter help (?)"
          onClick={onHelp}
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function forgetting(): { onForgetToken?: () => void } {
  return tokenStore.current() === undefined ? {} : { onForgetToken: () => tokenStore.clear() };
}

interface PageLinkProps extends Pick<PageHeaderProps, "view" | "changeView"> {
  readonly page: ViewPage;
  readonly name: string;
}

/** A link, so that it can be opened in another tab; in this one nothing is loaded anew. */
function PageLink({ page, name, view, changeView }: PageLinkProps): ReactNode {
  const open = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    changeView({ page });
  };
  return (
    <a
      href={location.pathname + formatViewUrl(changedView(view, { page }))}
      aria-current={view.page === page ? "page" : undefined}
      onClick={open}
    >
      {name}
    </a>
  );
}
