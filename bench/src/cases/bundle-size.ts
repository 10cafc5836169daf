/** What a page loads for the browser client, bundled and minified by esbuild. */
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { BenchCase, Contestant } from "../bench-case.ts";

export const bundleSize: BenchCase = {
  name: "bundle-size",
  title:
    "What a page loads for the browser client: bundled and minified by esbuild, with protobuf and Connect in it, " +
    "and without React. `gzip -9` and brotli at its best, as assets are served.",
  columns: ["minified, kB", "gzip, kB", "brotli, kB"],
  rounds: 1,
  warmUp: false,
  open: async () => [
    contestant("`createWebClient`", 'export { createWebClient } from "@logsvc/client-web";'),
    contestant(
      "`createWebClient` and `useTail`",
      `export { createWebClient } from "@logsvc/client-web";
       export { useTail } from "@logsvc/client-web/react";`,
    ),
    contestant(
      "everything",
      `export * as client from "@logsvc/client-web";
       export * as hooks from "@logsvc/client-web/react";`,
    ),
  ],
};

function contestant(name: string, contents: string): Contestant {
  return {
    name,
    run: async () => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: import.meta.dirname },
        ...{ bundle: true, minify: true, write: false, platform: "browser", format: "esm", target: "es2022" },
        external: ["react"],
      });
      const bytes = outputFiles[0]?.contents ?? new Uint8Array();
      const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
      return {
        "minified, kB": bytes.length / 1000,
        "gzip, kB": gzipSync(bytes, { level: 9 }).length / 1000,
        "brotli, kB": brotliCompressSync(bytes, { params }).length / 1000,
      };
    },
  };
}
