/** Text with ANSI sequences in it, as React draws it: elements and text, never HTML. */
import type { CSSProperties, ReactNode } from "react";
import { type AnsiSpan, hasControls, parseAnsi } from "./ansi.ts";
import { ansiLook } from "./ansi-look.ts";

/** The text, in its colours. Text without control characters, which is nearly all, is itself. */
export function AnsiText({ text }: { text: string }): ReactNode {
  return hasControls(text) ? <AnsiSpans spans={parseAnsi(text)} /> : text;
}

/** Spans that are parsed already. */
export function AnsiSpans({ spans }: { spans: readonly AnsiSpan[] }): ReactNode {
  return spans.map(({ text, style }, index) => {
    if (style === undefined) return text;
    const { className, themedColor, color, backgroundColor } = ansiLook(style);
    const look = {
      ...(themedColor !== undefined && { "--ansi-color": themedColor }),
      ...(color !== undefined && { color }),
      ...(backgroundColor !== undefined && { backgroundColor }),
    } as CSSProperties;
    return (
      <span key={index} className={className} style={look}>
        {text}
      </span>
    );
  });
}
