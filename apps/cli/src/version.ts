/** The version of the command, from its package. */
import { readFileSync } from "node:fs";

/** The version, such as `0.1.0`. */
export const version = readVersion();

function readVersion(): string {
  const packageText = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const contents: unknown = JSON.parse(packageText);
  if (typeof contents === "object" && contents !== null && "version" in contents)
    return String(contents.version);
  throw new Error("package.json has no version");
}
