/** The fields of an entry, each with what can be done with it. */
import { type ReactNode, useMemo, useState } from "react";
import { toggleColumn } from "../columns/column-list.ts";
import { addCondition, hasCondition } from "../filter/filter-edit.ts";
import { AnsiText } from "../message/ansi-text.tsx";
import { formatJson } from "../message/json-tree.ts";
import { JsonView } from "../message/json-view.tsx";
import { clipText } from "../message/message-chunks.ts";
import { MenuButton } from "../popup/menu-button.tsx";
import type { ChangeView, ViewState } from "../view/view-state.ts";
import type { EntryField } from "./entry-fields.ts";
import type { Copy } from "./use-copy.ts";

/** Characters of a value that are shown at first. */
const valueShown = 4_000;

/** What the list and each of its fields need. */
export interface FieldListProps {
  readonly fields: readonly EntryField[];
  readonly view: ViewState;
  readonly changeView: ChangeView;
  readonly copy: Copy;
}

/** The list. */
export function FieldList({ fields, ...props }: FieldListProps): ReactNode {
  return (
    <dl className="field-list">
      {fields.map((field) => (
        <FieldRow key={field.name} field={field} {...props} />
      ))}
    </dl>
  );
}

interface FieldProps extends Omit<FieldListProps, "fields"> {
  readonly field: EntryField;
}

function FieldRow(props: FieldProps): ReactNode {
  const { name, value, json } = props.field;
  return (
    <div className="field-row">
      <dt className="mono">{name}</dt>
      <dd className="field-value">
        {json === undefined ? <PlainValue text={value} /> : <JsonView node={json} />}
      </dd>
      <dd className="field-actions">
        <FieldActions {...props} />
      </dd>
    </div>
  );
}

function PlainValue({ text }: { text: string }): ReactNode {
  const [whole, setWhole] = useState(false);
  const clipped = useMemo(() => clipText(text, whole ? Number.POSITIVE_INFINITY : valueShown), [text, whole]);
  if (text === "") return <span className="muted">empty</span>;
  return (
    <span className="mono field-text">
      <AnsiText text={clipped.text} />
      {clipped.left > 0 && (
        <button type="button" className="message-show" onClick={() => setWhole(true)}>
          Show the other {clipped.left.toLocaleString("en")} characters
        </button>
      )}
    </span>
  );
}

function FieldActions(props: FieldProps): ReactNode {
  const { name } = props.field;
  return (
    <>
      <ConditionButton {...props} mode="include" label={`Only entries with this ${name}`} sign="+" />
      <ConditionButton {...props} mode="exclude" label={`No entries with this ${name}`} sign="−" />
      <FieldMenu {...props} />
    </>
  );
}

interface ConditionButtonProps extends Omit<FieldProps, "copy"> {
  readonly mode: "include" | "exclude";
  readonly label: string;
  readonly sign: string;
}

function ConditionButton({ field, view, changeView, mode, label, sign }: ConditionButtonProps): ReactNode {
  const { name, value } = field;
  return (
    <button
      type="button"
      className="button button-quiet button-icon"
      aria-pressed={hasCondition(view.filter, name, value, mode)}
      aria-label={label}
      title={label}
      onClick={() =>
        changeView({ filter: addCondition(view.filter, name, value, mode), aroundId: undefined })
      }
    >
      {sign}
    </button>
  );
}

function FieldMenu({ field, view, changeView, copy }: FieldProps): ReactNode {
  const { name, value, json } = field;
  const required = hasCondition(view.filter, name, value, "exists");
  const what = `the value of ${name}`;
  const items: readonly (readonly [label: string, act: () => void])[] = [
    ["Copy the value", () => copy(value, what)],
    ...(json === undefined
      ? []
      : ([["Copy the value, indented", () => copy(formatJson(json), what)]] as const)),
    [
      required ? "Entries without it as well" : "Only entries that have it",
      () => changeView({ filter: addCondition(view.filter, name, value, "exists"), aroundId: undefined }),
    ],
    [
      view.columns.includes(name) ? "Remove the column" : "Add as a column",
      () => changeView({ columns: toggleColumn(view.columns, name) }),
    ],
  ];
  return (
    <MenuButton
      label="⋯"
      name={`More for ${name}`}
      className="button-quiet button-icon"
      align="end"
      items={items}
    />
  );
}
