/** The button that saves what the view shows, all of it, as a file. */
import type { LogClient } from "@logsvc/client-web";
import { type ReactNode, useEffect, useId, useState, useSyncExternalStore } from "react";
import { PopoverButton } from "../popup/popover-button.tsx";
import { formatBytes, formatCount } from "../stats/format-amount.ts";
import type { ViewState } from "../view/view-state.ts";
import { allColumns, chosenColumns } from "./csv.ts";
import { boundsOf, type ExportFormat } from "./export-entries.ts";
import { type ExportChoice, ExportRun, type ExportState } from "./export-run.ts";
import { openSink } from "./file-sink.ts";
import "./export-menu.css";

/** Attributes that get a column of their own in a CSV file with all columns. */
const attributeColumnsMax = 200;

/** What `ExportMenu` needs. */
export interface ExportMenuProps {
  readonly client: LogClient;
  readonly view: ViewState;
}

type FormatName = "ndjson" | "csv-chosen" | "csv-all";

const formats: readonly (readonly [name: FormatName, label: string, hint: string])[] = [
  ["ndjson", "NDJSON", "every field, a line for each entry; logsvc import and jq read it"],
  ["csv-chosen", "CSV, the columns shown", "time, level, service, your columns, message"],
  ["csv-all", "CSV, all columns", "every field and attribute"],
];

/** The button, and what it opens. An export goes on while the popover is closed. */
export function ExportMenu({ client, view }: ExportMenuProps): ReactNode {
  const [run] = useState(() => new ExportRun(openSink));
  const state = useSyncExternalStore(
    (listener) => run.subscribe(listener),
    () => run.state,
  );
  const [format, setFormat] = useState<FormatName>("ndjson");
  useEffect(() => () => run.cancel(), [run]);
  const running = state.kind === "running";
  return (
    <PopoverButton
      label={running ? `Exporting ${formatCount(state.progress.entries)}…` : "Export"}
      title="Export"
    >
      <div className="export-menu">
        <p>{describe(view)}</p>
        <FormatChoice format={format} disabled={running} onFormat={setFormat} />
        {format !== "ndjson" && (
          <p className="muted export-hint">
            A field that a spreadsheet would run as a formula gets an apostrophe before it. NDJSON has every
            byte as it was.
          </p>
        )}
        {running ? (
          <button type="button" className="button" onClick={() => run.cancel()}>
            Cancel
          </button>
        ) : (
          <button
            type="button"
            className="button button-primary"
            onClick={() => void run.start(client, choiceOf(client, view, format))}
          >
            Save
          </button>
        )}
        <p className="export-state" role="status" data-state={state.kind}>
          {stateText(state)}
        </p>
      </div>
    </PopoverButton>
  );
}

function describe({ filter, range }: ViewState): string {
  const what = filter === "" ? "All entries" : "All entries that match the filter";
  return range.kind === "live" ? `${what}, from the oldest stored up to now.` : `${what} in the time range.`;
}

interface FormatChoiceProps {
  readonly format: FormatName;
  readonly disabled: boolean;
  onFormat(format: FormatName): void;
}

function FormatChoice({ format, disabled, onFormat }: FormatChoiceProps): ReactNode {
  const id = useId();
  return (
    <fieldset className="export-formats" disabled={disabled}>
      <legend className="visually-hidden">Format</legend>
      {formats.map(([name, label, hint]) => (
        <label key={name}>
          <input
            type="radio"
            name={id}
            checked={format === name}
            aria-describedby={`${id}-${name}`}
            onChange={() => onFormat(name)}
          />
          <span>
            {label}
            <span id={`${id}-${name}`} className="muted export-hint">
              {hint}
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function choiceOf(client: LogClient, view: ViewState, format: FormatName): ExportChoice {
  const { filter, range, columns } = view;
  return {
    filter,
    range,
    kind: format === "ndjson" ? "ndjson" : "csv",
    format: async (signal): Promise<ExportFormat> => {
      switch (format) {
        case "ndjson":
          return { kind: "ndjson" };
        case "csv-chosen":
          return { kind: "csv", columns: chosenColumns(columns) };
        case "csv-all":
          return { kind: "csv", columns: allColumns(await attributeNames(client, view, signal)) };
        default:
          return format satisfies never;
      }
    },
  };
}

const entryFields: readonly string[] = ["level", "service", "message", "trace_id", "span_id", "timestamp"];

async function attributeNames(client: LogClient, view: ViewState, signal: AbortSignal): Promise<string[]> {
  const { values } = await client.values({
    filter: view.filter,
    ...boundsOf(view.range, Date.now()),
    limit: attributeColumnsMax,
    signal,
  });
  return values.map(({ value }) => value).filter((name) => !entryFields.includes(name));
}

function stateText(state: ExportState): string {
  switch (state.kind) {
    case "idle":
      return "";
    case "running":
      return `${formatCount(state.progress.entries)} entries, ${formatBytes(state.progress.bytes)} so far`;
    case "failed":
      return `Nothing was saved: ${state.reason}`;
    case "done": {
      const { entries, bytes, complete } = state.result;
      if (entries === 0 && complete) return "Nothing matches: nothing was saved.";
      const saved = `${formatCount(entries)} entries, ${formatBytes(bytes)}, in ${state.name}.`;
      return complete
        ? saved
        : `${saved} The file is not whole: this browser saves no more than 1 GiB at once. Later entries are missing; choose a shorter range for them.`;
    }
    default:
      return state satisfies never;
  }
}
