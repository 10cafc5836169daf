/** A server for tests: the real engine in a folder of its own, a real port. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type Engine, openSqliteEngine, type SqliteEngineOptions } from "@logsvc/engine";
import { LogService } from "@logsvc/proto";
import type { FastifyInstance } from "fastify";
import { buildServer } from "../build-server.ts";
import type { ServerConfig } from "../server-config.ts";

/** A running server. */
export interface TestServer {
  readonly app: FastifyInstance;
  readonly engine: Engine;
  readonly port: number;
  readonly url: string;
  /** A gRPC client of it. */
  readonly client: LogClient;
}

/** A client of any protocol. */
export type LogClient = Client<typeof LogService>;

/** Options of `startServer`. */
export interface TestServerOptions extends Partial<ServerConfig> {
  /** The engine's own options, beside its path. */
  readonly engineOptions?: Omit<SqliteEngineOptions, "path">;
  /** What the server is given instead of the engine itself. */
  readonly wrapEngine?: (engine: Engine) => Engine;
}

/** Starts a server that ends with the test. */
export async function startServer(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const { engineOptions = {}, wrapEngine = (engine) => engine, ...config } = options;
  const folder = await mkdtemp(join(tmpdir(), "logsvc-server-"));
  const engine = await openSqliteEngine({ ...engineOptions, path: join(folder, "log") });
  const app = buildServer({ version: "0.0.0-test", drainTimeoutMs: 1_000, ...config }, wrapEngine(engine));
  t.after(async () => {
    await app.close();
    await engine.close();
    await rm(folder, { recursive: true });
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  assert(address !== null && typeof address === "object");
  const { port } = address;
  const url = `${config.tls ? "https" : "http"}://localhost:${port}`;
  const baseUrl = url.replace("localhost", "127.0.0.1");
  const client = createClient(LogService, createGrpcTransport({ baseUrl }));
  return { app, engine, port, url: baseUrl, client };
}

/** Waits until a condition holds, and fails when it does not within a time that is never needed. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await condition())) {
    assert(Date.now() < deadline, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
