/**
 * Facets: the fields of the entries that match, and each field's most frequent
 * values. A value is chosen beside others of its field or left out; a facet
 * counts its values without its own choices, so that the others stay to choose.
 */
import type { LogClient } from "@logsvc/client-web";
import { type ReactNode, useState } from "react";
import { errorText } from "../request/request-error.ts";
import type { ViewRange } from "../view/view-state.ts";
import { facetFields } from "./facet-fields.ts";
import { FacetSection } from "./facet-section.tsx";
import "./facet-panel.css";
import { useValues } from "./use-values.ts";

/** What the panel shows, and whom it tells. */
export interface FacetPanelProps {
  readonly client: LogClient;
  readonly filter: string;
  readonly range: ViewRange;
  onFilter(filter: string): void;
  readonly columns: readonly string[];
  onColumns(columns: readonly string[]): void;
}

const fieldsMax = 200;
/** More are searched for. */
const fieldsShown = 30;

/** The panel. */
export function FacetPanel(props: FacetPanelProps): ReactNode {
  const { client, filter, range } = props;
  const [attempt, setAttempt] = useState(0);
  const [search, setSearch] = useState("");
  const [all, setAll] = useState(false);
  const names = useValues({ client, filter, range, prefix: "", limit: fieldsMax, attempt });
  const fields = facetFields(names.answer?.values ?? []);
  const found = fields.filter(({ name }) => name.toLowerCase().includes(search.trim().toLowerCase()));
  const shown = all ? found : found.slice(0, fieldsShown);
  const rest = found.length - shown.length;
  return (
    <section className="facets" aria-label="Fields">
      {fields.length > fieldsShown && (
        <input
          className="field facets-search"
          type="search"
          value={search}
          aria-label="Search the fields"
          placeholder="Search the fields"
          onChange={(event) => setSearch(event.target.value)}
        />
      )}
      {shown.map((field) => (
        <FacetSection key={field.name} {...props} field={field} />
      ))}
      {found.length === 0 && <p className="facet-note muted">No field is called so</p>}
      {rest > 0 && (
        <button className="button button-quiet" type="button" onClick={() => setAll(true)}>
          {rest} more fields
        </button>
      )}
      {names.answer === undefined && names.pending && <p className="facet-note muted">Listing the fields…</p>}
      {names.error !== undefined && (
        <p className="facet-note facet-error" role="status">
          {errorText(names.error)}{" "}
          <button className="button" type="button" onClick={() => setAttempt((before) => before + 1)}>
            Try again
          </button>
        </p>
      )}
    </section>
  );
}
