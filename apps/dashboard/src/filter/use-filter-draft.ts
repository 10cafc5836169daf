/**
 * The text in the filter bar between what is typed and what is applied.
 *
 *   typed ──▶ a pause ──▶ parses: applied
 *                     └─▶ does not: the fault is shown, what was applied stays
 *   Enter, or leaving the bar: the same, at once
 *
 * What is typed is never changed or thrown away from here. A filter that
 * changes outside (a click on a facet, the browser's Back) takes the place of
 * the text, unless somebody is typing it; a text that was not applied yet goes
 * into the history then.
 */
import { useEffect, useRef, useState } from "react";
import { type FilterFault, faultOf } from "./filter-highlight.ts";
import { filterHistory } from "./filter-history.ts";

/** A pause after which what is typed is applied, in milliseconds. */
const pauseMs = 600;

/** Longer, where the text breaks off at its end: most likely somebody is still thinking. */
const unfinishedPauseMs = 2_000;

/** The bar's text, and what can happen to it. */
export interface FilterDraft {
  readonly text: string;
  /** What is wrong with it, once that is to be shown. */
  readonly fault: FilterFault | undefined;
  /** Whether the text is another filter than the one that is applied. */
  readonly changed: boolean;
  /** Somebody types; `composing`: with an input method that is not done yet. */
  readonly type: (text: string, composing: boolean) => void;
  /** Applies it, or shows at once why that can't be. */
  readonly apply: (text?: string) => void;
  /** Whether the bar has the focus. */
  readonly setFocused: (focused: boolean) => void;
}

/** Keeps the bar's text. */
export function useFilterDraft(filter: string, onFilter: (filter: string) => void): FilterDraft {
  const [text, setText] = useState(filter);
  const [fault, setFault] = useState<FilterFault>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const focused = useRef(false);
  const latest = useRef({ text, filter, onFilter });
  latest.current.filter = filter;
  latest.current.onFilter = onFilter;
  const show = (next: string): void => {
    latest.current.text = next;
    setText(next);
  };

  useEffect(() => {
    const { text: typed } = latest.current;
    if (typed.trim() === filter.trim() || (focused.current && timer.current !== undefined)) return;
    if (faultOf(typed) !== undefined) {
      if (focused.current) return;
      filterHistory.add(typed);
    }
    latest.current.text = filter;
    setText(filter);
    setFault(undefined);
  }, [filter]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const settle = (): void => {
    clearTimeout(timer.current);
    timer.current = undefined;
    const { text: typed, filter: applied, onFilter: report } = latest.current;
    const found = faultOf(typed);
    setFault(found);
    if (found === undefined && typed.trim() !== applied.trim()) report(typed.trim());
  };
  const type = (next: string, composing: boolean): void => {
    show(next);
    setFault(undefined);
    clearTimeout(timer.current);
    if (!composing) timer.current = setTimeout(settle, pauseOf(next));
  };
  const apply = (next = latest.current.text): void => {
    show(next);
    settle();
    if (faultOf(next) === undefined) filterHistory.add(next);
  };
  const setFocused = (now: boolean): void => {
    focused.current = now;
    if (now) return;
    const isNew = latest.current.text.trim() !== "" && faultOf(latest.current.text) === undefined;
    if (timer.current !== undefined || isNew) settle();
    if (isNew) filterHistory.add(latest.current.text);
  };
  return { text, fault, changed: text.trim() !== filter.trim(), type, apply, setFocused };
}

function pauseOf(text: string): number {
  const fault = faultOf(text);
  return fault !== undefined && fault.end >= text.trimEnd().length ? unfinishedPauseMs : pauseMs;
}
