/** Colours on a terminal, by name and by level. */
import { styleText } from "node:util";
import { severityOf } from "@logsvc/proto";

/** Gives text a colour. */
export type Paint = (text: string) => string;

/** What `styleText` knows: a colour, or several styles together. */
export type Style = Parameters<typeof styleText>[0];

/** How bad a level is; `low` is below info. */
export type LevelBand = "fatal" | "error" | "warn" | "info" | "low" | "unknown";

/** A style for each band that has one. */
export type LevelStyles = Readonly<Partial<Record<LevelBand, Style>>>;

const noPaint: Paint = (text) => text;

/** A style's paint. Its codes are found once: asking for them with each entry is most of the cost. */
export function createPaint(style: Style, color: boolean): Paint {
  if (!color) return noPaint;
  const [open = "", close = ""] = styleText(style, "\0", { validateStream: false }).split("\0");
  return (text) => `${open}${text}${close}`;
}

/** Creates a choice of paint by a level's text. What has no style stays as it is. */
export function createLevelPaints(styles: LevelStyles, color: boolean): (level: string) => Paint {
  const paints = new Map(Object.entries(styles).map(([band, style]) => [band, createPaint(style, color)]));
  return (level) => paints.get(bandOf(level)) ?? noPaint;
}

function bandOf(level: string): LevelBand {
  const severity = severityOf(level);
  if (severity >= 21) return "fatal";
  if (severity >= 17) return "error";
  if (severity >= 13) return "warn";
  if (severity >= 9) return "info";
  return severity > 0 ? "low" : "unknown";
}
