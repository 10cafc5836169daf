/** What is said below the filter bar: the fault, under its character, and how a filter is understood. */
import { type ReactNode, type RefObject, useLayoutEffect, useState } from "react";
import { placeInMirror } from "./filter-field.tsx";
import { type FilterFault, groupingOf } from "./filter-highlight.ts";

/** What is said. */
export interface FilterNotesProps {
  readonly id: string;
  readonly text: string;
  readonly fault: FilterFault | undefined;
  readonly mirrorRef: RefObject<HTMLDivElement | null>;
}

/** The fault or the grouping. The region is always there, so that what comes into it is read aloud. */
export function FilterNotes({ id, text, fault, mirrorRef }: FilterNotesProps): ReactNode {
  const grouping = fault === undefined ? groupingOf(text) : undefined;
  return (
    <div className="filter-notes" id={id} role="status">
      {fault !== undefined && <FaultNote fault={fault} mirrorRef={mirrorRef} />}
      {grouping !== undefined && (
        <p className="filter-grouping muted">
          Read as <code className="mono">{grouping}</code>
        </p>
      )}
    </div>
  );
}

function FaultNote({
  fault,
  mirrorRef,
}: {
  readonly fault: FilterFault;
  readonly mirrorRef: RefObject<HTMLDivElement | null>;
}): ReactNode {
  const [left, setLeft] = useState(0);
  useLayoutEffect(() => {
    if (mirrorRef.current !== null) setLeft(placeInMirror(mirrorRef.current, fault.start));
  }, [fault, mirrorRef]);
  return (
    <div className="filter-fault">
      <span
        className="filter-fault-mark"
        aria-hidden="true"
        style={{ left: `clamp(0px, ${left}px, 100% - 1ch)` }}
      />
      <p style={{ marginLeft: `min(${Math.max(0, left)}px, 50%)` }}>
        <span className="visually-hidden">Not applied. Character {fault.start + 1}: </span>
        {fault.reason}
      </p>
    </div>
  );
}
