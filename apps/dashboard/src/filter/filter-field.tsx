/**
 * A field to type a filter into, with its parts in colours: the input's own
 * text is transparent, and behind it lies the same text in pieces, which
 * follows its scrolling. So caret, selection, input methods and undo are the
 * browser's.
 */
import { type ComponentProps, type ReactNode, type RefObject, useLayoutEffect, useRef } from "react";
import { type FilterFault, highlightFilter } from "./filter-highlight.ts";

/** What the field shows. */
export interface FilterFieldProps extends Omit<ComponentProps<"input">, "ref"> {
  readonly text: string;
  readonly fault: FilterFault | undefined;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  readonly mirrorRef: RefObject<HTMLDivElement | null>;
}

/** The input and the layer behind it. */
export function FilterField({ text, fault, inputRef, mirrorRef, ...props }: FilterFieldProps): ReactNode {
  const follow = (): void => {
    const { current: input } = inputRef;
    if (mirrorRef.current !== null && input !== null)
      mirrorRef.current.style.transform = `translateX(${-input.scrollLeft}px)`;
  };
  const frame = useRef(0);
  useLayoutEffect(() => {
    follow();
    // The browser scrolls to the caret after this.
    frame.current = requestAnimationFrame(follow);
    return () => cancelAnimationFrame(frame.current);
  });
  return (
    <div className="filter-field">
      <div className="filter-mirror-window" aria-hidden="true">
        <div className="filter-mirror" ref={mirrorRef}>
          {highlightFilter(text, fault).map((piece) => (
            <span
              key={piece.start}
              data-start={piece.start}
              className={`token-${piece.kind}${piece.faulty ? " token-faulty" : ""}`}
            >
              {piece.text}
            </span>
          ))}
        </div>
      </div>
      <input
        {...props}
        className="filter-input"
        ref={inputRef}
        type="text"
        value={text}
        autoComplete="off"
        autoCorrect="off"
        autoCapitalize="off"
        spellCheck={false}
        onScroll={follow}
      />
    </div>
  );
}

/** How far from the left of the layer a place of the text is, in pixels, as it is scrolled. */
export function placeInMirror(mirror: HTMLElement, offset: number): number {
  let last: Element | undefined;
  for (const piece of mirror.children) {
    if (Number(piece.getAttribute("data-start")) > offset) break;
    last = piece;
  }
  const window = mirror.parentElement;
  if (last?.firstChild == null || window === null) return 0;
  const range = document.createRange();
  const within = offset - Number(last.getAttribute("data-start"));
  range.setStart(last.firstChild, Math.min(within, last.textContent.length));
  range.collapse(true);
  return range.getBoundingClientRect().left - window.getBoundingClientRect().left;
}
