/**
 * The list of suggestions below the filter bar: what is in it, whether it is
 * open, and which one is chosen. Nothing is chosen by itself, so that Enter
 * applies the filter unless somebody went into the list.
 */
import type { LogClient } from "@logsvc/client-web";
import { useMemo, useState } from "react";
import { rangeKey } from "../range/range-span.ts";
import { useLatestRequest } from "../request/use-latest-request.ts";
import type { ViewRange } from "../view/view-state.ts";
import { type CompletionContext, completionAt, filterAround } from "./completion.ts";
import { CompletionSource, type ValuesQuestion } from "./completion-source.ts";
import { filterHistory } from "./filter-history.ts";
import { askedField, type Counted, type Suggestion, suggestionsFor } from "./suggestions.ts";

/** A pause in typing after which the server is asked, in milliseconds. */
const askDelayMs = 150;

/** What the list is about. */
export interface CompletionSubject {
  readonly client: LogClient;
  readonly range: ViewRange;
  readonly text: string;
}

/** The list, and what can happen to it. */
export interface Completion {
  readonly open: boolean;
  readonly context: CompletionContext;
  readonly suggestions: readonly Suggestion[];
  readonly activeIndex: number | undefined;
  /** Whether the server was asked and has not answered. */
  readonly pending: boolean;
  /** Opens it for a place of the text; without one it is closed. */
  readonly setCaret: (caret: number | undefined) => void;
  /** To the next (1) or the previous (-1), around the ends. */
  readonly move: (step: 1 | -1) => void;
}

const nothingCounted: readonly Counted[] = [];

/** Keeps the list. */
export function useCompletion({ client, range, text }: CompletionSubject): Completion {
  const source = useMemo(() => new CompletionSource(client), [client]);
  const [caret, setCaretState] = useState<number>();
  const [active, setActive] = useState<number>();
  const context = completionAt(text, Math.min(caret ?? text.length, text.length));
  const asked = caret === undefined ? undefined : askedField(context);
  const question: ValuesQuestion | undefined = asked && {
    ...asked,
    prefix: context.typed,
    filter: filterAround(text, context),
    range,
  };
  const key = question === undefined ? "" : JSON.stringify({ ...question, range: rangeKey(range) });
  const { answer, pending } = useLatestRequest(
    key,
    question && (async (signal) => ({ key, values: await source.list(question, signal) })),
    { delayMs: askDelayMs },
  );
  const counted =
    (answer?.key === key ? answer.values : undefined) ??
    (question && source.remembered(question)) ??
    nothingCounted;
  const open = caret !== undefined;
  const suggestions = open ? suggestionsFor(context, text, counted, filterHistory.filters) : [];
  const activeIndex = active !== undefined && active < suggestions.length ? active : undefined;
  return {
    open: open && suggestions.length > 0,
    context,
    suggestions,
    activeIndex,
    pending: question !== undefined && pending,
    setCaret: (next) => {
      setCaretState(next);
      setActive(undefined);
    },
    move: (step) => {
      const count = suggestions.length;
      const from = activeIndex ?? (step === 1 ? -1 : count);
      setActive(count === 0 ? undefined : (from + step + count) % count);
    },
  };
}
