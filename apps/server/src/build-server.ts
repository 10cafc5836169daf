/** Everything put together, in order: configuration, paths, port, routes, drain. */
import type { Engine } from "@logsvc/engine";
import { limits } from "@logsvc/proto";
import Fastify, { type FastifyInstance, LogController } from "fastify";
import { Ingest } from "./ingest/ingest.ts";
import { Lifecycle } from "./lifecycle.ts";
import { createEncodedRoutes, createLogRoutes, type LogPaths } from "./log-service.ts";
import { addDashboardFiles } from "./plain/dashboard-files.ts";
import { addFrontPage } from "./plain/front-page.ts";
import { addHealthRoutes } from "./plain/health-routes.ts";
import { addPlainRoutes } from "./plain/plain-routes.ts";
import { Queries } from "./query/query.ts";
import { type ResolvedConfig, resolveConfig, type ServerConfig } from "./server-config.ts";
import { Counters } from "./stats/counters.ts";
import { SharedMatches } from "./tail/shared-matches.ts";
import { followLog } from "./tail/tail.ts";
import { guardBrowsers } from "./wire/browser-guard.ts";
import { mountConnect } from "./wire/mount-connect.ts";
import { createPort } from "./wire/port.ts";
import { ReceiveBound } from "./wire/receive-bound.ts";

/**
 * Builds the server; `listen` is the caller's.
 *
 * `close()` drains first: `/readyz` turns 503, new calls are refused, ingest
 * streams get their last answers, tails end with Unavailable, queries finish or
 * are cut after `drainTimeoutMs`. The engine stays the caller's to close, after
 * the server.
 *
 * @throws ConfigError when an option is out of its range.
 */
export function buildServer(config: ServerConfig, engine: Engine): FastifyInstance {
  const resolved = resolveConfig(config);
  const paths = createPaths(resolved, engine);
  const { ingest, lifecycle, queries } = paths;
  const app = createApp(resolved, lifecycle);
  guardBrowsers(app, resolved.corsOrigins);
  mountConnect(app, {
    messages: createLogRoutes(paths),
    encoded: createEncodedRoutes(paths),
    receiveBound: new ReceiveBound(limits.unaryBytesMax),
  });
  addPlainRoutes(app, {
    queries,
    followLog: (request, signal) => followLog(request, signal, paths),
  });
  addHealthRoutes(app, { lifecycle, failure: () => ingest.failure });
  const { version, dashboard } = resolved;
  const sendDashboard = dashboard === undefined ? undefined : addDashboardFiles(app, dashboard);
  addFrontPage(app, { version, sendDashboard });
  app.setNotFoundHandler(async (request, reply) => {
    const message = `nothing is at ${request.method} ${request.url.split("?", 1)[0]}`;
    await reply.code(404).send({ code: "not_found", message });
  });
  app.addHook("preClose", async () => {
    app.log.info({ tails: paths.counters.tails.size, streams: paths.counters.ingestStreams }, "draining");
    await lifecycle.drain(resolved.drainTimeoutMs);
  });
  return app;
}

/**
 * The service's routes alone, for an in-memory transport (Connect's
 * `createRouterTransport`): no port, no drain.
 *
 * @throws ConfigError when an option is out of its range.
 */
export function buildRoutes(config: ServerConfig, engine: Engine): ReturnType<typeof createLogRoutes> {
  return createLogRoutes(createPaths(resolveConfig(config), engine));
}

/** Responses that slow clients still have to take get what the calls have left of the time. */
const flushMsMin = 100;

function createApp({ logger, tls }: ResolvedConfig, lifecycle: Lifecycle): FastifyInstance {
  const closeTimeoutMs = (): number => Math.max(flushMsMin, lifecycle.timeLeftMs);
  return Fastify({
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    serverFactory: (serve) => createPort(serve, { tls, closeTimeoutMs }),
    // Nothing but the name of the protocol in the address that is logged and returned.
    ...(tls === undefined ? {} : { https: {} }),
    // A line a request would be more than the log it serves.
    logController: new LogController({ disableRequestLogging: true }),
    // While draining `/readyz` and the RPCs answer for themselves.
    return503OnClosing: false,
    exposeHeadRoutes: false,
  });
}

function createPaths({ version, heartbeatIntervalMs, logger }: ResolvedConfig, engine: Engine): LogPaths {
  const lifecycle = new Lifecycle();
  const counters = new Counters();
  const ingest = new Ingest({ engine, lifecycle, counters, logger });
  const queries = new Queries({ engine, lifecycle, counters });
  const matches = new SharedMatches();
  return { engine, lifecycle, counters, ingest, queries, matches, version, heartbeatIntervalMs, logger };
}
