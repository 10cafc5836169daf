/**
 * What the server can be told, and the check of it: an option out of its range
 * stops the start with a message, not a request later on.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { limits } from "@logsvc/proto";
import type { FastifyBaseLogger } from "fastify";
import { ConfigError } from "./config-error.ts";

/** A certificate, in PEM. */
export interface TlsConfig {
  /** The certificate, followed by the ones it is signed with. */
  readonly cert: string | Buffer;
  /** Its private key. Never logged. */
  readonly key: string | Buffer;
}

/** Options of `buildServer`. */
export interface ServerConfig {
  /** The version to report: on the front page and in WatchStats. */
  readonly version: string;

  /** Where the server logs its own events, in pino's shape. Absent: nowhere. Entries are never logged. */
  readonly logger?: FastifyBaseLogger;

  /** Serves TLS, with HTTP/2 and HTTP/1.1 by ALPN. Absent: plaintext, both on the one port. */
  readonly tls?: TlsConfig;

  /**
   * The longest silence on a tail, in milliseconds. Default 15 000, from 10 to
   * 60 000: proxies cut streams that are silent for 30 to 60 s. Clients learn
   * it from `opened`. (gRPC has keepalive pings for this; browsers have none.)
   */
  readonly heartbeatIntervalMs?: number;

  /**
   * How long open calls may take to end once the server drains, in
   * milliseconds, before they are cut. Default 10 000, from 0 to 600 000; stay
   * below what the supervisor waits before it kills (30 s in Kubernetes).
   */
  readonly drainTimeoutMs?: number;

  /**
   * Which web pages may call, by origin: "https://logs.example.com". Pages of
   * this server and of loopback hosts (any port) always may. "*" lets every
   * page. Their hosts may also stand in `Host` when a proxy on this machine
   * passes it on. See wire/browser-guard.ts for the rule. Default: none.
   */
  readonly corsOrigins?: readonly string[];

  /**
   * The folder of a built dashboard, with its index.html: what browsers get at
   * `/`. Absent: they get the lines that curl gets.
   */
  readonly dashboard?: string;
}

/** A checked configuration, with its defaults filled in. */
export interface ResolvedConfig {
  readonly version: string;
  readonly logger: FastifyBaseLogger | undefined;
  readonly tls: TlsConfig | undefined;
  readonly heartbeatIntervalMs: number;
  readonly drainTimeoutMs: number;
  readonly corsOrigins: readonly string[];
  readonly dashboard: string | undefined;
}

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws ConfigError that names the option, what is expected and what was given.
 */
export function resolveConfig(config: ServerConfig): ResolvedConfig {
  const { version, logger, tls, corsOrigins = [] } = config;
  if (version === "")
    throw new ConfigError('Expected `version` to be a text such as "0.1.0", got an empty one.');
  if (tls !== undefined && (tls.cert.length === 0 || tls.key.length === 0)) {
    throw new ConfigError("Expected `tls.cert` and `tls.key` to be PEM, got an empty one.");
  }
  return {
    version,
    logger,
    tls,
    heartbeatIntervalMs: inRange(
      "heartbeatIntervalMs",
      config.heartbeatIntervalMs,
      limits.heartbeatIntervalMs,
      {
        least: 10,
        most: 60_000,
      },
    ),
    drainTimeoutMs: inRange("drainTimeoutMs", config.drainTimeoutMs, 10_000, { least: 0, most: 600_000 }),
    corsOrigins: corsOrigins.map(checkOrigin),
    dashboard: checkDashboard(config.dashboard),
  };
}

function inRange(
  name: string,
  value: number | undefined,
  byDefault: number,
  range: { readonly least: number; readonly most: number },
): number {
  if (value === undefined) return byDefault;
  if (Number.isInteger(value) && value >= range.least && value <= range.most) return value;
  throw new ConfigError(
    `Expected \`${name}\` to be a whole number from ${range.least} to ${range.most}, got ${value}.`,
  );
}

/** Absolute, since the files are found by it. */
function checkDashboard(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  if (existsSync(join(folder, "index.html"))) return resolve(folder);
  throw new ConfigError(
    `Expected \`dashboard\` to be the folder of a built dashboard, got "${folder}", which has no index.html.`,
  );
}

/** An origin as browsers send it: no path, no final slash, lower case. */
function checkOrigin(origin: string): string {
  if (origin === "*") return origin;
  if (URL.canParse(origin) && new URL(origin).origin === origin.toLowerCase()) return origin.toLowerCase();
  throw new ConfigError(
    `Expected an item of \`corsOrigins\` to be "*" or an origin such as "https://logs.example.com", got "${origin}".`,
  );
}
