/**
 * How a span of ANSI text looks: class names for what the theme decides, and
 * colours for what the message decides. Kept from the parser, which knows
 * nothing of CSS.
 */
import type { AnsiColor, AnsiStyle } from "./ansi.ts";

/** Class names, and colours as CSS knows them. */
export interface AnsiLook {
  readonly className: string;
  /** For the custom property `--ansi-color`, whose lightness the style sheet moves into the theme's range. */
  readonly themedColor?: string;
  /** For `color`, as it is: beside a background. */
  readonly color?: string;
  /** For `background-color`, as it is. */
  readonly backgroundColor?: string;
}

type Rgb = readonly [red: number, green: number, blue: number];

/** xterm's sixteen colours: what a message means that sets its own background. */
const namedColors: readonly Rgb[] = [
  [0, 0, 0],
  [205, 0, 0],
  [0, 205, 0],
  [205, 205, 0],
  [0, 0, 238],
  [205, 0, 205],
  [0, 205, 205],
  [229, 229, 229],
  [127, 127, 127],
  [255, 0, 0],
  [0, 255, 0],
  [255, 255, 0],
  [92, 92, 255],
  [255, 0, 255],
  [0, 255, 255],
  [255, 255, 255],
];

const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];

/** WCAG's AA for text of this size. */
const contrastMin = 4.5;

/** The look of a style. */
export function ansiLook(style: AnsiStyle): AnsiLook {
  const classes = (["bold", "dim", "italic", "underline", "strike"] as const)
    .filter((flag) => style[flag] === true)
    .map((flag) => `ansi-${flag}`);
  const { foreground, background } = style.inverse ? swapped(style) : style;
  if (background !== undefined) return onBackground(classes, foreground, rgbOf(background));
  if (style.inverse) classes.push("ansi-inverse");
  if (foreground === undefined) return { className: classes.join(" ") };
  if (typeof foreground === "number") return { className: [...classes, `ansi-fg-${foreground}`].join(" ") };
  return { className: [...classes, "ansi-themed"].join(" "), themedColor: css(foreground) };
}

/** Without colours of its own an inverse text swaps the theme's, which a class does. */
function swapped(style: AnsiStyle): Pick<AnsiStyle, "foreground" | "background"> {
  return { foreground: style.background, background: style.foreground };
}

function onBackground(
  classes: readonly string[],
  foreground: AnsiColor | undefined,
  background: Rgb,
): AnsiLook {
  const wanted = foreground === undefined ? undefined : rgbOf(foreground);
  const readable = wanted !== undefined && contrast(wanted, background) >= contrastMin;
  const best = contrast(black, background) >= contrast(white, background) ? black : white;
  return {
    className: [...classes, "ansi-on-background"].join(" "),
    color: css(readable ? wanted : best),
    backgroundColor: css(background),
  };
}

function rgbOf(color: AnsiColor): Rgb {
  return typeof color === "number" ? (namedColors[color] ?? black) : color;
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}

/** WCAG's contrast of two colours, from 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(a: Rgb, b: Rgb): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(color: Rgb): number {
  const [red = 0, green = 0, blue = 0] = color.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
