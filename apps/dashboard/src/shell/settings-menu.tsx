/** The reader's own choices: the time zone, broken lines, and the colours. */
import { Popover } from "@base-ui/react/popover";
import { type ReactNode, useId } from "react";
import { timeZoneName } from "../view/format-time.ts";
import type { Order, Theme } from "../view/preferences.ts";
import type { ChangeView, ViewState } from "../view/view-state.ts";
import { Icon } from "./icons.tsx";
import { changePreferences, usePreferences } from "./use-preferences.ts";
import "./settings-menu.css";

/** What `SettingsMenu` needs. */
export interface SettingsMenuProps {
  readonly view: ViewState;
  readonly changeView: ChangeView;
  /** Forgets the token. Absent: there is none. */
  readonly onForgetToken?: (() => void) | undefined;
}

const orders: readonly (readonly [order: Order, name: string])[] = [
  ["usual", "Live below, searches above"],
  ["newest", "Always above"],
  ["oldest", "Always below"],
];

const themes: readonly (readonly [theme: Theme, name: string])[] = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** The button, and what it opens. */
export function SettingsMenu({ view, changeView, onForgetToken }: SettingsMenuProps): ReactNode {
  return (
    <Popover.Root>
      <Popover.Trigger className="button button-quiet button-icon" aria-label="Settings" title="Settings">
        <Icon name="settings" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner className="layer" sideOffset={6} align="end" collisionPadding={8}>
          <Popover.Popup className="popup settings" aria-label="Settings">
            <TimeZoneChoice view={view} changeView={changeView} />
            <label className="settings-check">
              <input
                type="checkbox"
                checked={view.wrap}
                onChange={(event) => changeView({ wrap: event.target.checked })}
              />
              Break long lines
            </label>
            <OrderChoice />
            <ThemeChoice />
            {onForgetToken !== undefined && (
              <button type="button" className="button" onClick={onForgetToken}>
                Forget the token
              </button>
            )}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}

function TimeZoneChoice({ view, changeView }: Pick<SettingsMenuProps, "view" | "changeView">): ReactNode {
  const id = useId();
  const others = Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC");
  // A link may name one by another of its names.
  const isOther = view.timeZone === "local" || view.timeZone === "UTC" || others.includes(view.timeZone);
  return (
    <div className="settings-choice">
      <label htmlFor={id}>Time zone</label>
      <select
        id={id}
        className="field"
        value={view.timeZone}
        onChange={(event) => changeView({ timeZone: event.target.value })}
      >
        <option value="local">{timeZoneName("local")}</option>
        <option value="UTC">UTC</option>
        {!isOther && <option>{view.timeZone}</option>}
        <optgroup label="Others">
          {others.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </optgroup>
      </select>
    </div>
  );
}

function OrderChoice(): ReactNode {
  const id = useId();
  return (
    <div className="settings-choice">
      <label htmlFor={id}>Newest entries</label>
      <select
        id={id}
        className="field"
        value={usePreferences().order}
        onChange={({ target }) => {
          const chosen = orders.find(([order]) => order === target.value);
          if (chosen !== undefined) changePreferences({ order: chosen[0] });
        }}
      >
        {orders.map(([order, name]) => (
          <option key={order} value={order}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

function ThemeChoice(): ReactNode {
  const { theme } = usePreferences();
  const name = useId();
  return (
    <fieldset className="settings-themes">
      <legend>Colours</legend>
      {themes.map(([value, label]) => (
        <label key={value}>
          <input
            type="radio"
            className="visually-hidden"
            name={name}
            checked={theme === value}
            onChange={() => changePreferences({ theme: value })}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
