/** Lines above the list that say what is unusual about what is shown. */
import { type ReactNode, useState } from "react";
import type { ChangeView } from "../view/view-state.ts";
import { Icon } from "./icons.tsx";

/** What of the link could not be understood. */
export function Faults({ faults }: { readonly faults: readonly string[] }): ReactNode {
  const [closed, setClosed] = useState<readonly string[]>();
  if (faults.length === 0 || closed === faults) return null;
  return (
    <div className="page-notice" data-tone="poor" role="alert">
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

/** The list shows an entry's neighbours, and not what the filter says. */
export function AroundNotice({ changeView }: { readonly changeView: ChangeView }): ReactNode {
  return (
    <div className="page-notice" role="status">
      <p>Entries before and after one, without the filter.</p>
      <button type="button" className="button" onClick={() => changeView({ aroundId: undefined })}>
        <Icon name="back" />
        Back to the log
      </button>
    </div>
  );
}
