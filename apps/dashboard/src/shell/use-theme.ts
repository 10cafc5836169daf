/** The colours that the reader chose, or the system's. */
import { useCallback, useState } from "react";
import { loadPreferences, savePreferences, type Theme } from "../view/preferences.ts";

/** Sets the colours that were chosen before, before anything is drawn. */
export function applyTheme(theme: Theme = loadPreferences().theme): void {
  const { dataset } = document.documentElement;
  if (theme === "system") delete dataset["theme"];
  else dataset["theme"] = theme;
}

/** The choice, and how to change it. */
export function useTheme(): readonly [theme: Theme, choose: (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => loadPreferences().theme);
  const choose = useCallback((next: Theme) => {
    savePreferences({ theme: next });
    applyTheme(next);
    setTheme(next);
  }, []);
  return [theme, choose];
}
