/** The page, whole: what stands where, and what each part is told. */
import type { ReactNode } from "react";

/** The dashboard. */
export function App(): ReactNode {
  return <main>logsvc</main>;
}
