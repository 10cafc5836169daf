/**
 * Serves the test's page as a site of its own: another origin than the log
 * server's, as a user's dashboard is.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Bundles a page of `page/` and serves it until the test is over. Returns the port, on 127.0.0.1. */
export async function hostPage(t: TestContext, name = "tail-page"): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`page/${name}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    // Refuses whatever needs Node, so this proves that the client runs in browsers.
    platform: "browser",
    format: "esm",
    target: "es2022",
  });
  const script = outputFiles[0]?.contents ?? new Uint8Array();
  const host = createServer((request, response) => {
    const isScript = request.url === "/page.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    response.end(
      isScript ? script : '<!doctype html><title>tail</title><script type="module" src="/page.js"></script>',
    );
  });
  host.listen(0, "127.0.0.1");
  await once(host, "listening");
  t.after(() => {
    host.close();
    host.closeAllConnections();
  });
  const address = host.address();
  if (address === null || typeof address === "string") throw new Error("the page's host has no port");
  return address.port;
}
