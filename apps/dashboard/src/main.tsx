/** Starts the page. */
import "./shell/usable-language.ts";
import "./theme.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { applyTheme } from "./shell/use-preferences.ts";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no element #root");
applyTheme();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
