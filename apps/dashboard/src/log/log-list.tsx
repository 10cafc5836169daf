/**
 * The list of entries: as many rows as the screen has, out of a million.
 *
 * It shows what its `source` holds, follows the newest entry until the reader
 * looks elsewhere, and then holds still until told to go on. What is read and
 * what is drawn are apart: log-source.ts, row-window.ts and list-scroll.ts know
 * what to draw where; here it becomes elements.
 *
 * For a keyboard the list is a grid with one tab stop, which names its active
 * row; the page's shortcuts move it through `LogListHandle`.
 */
// biome-ignore-all lint/a11y/useSemanticElements: rows of a table can't be placed on their own.
import {
  Fragment,
  type ReactNode,
  type Ref,
  type RefObject,
  useCallback,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { formatDay } from "../view/format-time.ts";
import type { ChangeView, ViewState } from "../view/view-state.ts";
import { ColumnWidths } from "./column-widths.ts";
import { GapRowView, OlderRowView } from "./gap-row.tsx";
import { copyEntry, type ListActions, listActions } from "./list-actions.ts";
import { ListScroll, olderKey, rowKeyOf } from "./list-scroll.ts";
import type { EntryRow, LogRow } from "./log-entry-row.ts";
import { columnStyle, LogRowView, rowElementId } from "./log-row.tsx";
import type { LogSource, SourceSnapshot } from "./log-source.ts";
import { PausePill } from "./pause-pill.tsx";
import type { RowLook } from "./row-look.ts";
import type { RowOrder, WindowLayout } from "./row-window.ts";
import "./log-list.css";

/** What the page's shortcuts do with the list. Each tells whether there was something to do. */
export interface LogListHandle extends ListActions {
  /** Opens the active row's details. */
  open(): boolean;
  /** Copies the active or the selected entry as JSON. Resolves with whether it is in the clipboard. */
  copySelected(): Promise<boolean>;
  /** Gives the list the keyboard. */
  focus(): void;
}

/** What `LogList` needs. */
export interface LogListProps {
  /** What is shown. Another source is another list. */
  readonly source: LogSource;
  readonly view: ViewState;
  readonly changeView: ChangeView;
  /** Which way up. Default: live as in a terminal, the newest at the bottom; otherwise the newest at the top. */
  readonly order?: RowOrder;
  readonly handleRef?: Ref<LogListHandle>;
}

/** So near to the oldest row, older entries are looked for before the reader gets there. */
const loadAheadRows = 50;

/** The list. */
export function LogList(props: LogListProps): ReactNode {
  const { source, view, changeView, order = defaultOrder(view), handleRef } = props;
  const snapshot = useSyncExternalStore(source.subscribe, source.snapshot);
  const [, redraw] = useReducer((times: number) => times + 1, 0);
  const scroll = useMemo(() => new ListScroll(source, redraw), [source]);
  const [activeKey, setActiveKey] = useState<number>();
  const element = useRef<HTMLDivElement>(null);
  const layout = scroll.layout(snapshot, order, view.wrap);
  const look = useLook(view);
  const frame = useColumnWidths(entriesIn(source, scroll, layout), look, snapshot.answer);
  useLayoutEffect(() => (element.current === null ? undefined : scroll.attach(element.current)), [scroll]);
  useLayoutEffect(() => {
    scroll.drawn(layout);
    loadAhead(source, snapshot, scroll, layout);
  });
  const actions = listActions({ source, scroll, activeKey, setActiveKey, view, changeView });
  const focus = (): void => element.current?.focus({ preventScroll: true });
  useImperativeHandle(handleRef, () => ({
    ...actions,
    open: () => openRow(actions.active(), changeView),
    copySelected: () => copyEntry(actions.active()),
    focus,
  }));
  return (
    <div
      ref={frame}
      className="log"
      data-stale={snapshot.stale || undefined}
      data-wrap={view.wrap || undefined}
    >
      <ColumnNames columns={view.columns} />
      <Grid
        {...{ source, snapshot, scroll, layout, look, view, activeKey, changeView, element }}
        onOpen={(key) => {
          if (key !== undefined) setActiveKey(key);
          return openRow(key === undefined ? actions.active() : rowOf(source, key), changeView);
        }}
      />
      <PausePill
        paused={snapshot.paused}
        waiting={snapshot.waiting}
        edge={scroll.window.newestEdge}
        onResume={() => {
          scroll.follow();
          // The button goes, and the keyboard should not go with it.
          focus();
        }}
      />
    </div>
  );
}

interface GridProps extends RowsProps {
  readonly element: RefObject<HTMLDivElement | null>;
  /** Opens a row's details; without a key those of the active one. */
  onOpen(key: number | undefined): boolean;
}

/** The scrolled element, and in it the rows that are seen. */
function Grid({ element, onOpen, ...props }: GridProps): ReactNode {
  const { source, scroll, layout, activeKey } = props;
  const isDrawn = activeKey !== undefined && isIn(source, scroll, layout, activeKey);
  return (
    <div
      ref={element}
      className="log-scroller"
      role="grid"
      tabIndex={0}
      aria-label="Log entries"
      aria-rowcount={scroll.window.count}
      aria-activedescendant={isDrawn ? rowElementId(activeKey) : undefined}
      onClick={({ target }) => {
        const key = clickedKey(target);
        if (key !== undefined) onOpen(key);
      }}
      onKeyDown={(event) => {
        const isOurs = event.key === "Enter" && event.target === event.currentTarget;
        if (isOurs && onOpen(undefined)) event.preventDefault();
      }}
    >
      <div className="log-content" role="presentation" style={{ height: layout.contentPx }}>
        <div className="log-rows" role="rowgroup" style={{ transform: `translateY(${layout.top}px)` }}>
          <Rows {...props} />
        </div>
      </div>
    </div>
  );
}

const defaultOrder = ({ range, aroundId }: ViewState): RowOrder =>
  range.kind === "live" || aroundId !== undefined ? "oldest" : "newest";

interface RowsProps {
  readonly source: LogSource;
  readonly snapshot: SourceSnapshot;
  readonly scroll: ListScroll;
  readonly layout: WindowLayout;
  readonly look: RowLook;
  readonly view: ViewState;
  readonly activeKey: number | undefined;
  readonly changeView: ChangeView;
}

function Rows({ source, snapshot, scroll, layout, look, view, activeKey, changeView }: RowsProps): ReactNode {
  const loadGap = useCallback((key: number) => void source.loadGap(key), [source]);
  const loadOlder = useCallback(() => void source.loadOlder(), [source]);
  const leave = useCallback(() => showOlder(source, changeView), [source, changeView]);
  const { buffer } = source;
  const rows: ReactNode[] = [];
  for (let index = layout.start; index < layout.end; index++) {
    const position = scroll.window.positionAt(index);
    const number = index + 1;
    const key = buffer.keyAt(position);
    const row = buffer.at(position);
    if (row === undefined || key === undefined) {
      const { older, dropped } = snapshot;
      const props = { number, older, dropped, rows: buffer.length, of: partOf(view) };
      rows.push(<OlderRowView key={olderKey} {...props} onLoad={loadOlder} onLeave={leave} />);
    } else if (row.kind === "gap") {
      const state = snapshot.gaps.get(row.key);
      rows.push(
        <GapRowView key={key} row={row} rowKey={key} number={number} state={state} onLoad={loadGap} />,
      );
    } else {
      const selected = row.id === view.selectedId;
      const active = key === activeKey;
      rows.push(<LogRowView key={key} {...{ row, rowKey: key, number, selected, active, look }} />);
    }
  }
  return rows;
}

function useLook({ columns, wrap, timeZone }: ViewState): RowLook {
  const today = formatDay(BigInt(Date.now()) * 1_000_000n, timeZone);
  return useMemo(() => ({ columns, wrap, timeZone, today }), [columns, wrap, timeZone, today]);
}

/** Keeps the columns as wide as the rows need. Returns the element whose parts they are. */
function useColumnWidths(
  rows: readonly EntryRow[],
  look: RowLook,
  answer: number,
): RefObject<HTMLDivElement | null> {
  const element = useRef<HTMLDivElement>(null);
  const [columns] = useState(() => new ColumnWidths());
  const widths = columns.widen(rows, look, answer);
  useLayoutEffect(() => {
    for (const [name, width] of widths) element.current?.style.setProperty(name, `${width}`);
  }, [widths]);
  return element;
}

/** What is drawn, without gaps. */
function entriesIn({ buffer }: LogSource, { window }: ListScroll, layout: WindowLayout): EntryRow[] {
  const rows: EntryRow[] = [];
  for (let index = layout.start; index < layout.end; index++) {
    const row = buffer.at(window.positionAt(index));
    if (row?.kind === "entry") rows.push(row);
  }
  return rows;
}

/** The names above the chosen columns. Each cell has its own for those who can't see where it stands. */
function ColumnNames({ columns }: { columns: readonly string[] }): ReactNode {
  if (columns.length === 0) return null;
  return (
    <div className="log-names" aria-hidden="true">
      <span className="log-time">time</span>{" "}
      {columns.includes("level") || (
        <>
          <span className="log-level">level</span>{" "}
        </>
      )}
      {columns.includes("service") || (
        <>
          <span className="log-service">service</span>{" "}
        </>
      )}
      {columns.map((name, place) => (
        <Fragment key={name}>
          {name === "level" ? (
            <span className="log-level">{name}</span>
          ) : (
            <span className="log-column" style={columnStyle(place)} title={name}>
              {name}
            </span>
          )}{" "}
        </Fragment>
      ))}
      <span className="log-message">message</span>
    </div>
  );
}

/** What the list shows a part of: see OlderRowProps. */
function partOf({ filter, range, aroundId }: ViewState): "log" | "matches" | "neighbours" {
  if (aroundId !== undefined) return "neighbours";
  return filter === "" && range.kind === "live" ? "log" : "matches";
}

function rowOf({ buffer }: LogSource, key: number): LogRow | undefined {
  const position = buffer.positionOfKey(key);
  return position === undefined ? undefined : buffer.at(position);
}

function openRow(row: LogRow | EntryRow | undefined, changeView: ChangeView): boolean {
  if (row?.kind !== "entry") return false;
  changeView({ selectedId: row.id });
  return true;
}

/** The row that was clicked, unless the click was a button's, or the end of selecting text. */
function clickedKey(target: EventTarget): number | undefined {
  if (!(target instanceof Element) || target.closest("button") !== null) return undefined;
  return document.getSelection()?.isCollapsed === false ? undefined : rowKeyOf(target);
}

function isIn({ buffer }: LogSource, { window }: ListScroll, layout: WindowLayout, key: number): boolean {
  const position = buffer.positionOfKey(key);
  if (position === undefined) return false;
  const index = window.indexOf(position);
  return index >= layout.start && index < layout.end;
}

/** Looks for older entries when the reader comes near the oldest. */
function loadAhead(
  source: LogSource,
  snapshot: SourceSnapshot,
  { window }: ListScroll,
  layout: WindowLayout,
): void {
  if (snapshot.older.kind !== "more" || snapshot.dropped > 0 || snapshot.stale || window.count === 0) return;
  const oldestIndex = window.indexOf(snapshot.first);
  const isNear =
    window.newestEdge === "bottom"
      ? layout.start - oldestIndex < loadAheadRows
      : oldestIndex - layout.end < loadAheadRows;
  if (isNear) void source.loadOlder();
}

/** Half an hour, when the rows are of less. */
const leaveNsMin = 1_800_000_000_000n;

/** Shows what is older than the oldest row in place of what is here: as much time again as the rows are of. */
function showOlder({ buffer }: LogSource, changeView: ChangeView): void {
  const oldest = buffer.at(buffer.first);
  const newest = buffer.at(buffer.end - 1);
  if (oldest?.kind !== "entry") return;
  const end = oldest.entry.timestamp + 1n;
  const span = newest?.kind === "entry" ? newest.entry.timestamp - oldest.entry.timestamp : 0n;
  const start = end - (span > leaveNsMin ? span : leaveNsMin);
  changeView({ range: { kind: "between", start, end }, selectedId: undefined }, "push");
}
