export { buildRoutes, buildServer } from "./build-server.ts";
export { ConfigError } from "./config-error.ts";
export { checkListenHost, type ListenHostOptions } from "./listen-host.ts";
export type { ServerConfig, TlsConfig } from "./server-config.ts";
