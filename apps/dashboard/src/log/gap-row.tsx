/** The rows that are no entries: where entries are missing, and where the list begins. */
// biome-ignore-all lint/a11y/useSemanticElements: rows of a table can't be placed on their own.
import { memo, type ReactNode } from "react";
import { olderKey } from "./list-scroll.ts";
import type { GapRow } from "./log-entry-row.ts";
import { rowElementId } from "./log-row.tsx";
import type { GapState, OlderState } from "./source-state.ts";

/** What `GapRowView` needs. */
export interface GapRowProps {
  readonly row: GapRow;
  readonly rowKey: number;
  readonly number: number;
  readonly state: GapState | undefined;
  onLoad(key: number): void;
}

const count = new Intl.NumberFormat("en");

/** A gap: how many entries are missing, and a button that looks for them. */
export const GapRowView = memo(function GapRowView(props: GapRowProps): ReactNode {
  const { row, rowKey, number, state, onLoad } = props;
  const many = `${count.format(row.count)} ${row.count === 1 ? "entry" : "entries"}`;
  const text = {
    loading: `Looking for ${many}…`,
    gone: `${many} missing: retention deleted them before this page could read them, and they can't be loaded any more`,
    failed: `${many} missing here: ${state?.kind === "failed" ? state.reason : ""}`,
    missing: `${many} missing here: retention was faster than this page`,
  }[state?.kind ?? "missing"];
  return (
    <NoteRow rowKey={rowKey} number={number} className="log-gap">
      {text}
      {(state === undefined || state.kind === "failed") && (
        <button type="button" className="log-note-button" onClick={() => onLoad(rowKey)}>
          {state === undefined ? "Load" : "Try again"}
        </button>
      )}
    </NoteRow>
  );
});

/** What `OlderRowView` needs. */
export interface OlderRowProps {
  readonly number: number;
  readonly older: OlderState;
  /** Entries that were in the page and are no longer. */
  readonly dropped: number;
  /** Rows in the page. */
  readonly rows: number;
  /** What ends where nothing older is to be had: the log, what matches of it, or an entry's neighbours. */
  readonly of: "log" | "matches" | "neighbours";
  onLoad(): void;
  /** Shows what is older in place of what is here. */
  onLeave(): void;
}

/** What lies before the oldest row. */
export const OlderRowView = memo(function OlderRowView(props: OlderRowProps): ReactNode {
  const { number, older, onLoad, onLeave } = props;
  const action = older.kind === "full" ? onLeave : onLoad;
  const label = { more: "Load", full: "Show older", failed: "Try again", loading: "", none: "" }[older.kind];
  return (
    <NoteRow rowKey={olderKey} number={number} className="log-older">
      {olderText(props)}
      {label !== "" && (
        <button type="button" className="log-note-button" onClick={action}>
          {label}
        </button>
      )}
    </NoteRow>
  );
});

const endTexts: Readonly<Record<OlderRowProps["of"], string>> = {
  log: "The log begins here",
  matches: "Nothing older matches",
  neighbours: "No more neighbours are shown",
};

function olderText({ older, dropped, rows, of }: OlderRowProps): string {
  switch (older.kind) {
    case "loading":
      return "Looking for older entries…";
    case "failed":
      return `Older entries could not be loaded: ${older.error.rawMessage}`;
    case "full":
      return `This page holds ${count.format(rows)} rows, as many as it may`;
    case "none":
      return endTexts[of];
    case "more":
      return dropped > 0
        ? `${count.format(dropped)} older ${dropped === 1 ? "entry is" : "entries are"} not kept in this page`
        : "There may be older entries";
    default:
      return older satisfies never;
  }
}

interface NoteRowProps {
  readonly rowKey: number;
  readonly number: number;
  readonly className: string;
  readonly children: ReactNode;
}

function NoteRow({ rowKey, number, className, children }: NoteRowProps): ReactNode {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus, and names its active row.
    <div
      id={rowElementId(rowKey)}
      role="row"
      className={`log-note ${className}`}
      data-key={rowKey}
      aria-rowindex={number}
    >
      {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
      <span role="gridcell">{children}</span>
    </div>
  );
}
