/** One field's facet: closed, it asks for nothing; open, it lists the field's most frequent values. */
import { type ReactNode, useId, useState } from "react";
import { addCondition, hasCondition, toggleChoice, withoutChoices } from "../filter/filter-edit.ts";
import { formatCount, formatExactCount } from "../histogram/format-count.ts";
import { toneOf } from "../histogram/level-stack.ts";
import { errorText } from "../request/request-error.ts";
import { type FacetField, type FacetValue, facetValues, restText, toggleColumn } from "./facet-fields.ts";
import type { FacetPanelProps } from "./facet-panel.tsx";
import { useValues } from "./use-values.ts";

/** What one facet shows. */
export interface FacetSectionProps extends FacetPanelProps {
  readonly field: FacetField;
}

/** Open from the beginning: what everybody looks at first. */
const openFields = new Set(["level", "service"]);

/** How many values are listed at first, and how many with "more". */
const fewValues = 10;
const manyValues = 100;
/** With more values than these, there is a search. */
const searchValuesMin = 8;

/** A facet: its head, and when open its values. */
export function FacetSection(props: FacetSectionProps): ReactNode {
  const { field, columns, onColumns } = props;
  const { name, count } = field;
  const [open, setOpen] = useState(openFields.has(name));
  const id = useId();
  const isColumn = columns.includes(name);
  return (
    <section className="facet">
      <h2 className="facet-head">
        <button
          className="facet-toggle"
          type="button"
          aria-expanded={open}
          aria-controls={open ? id : undefined}
          onClick={() => setOpen(!open)}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M6 4l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="1.5" />
          </svg>
          <span className="facet-name mono">{name}</span>
          {count !== undefined && (
            <span className="facet-count muted" title={`${formatExactCount(count)} entries have it`}>
              <span className="visually-hidden">in </span>
              {formatCount(count)}
              <span className="visually-hidden"> entries</span>
            </span>
          )}
        </button>
        <button
          className="facet-action"
          type="button"
          aria-pressed={isColumn}
          aria-label={`Column ${name}`}
          title={isColumn ? "Take the column away" : "Show as a column"}
          onClick={() => onColumns(toggleColumn(columns, name))}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10" fill="none" stroke="currentColor" />
          </svg>
        </button>
      </h2>
      {open && (
        <div id={id}>
          <FacetValues {...props} />
        </div>
      )}
    </section>
  );
}

function FacetValues({ client, filter, range, field, onFilter }: FacetSectionProps): ReactNode {
  const { name } = field;
  const [prefix, setPrefix] = useState("");
  const [many, setMany] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const counted = withoutChoices(filter, name);
  const limit = many ? manyValues : fewValues;
  const { answer, error, pending } = useValues({
    client,
    filter: counted,
    range,
    field: name,
    prefix,
    limit,
    attempt,
  });
  const lines = facetValues(name, answer?.values ?? [], filter);
  const rest = answer === undefined ? "" : restText(answer);
  const searchable = prefix !== "" || (answer !== undefined && answer.distinct > BigInt(searchValuesMin));
  return (
    <div className="facet-values" aria-busy={pending && answer === undefined}>
      {searchable && (
        <input
          className="field facet-search"
          type="search"
          value={prefix}
          aria-label={`Search values of ${name}`}
          placeholder="Begins with…"
          onChange={(event) => setPrefix(event.target.value)}
        />
      )}
      <ul>
        {lines.map((line) => (
          <FacetLine key={line.value} field={name} line={line} filter={filter} onFilter={onFilter} />
        ))}
      </ul>
      {error !== undefined && (
        <p className="facet-note facet-error" role="status">
          {errorText(error)}{" "}
          <button className="button" type="button" onClick={() => setAttempt((before) => before + 1)}>
            Try again
          </button>
        </p>
      )}
      {answer === undefined && pending && <p className="facet-note muted">Listing…</p>}
      {answer?.values.length === 0 && !pending && (
        <p className="facet-note muted">{prefix === "" ? "No entry here has it" : "None begins so"}</p>
      )}
      {rest !== "" && !many && (
        <button className="facet-more" type="button" onClick={() => setMany(true)}>
          {rest}
        </button>
      )}
      {rest !== "" && many && <p className="facet-note muted">{rest}: search for them</p>}
    </div>
  );
}

function FacetLine({
  field,
  line,
  filter,
  onFilter,
}: {
  readonly field: string;
  readonly line: FacetValue;
  readonly filter: string;
  onFilter(filter: string): void;
}): ReactNode {
  const { value, count, share, standing } = line;
  const shown = value === "" ? "(empty)" : value;
  const exact = count === undefined ? "few" : formatExactCount(count);
  const excluded = hasCondition(filter, field, value, "exclude");
  return (
    <li className="facet-line" data-standing={standing}>
      <button
        className="facet-value"
        type="button"
        aria-pressed={standing === "chosen"}
        title={`${shown}: ${exact}`}
        onClick={() => onFilter(toggleChoice(filter, field, value))}
      >
        <span className="facet-bar" style={{ width: `${share * 100}%` }} aria-hidden="true" />
        {field === "level" && (
          <span className={`level-swatch level-swatch-${toneOf(value)}`} aria-hidden="true" />
        )}
        <span className="facet-text">{shown}</span>
        <span className="facet-count">
          {count === undefined ? "" : formatCount(count)}
          <span className="visually-hidden">{count === undefined ? "few entries" : " entries"}</span>
        </span>
      </button>
      <button
        className="facet-action"
        type="button"
        aria-pressed={excluded}
        aria-label={`Leave out ${shown}`}
        title={excluded ? "No longer leave it out" : "Leave it out"}
        onClick={() => onFilter(addCondition(filter, field, value, "exclude"))}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M3 8h10" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </button>
    </li>
  );
}
