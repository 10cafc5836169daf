/** For responses that Fastify does not send. */
import type { FastifyReply } from "fastify";

/** Takes a response out of Fastify's hands, with the headers that its hooks have set (CORS). */
export function takeOver(reply: FastifyReply): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
}
