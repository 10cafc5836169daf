/** What a reader of an empty log sees: lines to paste that write its first entries. */
import { type ReactNode, useEffect, useState } from "react";
import { copyText } from "../details/clipboard.ts";
import { tokenStore } from "../token/token-store.ts";
import { curlSample, shipSample } from "./entry-samples.ts";
import { Icon } from "./icons.tsx";

/** How long "Copied" is shown. */
const copiedMs = 2_000;

/** The page of an empty log. */
export function FirstEntry(): ReactNode {
  const url = location.origin;
  const hasToken = tokenStore.current() !== undefined;
  return (
    <section className="first-entry" aria-label="The log is empty">
      <div>
        <h2>The log is empty</h2>
        <p className="muted">Paste one of these into a terminal: the entry appears here at once.</p>
      </div>
      <Sample title="One entry, with curl" text={curlSample(url, hasToken)} />
      <Sample title="What a program writes, line by line" text={shipSample(url)} />
    </section>
  );
}

function Sample({ title, text }: { readonly title: string; readonly text: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), copiedMs);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (): void => {
    // Where the browser does not allow it, the line can be selected.
    void copyText(text).then(setCopied);
  };
  return (
    <div>
      <h3>{title}</h3>
      <div className="sample">
        <pre>{text}</pre>
        <button type="button" className="button button-quiet" onClick={copy}>
          <Icon name="copy" />
          <span role="status">{copied ? "Copied" : "Copy"}</span>
        </button>
      </div>
    </div>
  );
}
