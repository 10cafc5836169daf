/** A few words at the bottom of the page, for a moment: that something was done which shows nowhere else. */
import { type ReactNode, useCallback, useEffect, useState } from "react";

/** Long enough to be read. */
const shownMs = 2_500;

interface Said {
  readonly text: string;
}

/** The place to say things in, and what says them. */
export function useToast(): readonly [toast: ReactNode, say: (text: string) => void] {
  const [said, setSaid] = useState<Said>();
  useEffect(() => {
    if (said === undefined) return undefined;
    const timer = setTimeout(() => setSaid(undefined), shownMs);
    return () => clearTimeout(timer);
  }, [said]);
  const say = useCallback((text: string) => setSaid({ text }), []);
  const toast = (
    <div className="toast-place" role="status">
      {said !== undefined && <div className="toast popup">{said.text}</div>}
    </div>
  );
  return [toast, say];
}
