/**
 * A message, as a row of the list shows it (`MessageLine`: one line, as cheap
 * as can be) and as the details do (`MessageBlock`: all of it, JSON as a tree,
 * stack traces with their frames told apart).
 */
import { memo, type ReactNode, useMemo, useState } from "react";
import { parseAnsi } from "./ansi.ts";
import { AnsiSpans, AnsiText } from "./ansi-text.tsx";
import { JsonView } from "./json-view.tsx";
import { chunkSpans, clipText } from "./message-chunks.ts";
import { firstLine, type MessagePart, moreLinesMax, type StackLine, splitMessage } from "./message-parts.ts";
import "./message-view.css";

/** Characters of the first line that a row draws: more than fits on any screen. */
const lineLengthMax = 2_000;

/** Characters of text that are drawn at first: a browser lays them out within a frame or two. */
const textShown = 64 * 1024;

/** Lines of a stack trace that are drawn at first. */
const stackShown = 200;

/** A message on one line: its first, with its colours, and how many more there are. */
export const MessageLine = memo(function MessageLine({ message }: { message: string }): ReactNode {
  const { text, moreLines, cut } = firstLine(message, lineLengthMax);
  if (moreLines === 0 && !cut) return <AnsiText text={text} />;
  return (
    <>
      <AnsiText text={text} />
      {cut && "…"}
      {moreLines > 0 && <span className="message-more">{moreText(moreLines)}</span>}
    </>
  );
});

function moreText(lines: number): string {
  if (lines === 1) return "+1 line";
  return lines < moreLinesMax ? `+${lines} lines` : `+${moreLinesMax} lines or more`;
}

/** What `MessageBlock` needs. */
export interface MessageBlockProps {
  readonly message: string;
  /** Broken to the width of the block, or scrolled sideways. */
  readonly wrap: boolean;
  /** As it was written, with colours only. */
  readonly raw: boolean;
}

/** A whole message. Up to a megabyte: what is long is drawn in part until asked for. */
export function MessageBlock({ message, wrap, raw }: MessageBlockProps): ReactNode {
  const parts = useMemo<readonly MessagePart[]>(
    () => (raw ? [{ kind: "text", text: message }] : splitMessage(message)),
    [message, raw],
  );
  return (
    // A scrolled block must be reachable by keys.
    <div className={wrap ? "message message-wrap" : "message"} tabIndex={wrap ? undefined : 0}>
      {parts.map((part, index) => (
        <Part key={index} part={part} />
      ))}
    </div>
  );
}

function Part({ part }: { part: MessagePart }): ReactNode {
  switch (part.kind) {
    case "json":
      return <JsonView node={part.node} />;
    case "stack":
      return <StackPart lines={part.lines} />;
    case "text":
      return <TextPart text={part.text} />;
    default:
      return part satisfies never;
  }
}

function TextPart({ text }: { text: string }): ReactNode {
  const [whole, setWhole] = useState(false);
  const clipped = useMemo(() => clipText(text, whole ? Number.POSITIVE_INFINITY : textShown), [text, whole]);
  const chunks = useMemo(() => chunkSpans(parseAnsi(clipped.text)), [clipped]);
  return (
    <div className="message-text">
      {chunks.map((chunk, index) => (
        <div key={index} className="message-chunk" style={{ containIntrinsicHeight: `${chunk.lines}lh` }}>
          <AnsiSpans spans={chunk.spans} />
        </div>
      ))}
      {clipped.left > 0 && (
        <button type="button" className="message-show" onClick={() => setWhole(true)}>
          Show the other {clipped.left.toLocaleString("en")} characters
        </button>
      )}
    </div>
  );
}

function StackPart({ lines }: { lines: readonly StackLine[] }): ReactNode {
  const [whole, setWhole] = useState(false);
  const shown = whole ? lines : lines.slice(0, stackShown);
  return (
    <div className="message-stack">
      {shown.map((line, index) => (
        <div key={index} className={`stack-${line.kind}`}>
          <AnsiText text={line.text} />
          {line.text === "" && "\u00a0"}
        </div>
      ))}
      {lines.length > shown.length && (
        <button type="button" className="message-show" onClick={() => setWhole(true)}>
          Show the other {(lines.length - shown.length).toLocaleString("en")} lines
        </button>
      )}
    </div>
  );
}
