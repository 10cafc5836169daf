/** What is asked, in the page's header: the filter, and the range of time. */
import { type ReactNode, type RefObject, useRef } from "react";
import type { PageProps } from "../app.tsx";
import { FilterBar } from "../filter/filter-bar.tsx";
import { RangePicker } from "../range/range-picker.tsx";

/** What `Question` needs. */
export interface QuestionProps extends Pick<PageProps, "client" | "view" | "changeView"> {
  readonly filterRef: RefObject<HTMLInputElement | HTMLTextAreaElement | null>;
}

/** Changes of the filter that follow one another so soon are one. */
const filterStepMs = 5_000;

/** The filter bar and the range picker. */
export function Question({ client, view, changeView, filterRef }: QuestionProps): ReactNode {
  const { filter, range, timeZone } = view;
  const lastChange = useRef(Number.NEGATIVE_INFINITY);
  const onFilter = (next: string): void => {
    // A filter is applied while it is written: all of that is one step to come back from.
    const isSameStep = performance.now() - lastChange.current < filterStepMs;
    lastChange.current = performance.now();
    changeView({ filter: next, aroundId: undefined }, isSameStep ? "replace" : "push");
  };
  return (
    <>
      <FilterBar filter={filter} onFilter={onFilter} client={client} range={range} inputRef={filterRef} />
      <RangePicker
        range={range}
        timeZone={timeZone}
        onRange={(next) => changeView({ range: next, aroundId: undefined })}
      />
    </>
  );
}
