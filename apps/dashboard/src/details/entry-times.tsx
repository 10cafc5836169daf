/** When an entry was written and received, and how severe it is. */
import { formatTimestamp } from "@logsvc/client-web";
import { severityOf } from "@logsvc/proto";
import { type ReactNode, useEffect, useState } from "react";
import { addCondition } from "../filter/filter-edit.ts";
import type { EntryRow } from "../log/log-entry-row.ts";
import { formatDayTime, formatOffset } from "../view/format-time.ts";
import type { ChangeView, ViewState } from "../view/view-state.ts";
import { delayText, relativeTime } from "./relative-time.ts";

/** What `EntryTimes` needs. */
export interface EntryTimesProps {
  readonly row: EntryRow;
  readonly view: ViewState;
  readonly changeView: ChangeView;
}

/** The facts that every entry has. */
export function EntryTimes({ row, view, changeView }: EntryTimesProps): ReactNode {
  const { entry, receivedAt, id } = row;
  const { timestamp, level } = entry;
  const { timeZone } = view;
  const severity = severityOf(level);
  const delay = delayText(timestamp, receivedAt);
  return (
    <dl className="details-facts">
      <div>
        <dt>Time</dt>
        <dd>
          <span className="mono">
            {formatDayTime(timestamp, timeZone, "ns")} {formatOffset(timestamp, timeZone)}
          </span>{" "}
          <RelativeTime time={timestamp} />
        </dd>
      </div>
      {formatOffset(timestamp, timeZone) !== "Z" && (
        <div>
          <dt>UTC</dt>
          <dd className="mono">{formatTimestamp(timestamp)}</dd>
        </div>
      )}
      <div>
        <dt>Unix</dt>
        <dd className="mono">{String(timestamp)} ns</dd>
      </div>
      <div>
        <dt>Received</dt>
        <dd>
          <span className="mono">{formatDayTime(receivedAt, timeZone, "ns")}</span>{" "}
          <span className="muted">{delay}</span>
        </dd>
      </div>
      <div>
        <dt>Level</dt>
        <dd>
          <span className="level-text" data-level={level}>
            {level}
          </span>{" "}
          <span className="muted">{severity === 0 ? "unknown severity" : `severity ${severity}`}</span>{" "}
          <LevelButtons level={level} view={view} changeView={changeView} />
        </dd>
      </div>
      <div>
        <dt>Id</dt>
        <dd className="mono">{id}</dd>
      </div>
    </dl>
  );
}

function LevelButtons({
  level,
  view,
  changeView,
}: Omit<EntryTimesProps, "row"> & { level: string }): ReactNode {
  const change = (mode: "include" | "exclude") => () =>
    changeView({ filter: addCondition(view.filter, "level", level, mode), aroundId: undefined });
  return (
    <>
      <button type="button" className="button button-quiet button-small" onClick={change("include")}>
        only {level}
      </button>
      <button type="button" className="button button-quiet button-small" onClick={change("exclude")}>
        without {level}
      </button>
    </>
  );
}

function RelativeTime({ time }: { time: bigint }): ReactNode {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    setNowMs(Date.now());
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [time]);
  return <span className="muted">{relativeTime(time, nowMs)}</span>;
}
