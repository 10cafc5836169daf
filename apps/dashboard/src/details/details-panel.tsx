/**
 * One entry, whole: its message, every field with what can be done with it, the
 * entries around it, and ways to take it elsewhere.
 *
 * It is a part of the page beside the list, not a dialog: the list's keys go on
 * working, and another entry can be chosen while it is open.
 */
import type { LogClient } from "@logsvc/client-web";
import {
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { addCondition } from "../filter/filter-edit.ts";
import type { EntryRow } from "../log/log-entry-row.ts";
import { MessageBlock } from "../message/message-view.tsx";
import { Icon } from "../shell/icons.tsx";
import { formatTime } from "../view/format-time.ts";
import type { ChangeView, ViewState } from "../view/view-state.ts";
import { CopyMenu } from "./copy-menu.tsx";
import { EntryContext } from "./entry-context.tsx";
import { entryFields } from "./entry-fields.ts";
import { EntryTimes } from "./entry-times.tsx";
import { FieldList } from "./field-list.tsx";
import { type Copy, useCopy } from "./use-copy.ts";
import "./details-panel.css";

/** What `DetailsPanel` needs. */
export interface DetailsPanelProps {
  readonly client: LogClient;
  readonly row: EntryRow;
  readonly view: ViewState;
  readonly changeView: ChangeView;
  /** Goes to the entry before or after it in the list. Left out: there is no list to go through. */
  readonly onStep?: ((step: -1 | 1) => void) | undefined;
  onClose(): void;
}

/** The details of an entry. */
export function DetailsPanel(props: DetailsPanelProps): ReactNode {
  const { client, row, view, changeView, onStep, onClose } = props;
  const [copy, outcome] = useCopy();
  const { level, timestamp } = row.entry;
  const fields = useMemo(() => entryFields(row.entry), [row.entry]);
  return (
    <DetailsFrame
      title={`${level} at ${formatTime(timestamp, view.timeZone, "ms")}`}
      onClose={onClose}
      onStep={onStep}
    >
      <div className="details-actions">
        <CopyMenu row={row} view={view} copy={copy} />
        <TraceButton row={row} changeView={changeView} />
      </div>
      <p className="details-outcome" role="status" data-failed={outcome?.failed === true}>
        {outcome?.text}
      </p>
      <MessageSection key={row.id} message={row.entry.message} copy={copy} />
      <EntryTimes row={row} view={view} changeView={changeView} />
      <section className="details-section" aria-label="Fields of the entry">
        <header className="details-section-header">
          <h3>Fields</h3>
        </header>
        <FieldList key={row.id} fields={fields} view={view} changeView={changeView} copy={copy} />
        {fields.length === 0 && <p className="muted">It has no others.</p>}
      </section>
      <EntryContext client={client} row={row} timeZone={view.timeZone} changeView={changeView} />
    </DetailsFrame>
  );
}

/** What the frame needs. */
export interface DetailsFrameProps extends Pick<DetailsPanelProps, "onStep" | "onClose"> {
  readonly title: string;
  readonly children: ReactNode;
}

/** The panel around whatever it shows: its name, its buttons, its keys. */
export function DetailsFrame({ title, children, onStep, onClose }: DetailsFrameProps): ReactNode {
  const id = useId();
  const ref = useFocusWhileOpen();
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (body.current !== null) body.current.scrollTop = 0;
  }, [title]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    onClose();
  };
  return (
    <aside className="details" aria-labelledby={id} onKeyDown={onKeyDown}>
      <header className="details-header">
        <h2 id={id} ref={ref} tabIndex={-1} aria-live="polite">
          {title}
        </h2>
        {onStep !== undefined && (
          <>
            <button
              type="button"
              className="button button-quiet button-icon"
              aria-label="Previous entry"
              title="Previous entry (k)"
              onClick={() => onStep(-1)}
            >
              ↑
            </button>
            <button
              type="button"
              className="button button-quiet button-icon"
              aria-label="Next entry"
              title="Next entry (j)"
              onClick={() => onStep(1)}
            >
              ↓
            </button>
          </>
        )}
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Close the details"
          title="Close (Esc)"
          onClick={onClose}
        >
          <Icon name="close" />
        </button>
      </header>
      <div className="details-body" ref={body}>
        {children}
      </div>
    </aside>
  );
}

/** Takes the focus when the panel opens, and gives it back when it closes, unless it is elsewhere by then. */
function useFocusWhileOpen(): React.RefObject<HTMLHeadingElement | null> {
  const ref = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    const heading = ref.current;
    const before = document.activeElement;
    heading?.focus({ preventScroll: true });
    return () => {
      const inside = heading?.closest(".details")?.contains(document.activeElement) === true;
      if (inside && before instanceof HTMLElement && before.isConnected)
        before.focus({ preventScroll: true });
    };
  }, []);
  return ref;
}

function TraceButton({ row, changeView }: Pick<DetailsPanelProps, "row" | "changeView">): ReactNode {
  const { traceId } = row.entry;
  if (traceId === "") return null;
  return (
    <button
      type="button"
      className="button"
      title="All entries of this trace, whenever they were"
      onClick={() =>
        changeView({
          filter: addCondition("", "trace_id", traceId, "include"),
          range: { kind: "live" },
          aroundId: undefined,
        })
      }
    >
      Whole trace
    </button>
  );
}

function MessageSection({ message, copy }: { message: string; copy: Copy }): ReactNode {
  const [wrap, setWrap] = useState(true);
  const [raw, setRaw] = useState(false);
  return (
    <section className="details-section" aria-label="Message of the entry">
      <header className="details-section-header">
        <h3>Message</h3>
        <button
          type="button"
          className="button button-quiet"
          aria-pressed={wrap}
          onClick={() => setWrap(!wrap)}
        >
          Wrap
        </button>
        <button type="button" className="button button-quiet" aria-pressed={raw} onClick={() => setRaw(!raw)}>
          As written
        </button>
        <button
          type="button"
          className="button button-quiet button-icon"
          aria-label="Copy the message"
          title="Copy the message"
          onClick={() => copy(message, "the message")}
        >
          <Icon name="copy" />
        </button>
      </header>
      <MessageBlock message={message} wrap={wrap} raw={raw} />
    </section>
  );
}
