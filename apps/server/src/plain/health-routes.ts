/**
 * For probes: `/healthz` answers while the process lives, `/readyz` while the
 * server should be sent requests: not when it drains, nor when the engine
 * could not write a moment ago.
 */
import type { FastifyInstance } from "fastify";
import type { Lifecycle } from "../lifecycle.ts";

/** What readiness is told from. */
export interface HealthOptions {
  readonly lifecycle: Lifecycle;
  /** Why the engine can't write; undefined: it can. */
  readonly failure: () => string | undefined;
}

/** Adds the routes. */
export function addHealthRoutes(app: FastifyInstance, { lifecycle, failure }: HealthOptions): void {
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", (_request, reply) => {
    if (lifecycle.state !== "serving") return reply.code(503).send({ status: lifecycle.state });
    const reason = failure();
    if (reason !== undefined) return reply.code(503).send({ status: "failing", reason });
    return { status: "ok" };
  });
}
