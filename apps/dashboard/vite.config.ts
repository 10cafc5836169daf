/** How the page is built: files with hashed names that a browser may keep for ever, and nothing inline. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page also works below a prefix, behind a proxy.
  base: "./",
  plugins: [react()],
  build: {
    target: "es2023",
    // A strict content security policy allows no inline script or style, and no data: fonts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    reportCompressedSize: false,
  },
  // `pnpm --filter @logsvc/dashboard dev` takes its log from a server on the usual port.
  server: {
    proxy: {
      "/logsvc.LogService": "http://127.0.0.1:50051",
      "/query": "http://127.0.0.1:50051",
      "/tail": "http://127.0.0.1:50051",
    },
  },
});
