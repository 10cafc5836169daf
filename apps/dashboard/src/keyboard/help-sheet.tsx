/** The sheet that lists every shortcut, and the filter language in short. */
import { type ReactNode, useId } from "react";
import { ModalDialog } from "./modal-dialog.tsx";
import { keyName, type Shortcut, shortcutGroups, shortcuts } from "./shortcuts.ts";
import "./help-sheet.css";

/** What `HelpSheet` needs. */
export interface HelpSheetProps {
  readonly open: boolean;
  onClose(): void;
}

const filterForms: readonly (readonly [form: string, meaning: string])[] = [
  ['timeout "connection reset"', "words, phrases in the message"],
  ["time*", "words that begin so"],
  ["service:=api", "a field equal to"],
  ["level:>=warn", "this level and above"],
  ["status:>=500 duration:<1.5s", "numbers, durations, sizes"],
  ["status:in(500, 503)", "one of"],
  ['user:* user:""', "a field is there, is not"],
  ['path:~"^/api"', "regular expression"],
  ["a b · a OR b · -a · ( )", "both, either, not, grouped"],
];

/** The sheet. */
export function HelpSheet({ open, onClose }: HelpSheetProps): ReactNode {
  return (
    <ModalDialog open={open} onClose={onClose} title="Keyboard and filter" className="help-sheet">
      <div className="help-columns">
        {shortcutGroups.map((group) => (
          <ShortcutList key={group} group={group} />
        ))}
        <section className="help-filter" aria-label="Filter">
          <h3>Filter</h3>
          <dl>
            {filterForms.map(([form, meaning]) => (
              <div key={form}>
                <dt className="mono">{form}</dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </ModalDialog>
  );
}

function ShortcutList({ group }: { group: string }): ReactNode {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>{group}</h3>
      <dl>
        {shortcuts
          .filter((shortcut) => shortcut.group === group)
          .map((shortcut) => (
            <ShortcutRow key={shortcut.action} shortcut={shortcut} />
          ))}
      </dl>
    </section>
  );
}

function ShortcutRow({ shortcut }: { shortcut: Shortcut }): ReactNode {
  const { keys, description, when } = shortcut;
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{keyName(key)}</kbd>
        ))}
      </dt>
      <dd>
        {description}
        {when !== undefined && <span className="muted"> ({when})</span>}
      </dd>
    </div>
  );
}
