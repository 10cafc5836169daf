/** The ways to take an entry elsewhere. */
import { Menu } from "@base-ui/react/menu";
import type { ReactNode } from "react";
import type { EntryRow } from "../log/log-entry-row.ts";
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
      <Menu.Root>
        <Menu.Trigger className="button">Copy…</Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className="layer" sideOffset={4} align="start" collisionPadding={8}>
            <Menu.Popup className="popup menu">
              {ways.map(([label, what, text]) => (
                <Menu.Item key={label} className="menu-item" onClick={() => copy(text(), what)}>
                  {label}
                </Menu.Item>
              ))}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </>
  );
}
