/** Which times: live, the last so many minutes or days, or from–to, typed or picked. */
import { Popover } from "@base-ui/react/popover";
import { type ReactNode, type SyntheticEvent, useId, useState } from "react";
import { timeZoneName } from "../view/format-time.ts";
import type { ViewRange } from "../view/view-state.ts";
import { isRangeFault, type RangeDraft, type RangeFault, readRangeDraft } from "./range-draft.ts";
import "./range-picker.css";
import { nowNs, presets, rangeKey, rangeName, spanOf } from "./range-span.ts";
import { formatPickedTime, formatTypedTime } from "./time-text.ts";

/** What the picker shows, and whom it tells. */
export interface RangePickerProps {
  readonly range: ViewRange;
  readonly timeZone: string;
  onRange(range: ViewRange): void;
}

/** The picker: a button that says the range, and what it opens. */
export function RangePicker({ range, timeZone, onRange }: RangePickerProps): ReactNode {
  const [open, setOpen] = useState(false);
  const choose = (chosen: ViewRange): void => {
    setOpen(false);
    onRange(chosen);
  };
  const name = rangeName(range, timeZone);
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="button range-trigger" aria-label={`Time range: ${name}`}>
        {range.kind === "live" && <span className="range-live" aria-hidden="true" />}
        <span className="range-name">{name}</span>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M4 6l4 4 4-4" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner className="layer" sideOffset={4} align="end">
          <Popover.Popup className="popup range-popup" aria-label="Time range">
            <RangePresets range={range} onRange={choose} />
            <RangeForm range={range} timeZone={timeZone} onRange={choose} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function RangePresets({
  range,
  onRange,
}: {
  readonly range: ViewRange;
  onRange(range: ViewRange): void;
}): ReactNode {
  const choices: readonly { readonly name: string; readonly range: ViewRange }[] = [
    { name: "Live", range: { kind: "live" } },
    ...presets.map(({ name, durationMs }) => ({ name, range: { kind: "last" as const, durationMs } })),
  ];
  return (
    <fieldset className="range-presets">
      <legend className="visually-hidden">Common ranges</legend>
      {choices.map((choice) => (
        <button
          key={choice.name}
          className="button button-quiet"
          type="button"
          aria-pressed={rangeKey(choice.range) === rangeKey(range)}
          onClick={() => onRange(choice.range)}
        >
          {choice.name}
        </button>
      ))}
    </fieldset>
  );
}

function draftOf(range: ViewRange, timeZone: string): RangeDraft {
  const { start, end } = spanOf(range, nowNs());
  // Of a moving range nobody needs its nanoseconds.
  const round = (time: bigint): bigint => (range.kind === "between" ? time : time - (time % 1_000_000_000n));
  return { from: formatTypedTime(round(start), timeZone), to: formatTypedTime(round(end), timeZone) };
}

function RangeForm({ range, timeZone, onRange }: RangePickerProps): ReactNode {
  const id = useId();
  const [draft, setDraft] = useState(() => draftOf(range, timeZone));
  const [fault, setFault] = useState<RangeFault>();
  const change = (field: keyof RangeDraft, text: string): void => {
    setDraft((before) => ({ ...before, [field]: text }));
    setFault(undefined);
  };
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const result = readRangeDraft(draft, { timeZone, now: nowNs() });
    if (!isRangeFault(result)) {
      onRange(result);
      return;
    }
    setFault(result);
    document.getElementById(`${id}-${result.field}`)?.focus();
  };
  return (
    <form className="range-form" noValidate onSubmit={submit}>
      {(["from", "to"] as const).map((field) => (
        <TimeField
          key={field}
          id={`${id}-${field}`}
          name={field === "from" ? "From" : "To"}
          text={draft[field]}
          timeZone={timeZone}
          fault={fault?.field === field ? fault.message : undefined}
          onText={(text) => change(field, text)}
        />
      ))}
      <p className="range-fault" role="alert">
        {fault?.message}
      </p>
      <p className="range-hint muted">
        {timeZoneName(timeZone)}. Also <code>10:00</code>, <code>15m</code> (ago), <code>now</code>, RFC 3339,
        Unix time.
      </p>
      <button className="button button-primary" type="submit">
        Show this range
      </button>
    </form>
  );
}

/** What one field shows. */
interface TimeFieldProps {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly timeZone: string;
  readonly fault: string | undefined;
  onText(text: string): void;
}

/** A time as text, and beside it the browser's own calendar, which writes into the text. */
function TimeField({ id, name, text, timeZone, fault, onText }: TimeFieldProps): ReactNode {
  return (
    <div className="range-field">
      <label htmlFor={id}>{name}</label>
      <input
        className="field mono"
        id={id}
        type="text"
        value={text}
        autoComplete="off"
        spellCheck={false}
        placeholder={name === "To" ? "now" : "2026-11-29 10:00"}
        aria-invalid={fault !== undefined}
        onChange={(event) => onText(event.target.value)}
      />
      <input
        className="field range-calendar"
        type="datetime-local"
        step="1"
        aria-label={`${name}, from the calendar`}
        value={pickedTime(text, timeZone)}
        onChange={(event) => onText(event.target.value.replace("T", " "))}
      />
    </div>
  );
}

function pickedTime(text: string, timeZone: string): string {
  const result = readRangeDraft({ from: text, to: "2261-01-01" }, { timeZone, now: nowNs() });
  return isRangeFault(result) || result.kind !== "between" ? "" : formatPickedTime(result.start, timeZone);
}
