/**
 * One entry on one line, or on several when lines are broken. Thousands of them
 * are drawn a second, so a row is few elements, has no handlers of its own (the
 * list listens for all) and is drawn again only when it is another one.
 *
 * The parts are inline, with spaces between them, so that copied text reads
 * like a line of a log file.
 */
// biome-ignore-all lint/a11y/useSemanticElements: rows of a table can't be placed on their own.
import { memo, type ReactNode } from "react";
import { AnsiText } from "../message/ansi-text.tsx";
import { MessageLine } from "../message/message-view.tsx";
import { columnWidthName } from "./column-widths.ts";
import type { EntryRow } from "./log-entry-row.ts";
import type { RowLook } from "./row-look.ts";
import { attributesText, columnText, levelClass, rowTime, wrappedText } from "./row-text.ts";

/** What `LogRowView` needs. */
export interface LogRowProps {
  readonly row: EntryRow;
  readonly rowKey: number;
  /** Counted from 1, from the top of the list. */
  readonly number: number;
  /** Whether its details are open. */
  readonly selected: boolean;
  /** Whether the keyboard is at it. */
  readonly active: boolean;
  readonly look: RowLook;
}

/** The id of a row's element. */
export const rowElementId = (key: number): string => `log-row-${key}`;

/** An entry's row. */
export const LogRowView = memo(function LogRowView(props: LogRowProps): ReactNode {
  const { row, rowKey, number, selected, active, look } = props;
  const { entry } = row;
  const { columns, wrap } = look;
  const attributes = attributesText(entry, columns);
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus, and names its active row.
    <div
      id={rowElementId(rowKey)}
      role="row"
      className={`log-row ${levelClass(entry.level)}`}
      data-key={rowKey}
      aria-rowindex={number}
      aria-selected={selected}
      data-active={active || undefined}
    >
      <Cell className="log-time">{rowTime(entry.timestamp, look.timeZone, look.today)}</Cell>{" "}
      {columns.includes("level") || <Level level={entry.level} />}
      {columns.includes("service") || (
        <>
          <Cell className="log-service">{entry.service}</Cell>{" "}
        </>
      )}
      {columns.map((column, place) => (
        <Column key={column} name={column} place={place} text={columnText(entry, column)} />
      ))}
      <Cell className="log-message">
        {wrap ? <AnsiText text={wrappedText(entry.message)} /> : <MessageLine message={entry.message} />}
        {attributes !== "" && <span className="log-attributes"> {attributes}</span>}
      </Cell>
    </div>
  );
});

/** A part of a row, in the words of a screen reader. */
function Cell({ className, children }: { className: string; children: ReactNode }): ReactNode {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: as the row.
    <span role="gridcell" className={className}>
      {children}
    </span>
  );
}

function Level({ level }: { level: string }): ReactNode {
  return (
    <>
      <Cell className="log-level">{level}</Cell>{" "}
    </>
  );
}

interface ColumnProps {
  readonly name: string;
  readonly place: number;
  readonly text: string;
}

function Column({ name, place, text }: ColumnProps): ReactNode {
  if (name === "level") return <Level level={text} />;
  return (
    <>
      {/* biome-ignore lint/a11y/useFocusableInteractive: as the row. */}
      <span
        role="gridcell"
        className="log-column"
        style={columnStyle(place)}
        aria-label={`${name}: ${text === "" ? "none" : text}`}
        title={text}
      >
        {text}
      </span>{" "}
    </>
  );
}

/** The width of a chosen column, in rows and in their names above them. */
export function columnStyle(place: number): { readonly width: string } {
  return { width: `calc(1ch * var(${columnWidthName(place)}))` };
}
