/** For what is true for a moment at every start, and only worth a change of the page when it lasts. */
import { useEffect, useState } from "react";

/** An answer that is under way has begun to arrive by then. */
const lastingMs = 300;

/** Whether it has been true for a while; false at once. */
export function useLasting(isTrue: boolean): boolean {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!isTrue) return undefined;
    const timer = setTimeout(() => setLasts(true), lastingMs);
    return () => {
      clearTimeout(timer);
      setLasts(false);
    };
  }, [isTrue]);
  return isTrue && lasts;
}
