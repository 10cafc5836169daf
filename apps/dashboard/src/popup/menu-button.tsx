/**
 * A button with a menu below it: one look and one behaviour for all of them.
 * The menu is drawn in the part of the page that the button is in, so that a
 * screen reader finds it in that landmark, and not beside all of them.
 */
import { Menu } from "@base-ui/react/menu";
import { type ReactNode, useRef } from "react";

/** What `MenuButton` needs. */
export interface MenuButtonProps {
  /** What the button shows. */
  readonly label: ReactNode;
  /** The button's name, where what it shows is none. */
  readonly name?: string;
  readonly className?: string;
  /** At which of the button's sides the menu begins. */
  readonly align: "start" | "end";
  readonly items: readonly (readonly [label: string, act: () => void])[];
}

/** The button. Escape and a click elsewhere close the menu, and the focus comes back to the button. */
export function MenuButton({ label, name, className = "", align, items }: MenuButtonProps): ReactNode {
  const place = useRef<HTMLSpanElement>(null);
  return (
    <Menu.Root>
      <Menu.Trigger className={`button ${className}`} aria-label={name} title={name}>
        {label}
      </Menu.Trigger>
      <span ref={place} className="menu-place" />
      <Menu.Portal container={place}>
        <Menu.Positioner
          className="layer"
          positionMethod="fixed"
          sideOffset={4}
          align={align}
          collisionPadding={8}
        >
          <Menu.Popup className="popup menu">
            {items.map(([text, act]) => (
              <Menu.Item key={text} className="menu-item" onClick={act}>
                {text}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
