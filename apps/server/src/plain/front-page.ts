/**
 * `GET /`: for curl what this is, and lines to paste; for a browser the
 * dashboard, or where there is none the same lines.
 */
import type { FastifyInstance, FastifyReply } from "fastify";

/** What the front page shows. */
export interface FrontPageOptions {
  readonly version: string;
  /** Sends the dashboard's page. Absent: there is none. */
  readonly sendDashboard: ((reply: FastifyReply) => FastifyReply) | undefined;
}

/** Adds the route. */
export function addFrontPage(app: FastifyInstance, { version, sendDashboard }: FrontPageOptions): void {
  app.route({
    method: ["GET", "HEAD"],
    url: "/",
    handler: (request, reply) => {
      const wantsHtml = request.headers.accept?.includes("text/html") ?? false;
      reply.header("vary", "accept");
      if (wantsHtml && sendDashboard !== undefined) return sendDashboard(reply);
      const url = `${request.protocol}://${request.host}`;
      const text =
        frontText(version, url) + (sendDashboard === undefined ? "" : `watch   ${url} in a browser\n`);
      if (!wantsHtml) return reply.type("text/plain; charset=utf-8").send(text);
      const html = `<!doctype html><meta charset="utf-8"><title>logsvc</title><pre>${escapeHtml(text)}</pre>`;
      return reply
        .header("content-security-policy", "default-src 'none'")
        .type("text/html; charset=utf-8")
        .send(html);
    },
  });
}

function frontText(version: string, url: string): string {
  const write = `-H 'content-type: application/json' -d '{"entries":[{"level":"info","message":"hello"}]}'`;
  return `logsvc ${version}: a durable, live log service

write   curl ${url}/logsvc.LogService/WriteLogs ${write}
tail    curl -N '${url}/tail?last=10'
search  curl '${url}/query?filter=hello&start=1h'
health  curl ${url}/readyz
`;
}

/** The host in the text is the client's own word. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
