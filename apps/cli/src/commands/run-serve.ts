/**
 * The life of a server: the log is opened, then the port; closed in reverse.
 * A module of its own, so that the commands that are clients don't load a
 * server.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { dashboardFolder } from "@logsvc/dashboard";
import { openSqliteEngine } from "@logsvc/engine";
import { buildServer, ConfigError, checkListenHost, type ServerConfig, type TlsConfig } from "@logsvc/server";
import { type Logger, pino } from "pino";
import { CommandError, type ExitCode, exitCodes } from "../exit-code.ts";
import { readCertificate, readPem } from "../flags/client-flags.ts";
import type { Terminal } from "../terminal.ts";
import { version } from "../version.ts";
import { logEngine } from "./engine-log.ts";
import { commandNameOf, formatGreeting } from "./greeting.ts";
import { openSelfSigned } from "./self-signed.ts";
import type { ServeFlags } from "./serve.ts";

/**
 * Serves until it is interrupted.
 *
 * @throws CommandError for flags that can't be served and a port that can't be
 *   opened, EngineError for a data folder that can't.
 */
export async function runServe(flags: ServeFlags, terminal: Terminal): Promise<ExitCode> {
  try {
    return await serve(flags, terminal);
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CommandError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

async function serve(flags: ServeFlags, terminal: Terminal): Promise<ExitCode> {
  checkFlags(flags);
  const logger = pino({ level: flags.logLevel }, pino.destination({ dest: 2, sync: true }));
  const stopLogging = logEngine(logger);
  const engine = await openSqliteEngine({ path: flags.data, retention: retentionOf(flags) });
  try {
    const tls = await openTls(flags);
    const dashboard = flags.dashboard ? await findDashboard(logger) : undefined;
    const server = buildServer(
      { ...serverConfig(flags, logger, tls), ...(dashboard === undefined ? {} : { dashboard }) },
      engine,
    );
    try {
      const url = await listen(server, flags, logger);
      await terminal.output.write(greet(url, tls, dashboard !== undefined));
      await untilInterrupted(terminal);
    } finally {
      await server.close();
    }
  } finally {
    await engine.close();
    stopLogging();
  }
  logger.info("stopped");
  return exitCodes.ok;
}

/** Nothing is opened, and no folder made, for flags that can't be served. */
function checkFlags({ host, insecureNoAuth = false, tlsCert, tlsKey }: ServeFlags): void {
  checkListenHost(host, { insecureNoAuth });
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new ConfigError("--tls-cert and --tls-key go together: give both");
  }
}

function retentionOf({ retentionAge, retentionBytes }: ServeFlags): { ageMs?: number; bytes?: number } {
  return {
    ...(retentionAge === 0 ? {} : { ageMs: retentionAge }),
    ...(retentionBytes === 0 ? {} : { bytes: retentionBytes }),
  };
}

/** A certificate, and what to tell of it when it is our own. */
interface ServeTls extends TlsConfig {
  readonly selfSigned?: { readonly certFile: string; readonly fingerprint: string };
}

async function openTls(flags: ServeFlags): Promise<ServeTls | undefined> {
  const { tlsCert, tlsKey, tlsSelfSigned } = flags;
  if (tlsSelfSigned) {
    const { cert, key, certFile, fingerprint } = await openSelfSigned(flags.data, flags.host);
    return { cert, key, selfSigned: { certFile, fingerprint } };
  }
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const cert = readCertificate("--tls-cert", tlsCert);
  const key = readPem("--tls-key", tlsKey, createPrivateKey);
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw new ConfigError(`--tls-key: ${tlsKey} is not the key of the certificate in ${tlsCert}`);
  }
  return { cert, key };
}

/** In a checkout it is built first when it has changed. A log is served with or without it. */
function findDashboard(logger: Logger): Promise<string | undefined> {
  return dashboardFolder({
    onBuild: () => logger.info("building the dashboard, which takes some seconds"),
    onFailure: (reason) => logger.warn({ reason }, "the dashboard can't be built"),
  });
}

function serverConfig(flags: ServeFlags, logger: Logger, tls: ServeTls | undefined): ServerConfig {
  return {
    version,
    logger,
    heartbeatIntervalMs: flags.heartbeatInterval,
    drainTimeoutMs: flags.drainTimeout,
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    ...(flags.corsOrigin === undefined ? {} : { corsOrigins: flags.corsOrigin }),
  };
}

const listenFaults: ReadonlyMap<unknown, string> = new Map([
  ["EADDRINUSE", "the port is in use: stop what uses it, or choose another with --port"],
  ["EACCES", "no permission for this port: choose one above 1023 with --port"],
  ["EADDRNOTAVAIL", "this machine does not have that address"],
  ["ENOTFOUND", "there is no host of that name"],
]);

/** Listens, and returns the address with the port that was opened. */
async function listen(
  server: ReturnType<typeof buildServer>,
  { host, port }: ServeFlags,
  logger: Logger,
): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    // Nothing was served: what closes now is not worth a line beside the reason.
    logger.level = "silent";
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const reason = listenFaults.get(code) ?? (error instanceof Error ? error.message : String(error));
    throw new CommandError(`can't listen on ${host}:${port}: ${reason}`, exitCodes.failed, { cause: error });
  }
}

function greet(url: string, tls: ServeTls | undefined, hasDashboard: boolean): string {
  const commandName = commandNameOf(import.meta.filename, process.env);
  return formatGreeting({
    version,
    url,
    commandName,
    hasDashboard,
    ...(tls?.selfSigned === undefined ? {} : { selfSigned: tls.selfSigned }),
  });
}

async function untilInterrupted({ interruption }: Terminal): Promise<void> {
  if (!interruption.signal.aborted) await once(interruption.signal, "abort");
}
