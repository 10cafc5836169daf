/** A button with a popover below it: one look and one behaviour for all of them. */
import { Popover } from "@base-ui/react/popover";
import type { ReactNode } from "react";

/** What `PopoverButton` needs. */
export interface PopoverButtonProps {
  /** What the button shows. */
  readonly label: ReactNode;
  /** The popover's name, for those who don't see it. */
  readonly title: string;
  readonly className?: string;
  readonly disabled?: boolean;
  readonly children: ReactNode;
  onOpen?(open: boolean): void;
}

/** The button. Escape and a click elsewhere close the popover, and the focus comes back to the button. */
export function PopoverButton(props: PopoverButtonProps): ReactNode {
  const { label, title, className = "", disabled = false, children, onOpen } = props;
  return (
    <Popover.Root onOpenChange={(open) => onOpen?.(open)}>
      <Popover.Trigger className={`button ${className}`} disabled={disabled}>
        {label}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner className="layer" sideOffset={4} align="end" collisionPadding={8}>
          <Popover.Popup className="popup" aria-label={title}>
            {children}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
