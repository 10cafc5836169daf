/**
 * Says that the list is paused and how much waits, and goes on at a press. A
 * screen reader hears the count now and then, not with every frame.
 */
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Edge } from "./row-window.ts";

/** What `PausePill` needs. */
export interface PausePillProps {
  readonly paused: boolean;
  readonly waiting: number;
  /** Where new entries come in. */
  readonly edge: Edge;
  onResume(): void;
}

/** Between two counts that are read aloud. */
const spokenEveryMs = 10_000;

const count = new Intl.NumberFormat("en");

/** The pill. The part that is read aloud is always there: what comes with its text is not heard by all. */
export function PausePill({ paused, waiting, edge, onResume }: PausePillProps): ReactNode {
  const spoken = useSpoken(paused, waiting);
  return (
    <div className="log-pill-place" data-edge={edge}>
      <span className="visually-hidden" aria-live="polite">
        {spoken}
      </span>
      {paused && (
        <button type="button" className="log-pill" onClick={onResume} title="Go on at the end (space)">
          <span>paused{waiting > 0 && ` · ${count.format(waiting)} new`}</span>
          <span aria-hidden="true">{edge === "bottom" ? "↓" : "↑"}</span>
        </button>
      )}
    </div>
  );
}

function useSpoken(paused: boolean, waiting: number): string {
  const [spoken, setSpoken] = useState("");
  const latest = useRef(waiting);
  latest.current = waiting;
  useEffect(() => {
    setSpoken(paused ? "Paused." : "");
    if (!paused) return undefined;
    const timer = setInterval(() => setSpoken(pausedText(latest.current)), spokenEveryMs);
    return () => clearInterval(timer);
  }, [paused]);
  return spoken;
}

function pausedText(waiting: number): string {
  return `Paused. ${count.format(waiting)} new ${waiting === 1 ? "entry" : "entries"}.`;
}
