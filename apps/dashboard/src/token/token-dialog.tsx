/** Asks for the token that the server wants. */
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { ModalDialog } from "../keyboard/modal-dialog.tsx";
import { tokenFault, tokenFrom, tokenStore } from "./token-store.ts";
import "./token-dialog.css";

/** What `TokenDialog` needs. */
export interface TokenDialogProps {
  readonly open: boolean;
  /** No token was sent, or the one that was sent is wrong, expired, or may not read. */
  readonly reason: "missing" | "refused";
  /** Called when the token is kept, in `tokenStore`. */
  onToken(token: string): void;
}

/** The dialog. It can't be closed: without a token there is nothing to show behind it. */
export function TokenDialog({ open, reason, onToken }: TokenDialogProps): ReactNode {
  return (
    <ModalDialog open={open} title="This log wants a token" className="token-dialog">
      <TokenForm reason={reason} onToken={onToken} />
    </ModalDialog>
  );
}

function TokenForm({ reason, onToken }: Pick<TokenDialogProps, "reason" | "onToken">): ReactNode {
  const [text, setText] = useState("");
  const [remember, setRemember] = useState(false);
  const [fault, setFault] = useState<string>();
  const id = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const problem = tokenFault(text);
    setFault(problem);
    if (problem !== undefined) return;
    const token = tokenFrom(text);
    tokenStore.set(token, remember);
    onToken(token);
  };
  return (
    <form className="token-form" onSubmit={submit} noValidate>
      <p id={`${id}-why`} className={reason === "refused" ? "token-refused" : "muted"} role="status">
        {reason === "refused"
          ? "The server refused the token: it is wrong, expired, or may not read this log."
          : "Ask whoever runs the server for one that may read."}
      </p>
      <label htmlFor={id}>Token</label>
      <input
        id={id}
        className="field mono"
        type="password"
        autoComplete="off"
        spellCheck={false}
        // biome-ignore lint/a11y/noAutofocus: the dialog is there for this field alone.
        autoFocus
        value={text}
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-why ${id}-fault`}
        onChange={(event) => {
          setText(event.target.value);
          setFault(undefined);
        }}
      />
      <p id={`${id}-fault`} className="token-refused" role="alert">
        {fault}
      </p>
      <label className="token-remember">
        <input type="checkbox" checked={remember} onChange={(event) => setRemember(event.target.checked)} />
        Remember it in this browser
      </label>
      <p className="muted">
        {remember
          ? "Kept until you forget it, readable by everyone who uses this browser profile."
          : "Kept until this tab is closed."}
      </p>
      <button type="submit" className="button button-primary">
        Show the log
      </button>
    </form>
  );
}
