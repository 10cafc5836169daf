/**
 * The rules of this codebase that no linter knows, as tests: who may import
 * whom, what a library must not do, and what a file owes its reader.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";

const root = import.meta.dirname;

/** A source file: its path from the root, its text, and what it imports. */
interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

/** Tracked and new files, as git sees them, so that what is ignored is not looked at. */
const paths = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));

const importPattern = /(?:^|\n)\s*(?:import|export)\s(?:[^"';]*?\sfrom\s)?"([^"]+)"|\bimport\("([^"]+)"\)/g;

const files: readonly SourceFile[] = paths
  .filter((path) => /\.(tsx?|js)$/.test(path) && !path.includes("/gen/"))
  .map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const imports = [...text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? "");
    return { path, text, imports };
  });

const isTest = (path: string): boolean =>
  /\.test\.tsx?$/.test(path) ||
  path.startsWith("e2e/") ||
  path.startsWith("bench/") ||
  path.includes("/testing/") ||
  path.includes("/contract/");
const sources = files.filter((file) => !isTest(file.path));

/** Who may import whom, among our own packages. Tests may also import what their package's devDependencies say. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  "packages/proto": [],
  "packages/filter": ["@logsvc/proto"],
  "packages/engine": ["@logsvc/proto", "@logsvc/filter"],
  "packages/client": ["@logsvc/proto"],
  "packages/client-web": ["@logsvc/client", "@logsvc/proto"],
  "packages/client-node": ["@logsvc/client", "@logsvc/proto"],
  "apps/server": ["@logsvc/proto", "@logsvc/filter", "@logsvc/engine"],
  "apps/dashboard": ["@logsvc/proto", "@logsvc/filter", "@logsvc/client-web"],
  // Of the dashboard only the folder it was built into.
  "apps/cli": [
    "@logsvc/proto",
    "@logsvc/filter",
    "@logsvc/engine",
    "@logsvc/server",
    "@logsvc/client-node",
    "@logsvc/dashboard",
  ],
};

/** Packages that run in any JavaScript runtime. */
const neutral = [
  "packages/proto",
  "packages/filter",
  "packages/client",
  "packages/client-web",
  "apps/dashboard/src",
];

/** Packages that are shipped as a bundle: what goes into it need not be installed with them. */
const bundled = ["apps/dashboard"];

const packageOf = (path: string): string => path.split("/").slice(0, 2).join("/");
const inPackages = (file: SourceFile): boolean => file.path.startsWith("packages/");
const inWorkspace = (file: SourceFile): boolean => /^(packages|apps)\//.test(file.path);

/** The package's name in an import: "@scope/name/deep" is "@scope/name". */
function importedPackage(specifier: string): string {
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

function assertNone(offenders: readonly string[], rule: string): void {
  assert.deepEqual(offenders, [], rule);
}

test("packages import only the packages below them", () => {
  const offenders = sources.filter(inWorkspace).flatMap((file) =>
    file.imports
      .map(importedPackage)
      .filter((name) => name.startsWith("@logsvc/") || name === "logsvc")
      .filter((name) => !mayImport[packageOf(file.path)]?.includes(name))
      .map((name) => `${file.path}: ${name}`),
  );
  assertNone(offenders, "see the table of imports in ARCHITECTURE.md");
});

test("every import is declared by its package", () => {
  const offenders = files
    .filter((file) => /^(packages\/|apps\/|e2e\/|bench\/)/.test(file.path))
    .flatMap((file) => {
      const owner = /^(e2e|bench)\//.test(file.path) ? (file.path.split("/")[0] ?? "") : packageOf(file.path);
      const manifest = readManifest(`${owner}/package.json`);
      const declared =
        isTest(file.path) || bundled.includes(owner)
          ? { ...manifest.dependencies, ...manifest.devDependencies }
          : { ...manifest.dependencies, ...manifest.peerDependencies };
      return file.imports
        .filter((specifier) => !specifier.startsWith(".") && !specifier.startsWith("node:"))
        .map(importedPackage)
        .filter((name) => !Object.hasOwn(declared, name) && name !== manifest.name)
        .map((name) => `${file.path}: ${name}`);
    });
  assertNone(offenders, "declare it in the package's package.json");
});

test("relative imports stay inside their package", () => {
  const offenders = sources.filter(inWorkspace).flatMap((file) =>
    file.imports
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => normalize(join(dirname(file.path), specifier)))
      .filter((target) => packageOf(target) !== packageOf(file.path))
      .map((target) => `${file.path}: ${target}`),
  );
  assertNone(offenders, "import another package by its name");
});

test("packages for any runtime import nothing of Node", () => {
  const builtin = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);
  const offenders = sources
    .filter((file) => neutral.some((folder) => file.path.startsWith(`${folder}/`)))
    .flatMap((file) =>
      file.imports.filter((name) => builtin.has(name)).map((name) => `${file.path}: ${name}`),
    );
  assertNone(offenders, "proto, filter, client, client-web and the dashboard's page run in browsers");
});

