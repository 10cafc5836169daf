/** The states of a list without rows: each says what is the case, and what a reader can do about it. */
import type { ReactNode } from "react";
import type { LogSource } from "../log/log-source.ts";
import type { SourceState } from "../log/source-state.ts";
import { rangeName } from "../range/range-span.ts";
import type { ChangeView, ViewRange, ViewState } from "../view/view-state.ts";
import { connectionText } from "./connection-text.ts";
import { FirstEntry } from "./first-entry.tsx";
import type { Placeholder } from "./placeholder.ts";
import "./log-placeholder.css";

/** What `LogPlaceholder` needs. */
export interface LogPlaceholderProps {
  readonly kind: Placeholder;
  readonly state: SourceState;
  readonly source: LogSource;
  readonly view: ViewState;
  readonly changeView: ChangeView;
  onToken(): void;
}

const hourMs = 3_600_000;

/** Ever wider looks back. */
const widerMs = [hourMs, 24 * hourMs, 7 * 24 * hourMs, 30 * 24 * hourMs] as const;

/** What stands in the list's place. */
export function LogPlaceholder(props: LogPlaceholderProps): ReactNode {
  const { kind, source, onToken } = props;
  switch (kind) {
    case "connecting":
      return <Message title="Connecting…" text={`to ${location.host}`} busy />;
    case "searching":
      return <Searching {...props} />;
    case "disconnected":
      return <Disconnected {...props} />;
    case "failed":
      return <Failed state={props.state} source={source} onToken={onToken} />;
    case "noEntries":
      return <FirstEntry />;
    case "noMatchYet":
      return (
        <Message
          title="Nothing matches yet"
          text="No stored entry matches this filter. The first that does appears here at once."
        >
          <FilterActions {...props} />
        </Message>
      );
    case "noMatch":
      return (
        <Message title="Nothing matches" text={rangeText(props.view)}>
          <FilterActions {...props} />
        </Message>
      );
    default:
      return kind satisfies never;
  }
}

function rangeText({ filter, range, aroundId }: ViewState): string {
  if (aroundId !== undefined) return "The entry has no neighbours.";
  const what = filter === "" ? "There is no entry" : "No entry matches this filter";
  return range.kind === "last" ? `${what} in the ${lastName(range)}.` : `${what} in this range of time.`;
}

interface MessageProps {
  readonly title: string;
  readonly text?: string | undefined;
  readonly busy?: boolean;
  readonly tone?: "bad";
  readonly children?: ReactNode;
}

function Message({ title, text, busy = false, tone, children }: MessageProps): ReactNode {
  return (
    <section className="log-placeholder" data-tone={tone} aria-busy={busy}>
      <h2>{title}</h2>
      {text !== undefined && <p className="muted">{text}</p>}
      {busy && <div className="placeholder-bar" aria-hidden="true" />}
      {children !== undefined && <div className="placeholder-actions">{children}</div>}
    </section>
  );
}

function Searching({ state, view, changeView }: LogPlaceholderProps): ReactNode {
  const progress = state.kind === "searching" ? state.progress : undefined;
  const text = progress === undefined ? undefined : `${megabytes(progress.bytesScanned)} read so far`;
  return (
    <Message title="Searching…" text={text} busy>
      {view.range.kind !== "live" && (
        <button type="button" className="button" onClick={() => changeView({ range: { kind: "live" } })}>
          Follow the log live instead
        </button>
      )}
    </Message>
  );
}

function Disconnected({ state, source }: LogPlaceholderProps): ReactNode {
  const { reason } = connectionText(state, 0);
  return (
    <Message
      title="Disconnected"
      text={`${sentence(reason)} It is tried again and again, and goes on where it was.`}
    >
      <button type="button" className="button button-primary" onClick={() => source.wake()}>
        Try now
      </button>
    </Message>
  );
}

function Failed({
  state,
  source,
  onToken,
}: Pick<LogPlaceholderProps, "state" | "source" | "onToken">): ReactNode {
  const { label, reason, action } = connectionText(state, 0);
  return (
    <Message title={label} text={sentence(reason)} tone="bad">
      {action === "token" && (
        <button type="button" className="button button-primary" onClick={onToken}>
          Enter a token
        </button>
      )}
      <button type="button" className="button" onClick={() => source.retry()}>
        Try again
      </button>
    </Message>
  );
}

function FilterActions({ view, changeView }: LogPlaceholderProps): ReactNode {
  const { filter, range } = view;
  const wider = widerRange(range);
  return (
    <>
      {wider !== undefined && (
        <button type="button" className="button" onClick={() => changeView({ range: wider })}>
          Look at the {lastName(wider)}
        </button>
      )}
      {filter !== "" && (
        <button type="button" className="button" onClick={() => changeView({ filter: "" })}>
          Clear the filter
        </button>
      )}
      {range.kind !== "live" && (
        <button type="button" className="button" onClick={() => changeView({ range: { kind: "live" } })}>
          Follow the log live
        </button>
      )}
    </>
  );
}

function widerRange(range: ViewRange): (ViewRange & { kind: "last" }) | undefined {
  if (range.kind !== "last") return undefined;
  const durationMs = widerMs.find((wider) => wider > range.durationMs);
  return durationMs === undefined ? undefined : { kind: "last", durationMs };
}

/** "last 15 minutes": in the middle of a sentence. */
const lastName = (range: ViewRange): string => rangeName(range, "local").toLowerCase();

const megabytes = (bytes: number | bigint): string =>
  `${Math.round(Number(bytes) / 1e6).toLocaleString("en")} MB`;

/** With a capital and a full stop. */
function sentence(text = ""): string {
  return text === "" ? "" : `${text[0]?.toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;
}
