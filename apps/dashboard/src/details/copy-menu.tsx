/** The ways to take an entry elsewhere. */
import type { ReactNode } from "react";
import type { EntryRow } from "../log/log-entry-row.ts";
import { MenuButton } from "../popup/menu-button.tsx";
import { tokenStore } from "../token/token-store.ts";
import type { ViewState } from "../view/view-state.ts";
import { curlCommand, entryNdjson, entryText, logsvcCommand } from "./entry-text.ts";
import { permalink } from "./permalink.ts";
import type { Copy } from "./use-copy.ts";

/** What `CopyMenu` needs. */
export interface CopyMenuProps {
  readonly row: EntryRow;
  readonly view: ViewState;
  readonly copy: Copy;
}

/** The button for the link, which is what is copied most, and the menu of the others. */
export function CopyMenu({ row, view, copy }: CopyMenuProps): ReactNode {
  // The page may stand below a prefix, behind a proxy; the server's routes then do as well.
  const url = new URL(".", location.href).href.replace(/\/$/, "");
  const ways: readonly (readonly [label: string, what: string, text: () => string])[] = [
    ["As text", "the entry as text", () => entryText(row)],
    ["As JSON", "the entry as JSON", () => entryNdjson(row)],
    [
      "As a curl command",
      "the curl command",
      () => curlCommand(row.id, url, tokenStore.current() !== undefined),
    ],
    ["As a logsvc command", "the logsvc command", () => logsvcCommand(row.id, url)],
    ["Its id", "the id", () => row.id],
  ];
  return (
    <>
      <button
        type="button"
        className="button"
        onClick={() => copy(permalink(row, view, location.href), "the link")}
      >
        Copy link
      </button>
      <MenuButton
        label="Copy…"
        align="start"
        items={ways.map(([label, what, text]) => [label, () => copy(text(), what)])}
      />
    </>
  );
}
