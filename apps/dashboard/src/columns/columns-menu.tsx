/** The menu in which a reader chooses the columns of the list, and their order. */
import { type LogClient, limits } from "@logsvc/client-web";
import { type ReactNode, useState } from "react";
import { boundsOf } from "../export/export-entries.ts";
import { PopoverButton } from "../popup/popover-button.tsx";
import { useLatestRequest } from "../request/use-latest-request.ts";
import { formatCount } from "../stats/format-amount.ts";
import type { ChangeView, ViewState } from "../view/view-state.ts";
import { formatViewUrl } from "../view/view-url.ts";
import { type ColumnChoice, columnChoices, moveColumn, toggleColumn } from "./column-list.ts";
import "./columns-menu.css";

/** What `ColumnsMenu` needs. */
export interface ColumnsMenuProps {
  readonly client: LogClient;
  readonly view: ViewState;
  readonly changeView: ChangeView;
}

/** The button, and the list that it opens. */
export function ColumnsMenu({ client, view, changeView }: ColumnsMenuProps): ReactNode {
  const count = view.columns.length;
  return (
    <PopoverButton label={count === 0 ? "Columns" : `Columns (${count})`} title="Columns">
      <ColumnList client={client} view={view} changeView={changeView} />
    </PopoverButton>
  );
}

function ColumnList({ client, view, changeView }: ColumnsMenuProps): ReactNode {
  const [search, setSearch] = useState("");
  const { filter, range, columns } = view;
  // Of what the view shows: names of other entries would make empty columns.
  const key = formatViewUrl({ ...view, columns: [], wrap: false, page: "logs" });
  const { answer, error, pending } = useLatestRequest(key, (signal) =>
    client.values({ filter, ...boundsOf(range, Date.now()), limit: limits.valuesMax, signal }),
  );
  const choices = columnChoices(columns, answer?.values ?? [], search);
  return (
    <div className="columns-menu">
      <input
        className="field"
        type="search"
        placeholder="Find a field"
        aria-label="Find a field"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <ul>
        {choices.map((choice) => (
          <ColumnItem
            key={choice.name}
            choice={choice}
            place={columns.indexOf(choice.name)}
            count={columns.length}
            onToggle={() => changeView({ columns: toggleColumn(columns, choice.name) })}
            onMove={(step) => changeView({ columns: moveColumn(columns, choice.name, step) })}
          />
        ))}
      </ul>
      <p className="muted" role="status">
        {statusText(choices.length, pending, error !== undefined)}
      </p>
      {columns.length > 0 && (
        <button type="button" className="button" onClick={() => changeView({ columns: [] })}>
          Remove all columns
        </button>
      )}
    </div>
  );
}

function statusText(choices: number, pending: boolean, failed: boolean): string {
  if (pending) return choices === 0 ? "Looking for fields…" : "";
  if (failed) return "The names of the fields can't be had just now.";
  return choices === 0 ? "No such field." : "";
}

interface ColumnItemProps {
  readonly choice: ColumnChoice;
  /** Its place among the chosen columns; -1: it is none. */
  readonly place: number;
  readonly count: number;
  onToggle(): void;
  onMove(step: -1 | 1): void;
}

function ColumnItem({ choice, place, count, onToggle, onMove }: ColumnItemProps): ReactNode {
  const { name, chosen } = choice;
  return (
    <li>
      <label title={name}>
        <input type="checkbox" checked={chosen} onChange={onToggle} />
        <span className="columns-name mono">{name}</span>
        {choice.count !== undefined && <span className="muted">{formatCount(choice.count)}</span>}
      </label>
      {chosen && (
        <>
          <MoveButton
            label={`Move ${name} to the left`}
            sign="↑"
            disabled={place === 0}
            onMove={() => onMove(-1)}
          />
          <MoveButton
            label={`Move ${name} to the right`}
            sign="↓"
            disabled={place === count - 1}
            onMove={() => onMove(1)}
          />
        </>
      )}
    </li>
  );
}

interface MoveButtonProps {
  readonly label: string;
  readonly sign: string;
  readonly disabled: boolean;
  onMove(): void;
}

function MoveButton({ label, sign, disabled, onMove }: MoveButtonProps): ReactNode {
  return (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-label={label}
      title={label}
      // Disabled buttons lose the focus: this one keeps it, and does nothing.
      aria-disabled={disabled}
      onClick={() => {
        if (!disabled) onMove();
      }}
    >
      {sign}
    </button>
  );
}
