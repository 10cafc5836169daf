/** The page's own icons: lines on a grid of 16, in the colour of the text around them. */
import type { ReactNode } from "react";

const paths = {
  facets: "M2 3h12M4 8h8M6.5 13h3",
  settings: "M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7M9 2.5v4h4v-4zM3 9.5v4h4v-4z",
  help: "M5.5 6a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.1.9-1.1 1.7M8 12.8v.2M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  copy: "M5.5 5.5h8v8h-8zM2.5 10.5v-8h8",
  back: "M7 3L2 8l5 5M2 8h12",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof paths;

/** An icon. What it means must stand beside it, or in the button's label. */
export function Icon({ name }: { readonly name: IconName }): ReactNode {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path
        d={paths[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
