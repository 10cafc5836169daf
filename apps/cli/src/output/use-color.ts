/** Whether to use colours, as the flag, the variables and the terminal say. */

/** What `--color` takes. */
export const colorModes = ["auto", "always", "never"] as const;

/** One of the values of `--color`. */
export type ColorMode = (typeof colorModes)[number];

/**
 * Whether to use colours: the flag decides, then NO_COLOR (https://no-color.org),
 * then FORCE_COLOR, then whether the output is a terminal that has some.
 */
export function useColor(mode: ColorMode, isTerminal: boolean, environment: NodeJS.ProcessEnv): boolean {
  if (mode !== "auto") return mode === "always";
  const { NO_COLOR = "", FORCE_COLOR = "", TERM = "" } = environment;
  if (NO_COLOR !== "") return false;
  if (FORCE_COLOR !== "") return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTerminal && TERM !== "dumb";
}
