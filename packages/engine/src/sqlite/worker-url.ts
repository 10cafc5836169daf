/**
 * Finds a worker's file beside this one: TypeScript when the package runs from
 * its sources, JavaScript when it was built. The compiler rewrites the names in
 * imports, but not this one.
 */

/** The file of the worker `name`. */
export function workerUrl(name: "writer" | "scanner"): URL {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.${extension}`, import.meta.url);
}
