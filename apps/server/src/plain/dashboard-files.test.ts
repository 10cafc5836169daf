/** The dashboard's files over real HTTP: who gets which page, what is kept, what is packed, what stays inside. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { buildServer } from "../build-server.ts";
import { startServer, type TestServer } from "../testing/start-server.ts";

const page = '<!doctype html><script type="module" src="./assets/index-AbCd1234.js"></script>';
const script = "globalThis.started = true;".repeat(100);
const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async function buildFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "logsvc-dashboard-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "dist/assets"), { recursive: true });
  await writeFile(join(folder, "secret.txt"), "secret");
  await writeFile(join(folder, "dist/.source-hash"), "secret");
  await writeFile(join(folder, "dist/assets/.hidden"), "secret");
  for (const [name, contents] of [
    ["index.html", page],
    ["assets/index-AbCd1234.js", script],
  ] as const) {
    await writeFile(join(folder, "dist", name), contents);
    await writeFile(join(folder, "dist", `${name}.br`), brotliCompressSync(contents));
    await writeFile(join(folder, "dist", `${name}.gz`), gzipSync(contents));
  }
  return join(folder, "dist");
}

async function startWithDashboard(t: TestContext): Promise<TestServer> {
  return startServer(t, { dashboard: await buildFolder(t) });
}

const get = (server: TestServer, path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(server.url + path, { method, headers });

/** A request line as it is: fetch mends paths. */
async function rawGet(server: TestServer, path: string): Promise<string> {
  const socket = net.connect(server.port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  return text(socket);
}

test("a browser gets the page with a strict policy, asked for anew each time", async (t) => {
  const server = await startWithDashboard(t);
  const response = await get(server, "/", { accept: browserAccept });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), page);
  assert.match(response.headers.get("content-type") ?? "", /^text\/html; charset=utf-8$/i);
  assert.equal(response.headers.get("cache-control"), "no-cache");
  assert.equal(
    response.headers.get("content-security-policy"),
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
      "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  assert.equal(response.headers.get("cross-origin-opener-policy"), "same-origin");
  assert.match(response.headers.get("permissions-policy") ?? "", /camera=\(\)/);
  assert.equal(response.headers.get("vary"), "accept, accept-encoding");

  const etag = response.headers.get("etag") ?? "";
  assert.notEqual(etag, "");
  // As browsers ask again; fetch by itself would say that it takes nothing kept.
  const condition = { "if-none-match": etag, "cache-control": "max-age=0" };
  const again = await get(server, "/?q=error", { accept: browserAccept, ...condition });
  assert.equal(again.status, 304);
});

test("curl gets the lines to paste, which name the page", async (t) => {
  const server = await startWithDashboard(t);
  for (const accept of ["*/*", "text/plain"]) {
    const response = await get(server, "/", { accept });
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
    assert.equal(response.headers.get("vary"), "accept");
    const lines = await response.text();
    assert.match(lines, /^tail {4}curl -N/m);
    assert.ok(lines.includes(`watch   ${server.url} in a browser`), lines);
  }
});

test("without a dashboard a browser gets the same lines, in a page", async (t) => {
  const server = await startServer(t);
  const response = await get(server, "/", { accept: browserAccept });
  assert.equal(response.headers.get("content-security-policy"), "default-src 'none'");
  const html = await response.text();
  assert.match(html, /<pre>logsvc /);
  assert.doesNotMatch(html, /in a browser/);
  assert.equal((await get(server, "/assets/index-AbCd1234.js")).status, 404);
});

test("what the page loads may be kept for ever", async (t) => {
  const server = await startWithDashboard(t);
  const response = await get(server, "/assets/index-AbCd1234.js");
  assert.equal(response.status, 200);
  assert.equal(await response.text(), script);
  assert.match(response.headers.get("content-type") ?? "", /javascript/);
  assert.equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
});

test("packed as the browser takes it, and each as of its own", async (t) => {
  const server = await startWithDashboard(t);
  const etags = new Set<string | null>();
  for (const [accepted, sent] of [
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["identity", null],
  ] as const) {
    const response = await get(server, "/assets/index-AbCd1234.js", { "accept-encoding": accepted });
    assert.equal(response.headers.get("content-encoding"), sent, accepted);
    assert.equal(response.headers.get("vary"), "accept-encoding");
    assert.match(response.headers.get("content-type") ?? "", /javascript/);
    assert.equal(await response.text(), script);
    etags.add(response.headers.get("etag"));
    const front = await get(server, "/", { accept: browserAccept, "accept-encoding": accepted });
    assert.equal(front.headers.get("content-encoding"), sent, accepted);
    assert.equal(await front.text(), page);
  }
  assert.equal(etags.size, 3);
});

test("HEAD is GET without a body", async (t) => {
  const server = await startWithDashboard(t);
  for (const path of ["/", "/assets/index-AbCd1234.js"]) {
    const headers = { accept: browserAccept, "accept-encoding": "identity" };
    const [whole, head] = [await get(server, path, headers), await get(server, path, headers, "HEAD")];
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
    for (const name of ["etag", "content-type", "content-length", "cache-control", "vary"]) {
      assert.equal(head.headers.get(name), whole.headers.get(name), `${path} ${name}`);
    }
  }
});

test("what is not there is not kept, and nothing outside the folder can be had", async (t) => {
  const server = await startWithDashboard(t);
  for (const path of ["/assets/index-Old00000.js", "/assets/", "/assets", "/index.html", "/.source-hash"]) {
    const response = await get(server, path, { accept: browserAccept });
    assert.equal(response.status, 404, path);
    assert.doesNotMatch(response.headers.get("cache-control") ?? "", /immutable/);
    assert.match(await response.text(), /"code":"not_found"/, path);
  }
  for (const path of [
    "/assets/../index.html",
    "/assets/../../secret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/assets/%2e%2e/%2e%2e/secret.txt",
    "/assets/..\\..\\secret.txt",
    "/assets//etc/passwd",
    "/assets/.hidden",
    "/assets/%00",
    "/../secret.txt",
  ]) {
    const answer = await rawGet(server, path);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, path);
    assert.doesNotMatch(answer, /secret\r?$|root:/m, path);
  }
  assert.equal((await get(server, "/assets/index-AbCd1234.js", {}, "POST")).status, 404);
});

test("a folder that is no dashboard is refused at the start", () => {
  assert.throws(
    () => buildServer({ version: "1", dashboard: "/nowhere" }, {} as never),
    /`dashboard`.*"\/nowhere".*no index\.html/,
  );
});