test("in the server only wire/, the service and what mounts it know Connect", () => {
  const allowed = [
    "apps/server/src/wire/",
    "apps/server/src/log-service.ts",
    "apps/server/src/build-server.ts",
  ];
  const offenders = sources
    .filter((file) => file.path.startsWith("apps/server/"))
    .filter((file) => file.imports.some((name) => name.startsWith("@connectrpc/")))
    .map((file) => file.path)
    .filter((path) => !allowed.some((prefix) => path.startsWith(prefix)));
  assertNone(offenders, "ingest, tail and query must not know the protocol");
});

test("libraries neither log, nor read the environment, nor install signal handlers", () => {
  const forbidden = /\bconsole\.|\bprocess\.(env|on|once|exit|stdout|stderr)\b/;
  const offenders = sources
    .filter(inPackages)
    .filter((file) => forbidden.test(file.text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")))
    .map((file) => file.path);
  assertNone(offenders, "publish on node:diagnostics_channel, or let an app do it");
});

test("every file says at its head why it is there", () => {
  const offenders = sources
    .filter(inWorkspace)
    .filter((file) => !file.path.endsWith("/index.ts"))
    .filter((file) => !/^(#!.*\n)?(\/\*\*|\/\/)/.test(file.text))
    .map((file) => file.path);
  assertNone(offenders, "begin the file with a short comment");
});

test("every source file is imported by another, or is an entry point", () => {
  const entryPoints = new Set(
    paths
      .filter((path) => path.endsWith("package.json"))
      .flatMap((path) => {
        const { exports = {}, bin = {} } = readManifest(path);
        return [...Object.values(exports), ...Object.values(bin)].map((target) =>
          normalize(join(dirname(path), target)),
        );
      }),
  );
  const imported = new Set(
    files.flatMap((file) =>
      [...file.imports, ...workersOf(file), ...programsOf(file)]
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => normalize(join(dirname(file.path), specifier))),
    ),
  );
  const offenders = sources
    .filter(inWorkspace)
    .map((file) => file.path)
    .filter((path) => !entryPoints.has(path) && !imported.has(path) && !isPageEntry(path));
  assertNone(offenders, "delete what is not used");
});

test("no plans are left in the code, and no entry point exports everything", () => {
  const offenders = files
    .filter((file) => file.path !== "tidy.test.ts")
    .filter((file) => /\b(TODO|FIXME|XXX)\b|^export \* from/m.test(file.text))
    .map((file) => file.path);
  assertNone(offenders, "do it now, or leave it out; name what is exported");
});

test("every link in the docs leads to a file", () => {
  const offenders = paths
    .filter((path) => path.endsWith(".md"))
    .flatMap((path) =>
      [...readFileSync(join(root, path), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
        .map((match) => normalize(join(dirname(path), match[1] ?? "")))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path}: ${target}`),
    );
  assertNone(offenders, "mend the link");
});

test("every library is listed in CONTRIBUTING with its reason", () => {
  const contributing = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
  const offenders = paths
    .filter((path) => path.endsWith("package.json"))
    .flatMap((path) => {
      const manifest = readManifest(path);
      return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    })
    .filter((name) => !name.startsWith("@logsvc/") && !contributing.includes(`\`${name}\``));
  assertNone([...new Set(offenders)], "say what it is for, and why not less");
});

/** Workers are named where they are started, not imported. */
function workersOf(file: SourceFile): string[] {
  return [...file.text.matchAll(/startWorker\("([^"]+)"/g)].map((match) => `./${match[1]}.ts`);
}

/** So are programs that another one runs. */
function programsOf(file: SourceFile): string[] {
  return [...file.text.matchAll(/\bprogramPath\("([^"]+)"/g)].map((match) => `./${match[1]}.ts`);
}

/** What Vite starts from: its own configuration, and the script that the page names. */
function isPageEntry(path: string): boolean {
  return path === "apps/dashboard/vite.config.ts" || path === "apps/dashboard/src/main.tsx";
}

/** The parts of a package.json that the rules look at. */
interface Manifest {
  readonly name?: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
