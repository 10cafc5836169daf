/** The list of suggestions below the filter bar: options of its combobox. */
import { type ReactNode, useEffect, useRef } from "react";
import type { Suggestion } from "./suggestions.ts";

/** What the list shows. */
export interface SuggestionListProps {
  readonly id: string;
  readonly suggestions: readonly Suggestion[];
  readonly activeIndex: number | undefined;
  /** Where what is typed begins, in pixels from the bar's left. */
  readonly left: number;
  onPick(suggestion: Suggestion): void;
}

/** The id of one option, for aria-activedescendant. */
export function optionId(listId: string, index: number): string {
  return `${listId}-${index}`;
}

/** The options. A press does not take the focus from what is typed into. */
export function SuggestionList({
  id,
  suggestions,
  activeIndex,
  left,
  onPick,
}: SuggestionListProps): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (activeIndex !== undefined) list.current?.children[activeIndex]?.scrollIntoView({ block: "nearest" });
  }, [activeIndex]);
  return (
    <div
      className="suggestions popup"
      id={id}
      ref={list}
      role="listbox"
      aria-label="Suggestions"
      onMouseDown={(event) => event.preventDefault()}
      style={{ left: `min(${Math.max(0, Math.round(left))}px, 40%)` }}
    >
      {suggestions.map((suggestion, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox has the keyboard
        // biome-ignore lint/a11y/useFocusableInteractive: the combobox has the focus, and says which option is active
        <div
          key={`${suggestion.kind} ${suggestion.insert}`}
          className={`suggestion suggestion-${suggestion.kind}`}
          id={optionId(id, index)}
          role="option"
          aria-selected={index === activeIndex}
          onClick={() => onPick(suggestion)}
        >
          <span className="suggestion-label mono">{suggestion.label}</span>
          <span className="suggestion-detail muted">{suggestion.detail}</span>
        </div>
      ))}
    </div>
  );
}
