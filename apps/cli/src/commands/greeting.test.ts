import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { commandNameOf, formatGreeting } from "./greeting.ts";
import { openSelfSigned } from "./self-signed.ts";

test("the first line is for programs", () => {
  const [first] = formatGreeting({
    version: "1.2.3",
    url: "http://127.0.0.1:50051",
    commandName: "logsvc",
    hasDashboard: true,
  }).split("\n");
  assert.equal(first, "logsvc 1.2.3 is listening on http://127.0.0.1:50051");
});

test("the dashboard's address is told where there is one", () => {
  const greet = (hasDashboard: boolean): string =>
    formatGreeting({ version: "1", url: "http://127.0.0.1:8080", commandName: "logsvc", hasDashboard });
  assert.match(greet(true), /^# watch it in a browser\nhttp:\/\/127\.0\.0\.1:8080\/\n# write an entry\n/m);
  assert.doesNotMatch(greet(false), /browser/);
});

test("the lines to paste name the address only where it is not the default", () => {
  const greet = (url: string): string =>
    formatGreeting({ version: "1", url, commandName: "pnpm logsvc", hasDashboard: false });
  assert.match(greet("http://127.0.0.1:50051"), /^pnpm logsvc tail --last 10\n/m);
  assert.match(
    greet("http://127.0.0.1:8080"),
    /^pnpm logsvc tail --last 10 --url http:\/\/127\.0\.0\.1:8080\n/m,
  );
});

test("the command's name is how it was started", () => {
  assert.equal(commandNameOf("/home/me/logsvc/apps/cli/src/main.ts", {}), "pnpm logsvc");
  assert.equal(
    commandNameOf("/home/me/logsvc/apps/cli/src/main.ts", {
      PATH: "/home/me/.npm/_npx/3e2d/node_modules/.bin:/bin",
    }),
    "npx -y -p node@24 -p pnpm@12 pnpm logsvc",
  );
  assert.equal(commandNameOf("/usr/lib/node_modules/logsvc/dist/main.js", {}), "logsvc");
  assert.equal(commandNameOf("/x/node_modules/logsvc/dist/main.js", { npm_command: "exec" }), "npx logsvc");
});

test("a certificate of our own stays the same, names the host, and its key is private", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "logsvc-tls-"));
  t.after(() => rm(folder, { recursive: true }));
  const first = await openSelfSigned(folder, "127.0.0.1");
  const again = await openSelfSigned(folder, "127.0.0.1");
  assert.equal(again.fingerprint, first.fingerprint);
  const certificate = new X509Certificate(first.cert);
  assert.ok(certificate.checkIP("127.0.0.1") && certificate.checkHost("localhost"));
  assert.equal((await stat(join(folder, "tls-self-signed", "key.pem"))).mode & 0o777, 0o600);
  const other = await openSelfSigned(folder, "logs.internal");
  assert.notEqual(other.fingerprint, first.fingerprint);
  assert.ok(new X509Certificate(other.cert).checkHost("logs.internal"));
});
