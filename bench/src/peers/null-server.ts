/** Our server, whole, with an engine that stores nothing. */
import { buildServer } from "@logsvc/server";
import { NullEngine } from "./null-engine.ts";
import { serveUntilInputEnds } from "./peer-server.ts";

const server = buildServer({ version: "bench" }, new NullEngine());
await server.listen({ host: "127.0.0.1", port: 0 });
serveUntilInputEnds(server.server.address());
