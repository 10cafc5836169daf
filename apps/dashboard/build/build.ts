/**
 * Builds the page: `node build.ts [FOLDER]`, by default into dist. Beside every
 * file that packing makes smaller it lays FILE.br and FILE.gz, packed as small
 * as can be, since it is done once and sent often.
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv } from "node:process";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { build } from "vite";

/** Below a packet's size nothing is gained. */
const packedBytesMin = 1_200;

const folder = argv[2] ?? join(import.meta.dirname, "../dist");
await build({
  configFile: join(import.meta.dirname, "../vite.config.ts"),
  logLevel: "warn",
  build: { outDir: folder, emptyOutDir: true },
});
const files = await readdir(folder, { recursive: true, withFileTypes: true });
await Promise.all(
  files.filter((file) => file.isFile()).map((file) => pack(join(file.parentPath, file.name))),
);

async function pack(path: string): Promise<void> {
  if (!/\.(js|css|html|svg|json)$/.test(path)) return;
  const contents = await readFile(path);
  if (contents.length < packedBytesMin) return;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: contents.length,
  };
  await Promise.all([
    promisify(brotliCompress)(contents, { params }).then((packed) => writeFile(`${path}.br`, packed)),
    promisify(gzip)(contents, { level: 9 }).then((packed) => writeFile(`${path}.gz`, packed)),
  ]);
}
