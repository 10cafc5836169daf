/**
 * Everything that is not data goes to standard error: notices, a line each, and
 * one line of progress below them that is drawn over again and again where
 * standard error is a terminal. Notices name files and quote servers and entries,
 * so all of it is made harmless here.
 */
import type { Writable } from "node:stream";
import { neutralise } from "./neutralise.ts";

/** Tells the user what is going on. */
export interface Notices {
  /** Prints a line, unless the user wants quiet. */
  notice(text: string): void;
  /** Prints a line in any case. */
  warn(text: string): void;
  /** Shows how far it is; the text is only made when it will be drawn, for a screen of so many columns. */
  progress(text: (columns: number) => string): void;
  /** Takes the progress off the screen, before something else is printed there. */
  clearProgress(): void;
}

/** Options of createNotices. */
export interface NoticesOptions {
  /** Draws progress. Only on a terminal: in a file it would be a mess. */
  readonly isTerminal: boolean;
  /** No notices and no progress. */
  readonly quiet: boolean;
  /** How wide the terminal is, now. Default: 80. */
  readonly columns?: () => number;
}

/** Fast enough to look alive, slow enough to cost nothing. */
const drawIntervalMs = 100;

const eraseLine = "\r\u001B[K";

/** Creates notices on a stream. */
export function createNotices(stream: Writable, options: NoticesOptions): Notices {
  const { isTerminal, quiet, columns = () => 80 } = options;
  // Nobody reads the notices: that must not end what they are about.
  stream.on("error", () => undefined);
  let isDrawn = false;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const clearProgress = (): void => {
    if (isDrawn) stream.write(eraseLine);
    isDrawn = false;
  };
  const warn = (text: string): void => {
    clearProgress();
    stream.write(`${neutralise(text)}\n`);
  };
  const progress = (text: (columns: number) => string): void => {
    if (!isTerminal || quiet || performance.now() - drawnAt < drawIntervalMs) return;
    drawnAt = performance.now();
    // A longer line would wrap, and only its last row could be erased.
    const room = columns() - 1;
    stream.write(`${eraseLine}${[...neutralise(text(room))].slice(0, room).join("")}`);
    isDrawn = true;
  };
  const notice = (text: string): void => {
    if (!quiet) warn(text);
  };
  return { notice, warn, progress, clearProgress };
}
