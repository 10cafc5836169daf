/** Copying, with a word on how it went: a copy that failed in silence is pasted as something else. */
import { useEffect, useState } from "react";
import { copyText } from "./clipboard.ts";

/** How the last copy went; another object each time. */
export interface CopyOutcome {
  readonly text: string;
  readonly failed: boolean;
}

/** How long a success is told. A failure stays until the next copy. */
const shownMs = 2_500;

/** Copies a text; `what` names it, as in "Copied the message". */
export type Copy = (text: string, what: string) => void;

/** The function that copies, and how its last call went. */
export function useCopy(): readonly [copy: Copy, outcome: CopyOutcome | undefined] {
  const [outcome, setOutcome] = useState<CopyOutcome>();
  useEffect(() => {
    if (outcome === undefined || outcome.failed) return undefined;
    const timer = setTimeout(() => setOutcome(undefined), shownMs);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy: Copy = (text, what) => {
    void copyText(text).then((copied) =>
      setOutcome(
        copied
          ? { text: `Copied ${what}.`, failed: false }
          : {
              text: `This browser did not let the page copy ${what}: select it and press Ctrl+C.`,
              failed: true,
            },
      ),
    );
  };
  return [copy, outcome];
}
