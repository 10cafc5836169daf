/** `GET /`: what this is, and lines to paste, for a browser and for curl. */
import type { FastifyInstance } from "fastify";

/** Adds the route. */
export function addFrontPage(app: FastifyInstance, version: string): void {
  app.get("/", (request, reply) => {
    const text = frontText(version, `${request.protocol}://${request.host}`);
    const wantsHtml = request.headers.accept?.includes("text/html") ?? false;
    reply.header("vary", "accept");
    if (!wantsHtml) return reply.type("text/plain; charset=utf-8").send(text);
    const html = `<!doctype html><meta charset="utf-8"><title>logsvc</title><pre>${escapeHtml(text)}</pre>`;
    return reply
      .header("content-security-policy", "default-src 'none'")
      .type("text/html; charset=utf-8")
      .send(html);
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
