/**
 * The dashboard's files, as the folder of a built one has them:
 *
 *   index.html         the page; asked for anew each time, by its etag
 *   assets/NAME-HASH   whatever it loads; a browser may keep these for ever
 *
 * Beside a file may lie FILE.br and FILE.gz, packed when it was built, for
 * browsers that take them. The page may load nothing from elsewhere, run no
 * script that is not one of these files, and stand in no frame.
 */
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";

/** The page's policy. Its scripts set styles through the DOM, which needs no exception. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": contentSecurityPolicy,
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  // A link in an entry must not tell another site what was searched for.
  "referrer-policy": "no-referrer",
};

const yearMs = 365 * 86_400_000;

/** Adds the routes of the files. Returns what sends the page, for the route of `/`. */
export function addDashboardFiles(
  app: FastifyInstance,
  folder: string,
): (reply: FastifyReply) => FastifyReply {
  const common = { preCompressed: true, index: false, dotfiles: "deny" } as const;
  void app.register(fastifyStatic, { ...common, root: folder, serve: false, maxAge: 0 });
  void app.register(async (scope) => {
    scope.addHook("onRequest", async (_request, reply) => {
      reply.headers({ "x-content-type-options": "nosniff", vary: "accept-encoding" });
    });
    await scope.register(fastifyStatic, {
      ...common,
      root: join(folder, "assets"),
      prefix: "/assets/",
      maxAge: yearMs,
      immutable: true,
      decorateReply: false,
    });
  });
  return (reply) =>
    reply
      .headers({ ...pageHeaders, "x-content-type-options": "nosniff", vary: "accept, accept-encoding" })
      .header("cache-control", "no-cache")
      .sendFile("index.html", { cacheControl: false });
}
