/**
 * Gives the page a language that `Intl` understands. Chromium takes its own from
 * the system, and where that is "C" or "POSIX", as on many servers and in
 * containers, it is "en-US@posix": not a language tag. uPlot makes a number
 * format of it when it is loaded, which throws, and nothing would be shown.
 * Import this before everything else.
 */

function isUsable(language: string): boolean {
  try {
    return Intl.getCanonicalLocales(language).length > 0;
  } catch {
    return false;
  }
}

if (!isUsable(navigator.language)) {
  Object.defineProperty(navigator, "language", { configurable: true, value: "en-US" });
}
