/**
 * A modal dialog: the browser's own, which keeps the focus inside, makes the
 * page behind it inert, closes with Escape and gives the focus back.
 */
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import "./modal-dialog.css";

/** What `ModalDialog` needs. */
export interface ModalDialogProps {
  readonly open: boolean;
  readonly title: string;
  readonly className?: string;
  readonly children: ReactNode;
  /** The reader closed it. Left out: it can't be closed but by what is in it. */
  readonly onClose?: (() => void) | undefined;
}

/** A dialog in the middle of the page, on top of everything. */
export function ModalDialog({ open, ...props }: ModalDialogProps): ReactNode {
  return open ? <OpenDialog {...props} /> : null;
}

function OpenDialog({ title, className = "", children, onClose }: Omit<ModalDialogProps, "open">): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // A layout effect is undone before the dialog is taken out of the page: closing
  // it while it is there gives the focus back to where it was.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    // The browser's Escape does for keys what the click on the backdrop does.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above.
    <dialog
      ref={ref}
      className={`modal popup ${className}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClick={(event) => {
        // The dialog itself is clicked only where its content is not: on the backdrop.
        if (event.target === ref.current) onClose?.();
      }}
    >
      <div className="modal-content">
        <header className="modal-header">
          <h2 id={titleId}>{title}</h2>
          {onClose !== undefined && (
            <button
              type="button"
              className="button button-quiet button-icon"
              aria-label="Close"
              onClick={onClose}
            >
              ✕
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}
