/**
 * The filter bar: a combobox (ARIA 1.2) over a text in colours. Enter applies,
 * and so does a pause; the arrows go into the suggestions, Tab takes one, Esc
 * closes them and then leaves the bar.
 */
import type { LogClient } from "@logsvc/client-web";
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { ViewRange } from "../view/view-state.ts";
import { applyCompletion } from "./completion.ts";
import "./filter-bar.css";
import { FilterField, placeInMirror } from "./filter-field.tsx";
import { FilterNotes } from "./filter-notes.tsx";
import { optionId, SuggestionList } from "./suggestion-list.tsx";
import type { Suggestion } from "./suggestions.ts";
import { type Completion, useCompletion } from "./use-completion.ts";
import { type FilterDraft, useFilterDraft } from "./use-filter-draft.ts";

/** What the bar shows, and whom it tells. */
export interface FilterBarProps {
  readonly filter: string;
  onFilter(filter: string): void;
  readonly client: LogClient;
  readonly range: ViewRange;
  readonly inputRef?: RefObject<HTMLInputElement | HTMLTextAreaElement | null>;
}

/** The filter bar. */
export function FilterBar({ filter, onFilter, client, range, inputRef }: FilterBarProps): ReactNode {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const draft = useFilterDraft(filter, onFilter);
  const completion = useCompletion({ client, range, text: draft.text });
  const left = useCompletionLeft(completion, mirror);
  useLayoutEffect(() => {
    if (inputRef !== undefined) inputRef.current = input.current;
  }, [inputRef]);
  const pick = (suggestion: Suggestion): void => accept(suggestion, draft, completion, input.current);
  const listId = `${id}-list`;
  const { activeIndex, open } = completion;
  return (
    <search className="filter-bar">
      <div className="filter-box" data-invalid={draft.fault !== undefined || undefined}>
        <FilterField
          text={draft.text}
          fault={draft.fault}
          inputRef={input}
          mirrorRef={mirror}
          role="combobox"
          aria-label="Filter"
          aria-autocomplete="list"
          aria-expanded={open}
          aria-controls={open ? listId : undefined}
          aria-activedescendant={
            open && activeIndex !== undefined ? optionId(listId, activeIndex) : undefined
          }
          aria-invalid={draft.fault !== undefined}
          aria-describedby={`${id}-notes`}
          placeholder="Filter, such as level:>=warn timeout"
          onChange={(event) => {
            const { value, selectionStart } = event.target;
            const composing = event.nativeEvent instanceof InputEvent && event.nativeEvent.isComposing;
            draft.type(value, composing);
            completion.setCaret(composing ? undefined : (selectionStart ?? value.length));
          }}
          onCompositionEnd={(event) => draft.type(event.currentTarget.value, false)}
          onKeyDown={(event) => onKey(event, draft, completion, pick)}
          onFocus={() => draft.setFocused(true)}
          onBlur={() => {
            completion.setCaret(undefined);
            draft.setFocused(false);
          }}
        />
        <BarButtons draft={draft} input={input} />
      </div>
      <FilterNotes id={`${id}-notes`} text={draft.text} fault={draft.fault} mirrorRef={mirror} />
      {open && (
        <SuggestionList
          id={listId}
          suggestions={completion.suggestions}
          activeIndex={activeIndex}
          left={left}
          onPick={pick}
        />
      )}
    </search>
  );
}

function BarButtons({
  draft,
  input,
}: {
  readonly draft: FilterDraft;
  readonly input: RefObject<HTMLInputElement | null>;
}): ReactNode {
  return (
    <>
      {draft.changed && draft.text.trim() !== "" && (
        <button className="filter-apply" type="button" onClick={() => draft.apply()}>
          Apply <span aria-hidden="true">↵</span>
        </button>
      )}
      {draft.text !== "" && (
        <button
          className="filter-clear"
          type="button"
          aria-label="Clear the filter"
          title="Clear the filter"
          onClick={() => {
            input.current?.focus();
            replaceText(input.current, 0, draft.text.length, "");
            draft.apply("");
          }}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" strokeWidth="1.5" />
          </svg>
        </button>
      )}
    </>
  );
}

/** Where what is typed begins, so that the list stands under it. */
function useCompletionLeft({ open, context }: Completion, mirror: RefObject<HTMLDivElement | null>): number {
  const [left, setLeft] = useState(0);
  useLayoutEffect(() => {
    if (open && mirror.current !== null) setLeft(placeInMirror(mirror.current, context.start));
  }, [open, context.start, mirror]);
  return left;
}

function onKey(
  event: KeyboardEvent<HTMLInputElement>,
  draft: FilterDraft,
  completion: Completion,
  pick: (suggestion: Suggestion) => void,
): void {
  if (event.nativeEvent.isComposing) return;
  const { open, suggestions, activeIndex, context } = completion;
  const active = activeIndex === undefined ? undefined : suggestions[activeIndex];
  switch (event.key) {
    case "ArrowDown":
    case "ArrowUp":
      event.preventDefault();
      if (open) completion.move(event.key === "ArrowDown" ? 1 : -1);
      else completion.setCaret(event.currentTarget.selectionStart ?? draft.text.length);
      return;
    case "Enter":
      event.preventDefault();
      if (open && active !== undefined) pick(active);
      else draft.apply();
      if (active === undefined) completion.setCaret(undefined);
      return;
    case "Tab": {
      // Without a choice the first is meant, where something of it is typed; else Tab leaves, as everywhere.
      const chosen = active ?? (context.typed === "" ? undefined : suggestions[0]);
      if (!open || event.shiftKey || chosen === undefined) return;
      event.preventDefault();
      pick(chosen);
      return;
    }
    case "Escape":
      if (open) completion.setCaret(undefined);
      else event.currentTarget.blur();
      event.stopPropagation();
      return;
    default:
  }
}

function accept(
  suggestion: Suggestion,
  draft: FilterDraft,
  completion: Completion,
  input: HTMLInputElement | null,
): void {
  if (suggestion.kind === "history") {
    replaceText(input, 0, draft.text.length, suggestion.insert);
    draft.apply(suggestion.insert);
    completion.setCaret(undefined);
    return;
  }
  const { context } = completion;
  const { text, caret, inserted } = applyCompletion(
    draft.text,
    context,
    suggestion.insert,
    suggestion.complete,
  );
  replaceText(input, context.start, context.end, inserted);
  input?.setSelectionRange(caret, caret);
  draft.type(text, false);
  completion.setCaret(suggestion.complete ? undefined : caret);
}

/**
 * As if it had been typed, so that undo takes it back. `execCommand` is the
 * only way to that, in every browser, for all that it is called deprecated.
 */
function replaceText(input: HTMLInputElement | null, start: number, end: number, text: string): void {
  if (input === null) return;
  input.focus();
  input.setSelectionRange(start, end);
  const command = text === "" ? "delete" : "insertText";
  if (start === end && text === "") return;
  if (!document.execCommand(command, false, text)) input.setRangeText(text, start, end, "end");
}
