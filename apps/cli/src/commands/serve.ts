/** `logsvc serve`: its flags and its help. What it does stands in run-serve.ts. */
import { limits } from "@logsvc/proto";
import { Command, type Option } from "commander";
import { flag } from "../flags/flag.ts";
import { collectItems, readDuration, readInteger, readSize } from "../flags/flag-values.ts";
import type { Choose } from "./chosen-command.ts";

const engines = ["sqlite"] as const;
const logLevels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** The values of the flags of `serve`. */
export interface ServeFlags {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly engine: (typeof engines)[number];
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsSelfSigned?: boolean;
  readonly insecureNoAuth?: boolean;
  readonly corsOrigin?: string[];
  readonly dashboard: boolean;
  readonly retentionAge: number;
  readonly retentionBytes: number;
  readonly heartbeatInterval: number;
  readonly drainTimeout: number;
  readonly logLevel: (typeof logLevels)[number];
}

/** Without a bound a log service fills its disk one day, and then stores nothing: the oldest entries go first. */
const retentionBytesDefault = 10 * 2 ** 30;

const drainTimeoutDefaultMs = 10_000;

const examples = `
Standard output begins with "logsvc <version> is listening on <url>"; the server's
own log is JSON on stderr. SIGTERM and Ctrl-C drain: what was received is answered.

Examples:
  logsvc serve
  logsvc serve --data /var/lib/logsvc --retention-age 30d --retention-bytes 200GiB
  logsvc serve --tls-self-signed`;

/** The command, which chooses to serve as its flags ask for. */
export function serveCommand(choose: Choose): Command {
  const command = new Command("serve").description("run the log service");
  for (const option of [...storageFlags(), ...listenFlags(), ...lifeFlags()]) command.addOption(option);
  return command.addHelpText("after", examples).action((flags: ServeFlags) =>
    choose({
      quiet: false,
      run: async (terminal) => (await import("./run-serve.ts")).runServe(flags, terminal),
    }),
  );
}

const storageFlags = (): Option[] => [
  flag("--data <folder>", "where the log is stored").default("./data"),
  flag("--engine <engine>", "what stores the log").choices(engines).default("sqlite"),
  flag("--retention-age <duration>", "delete entries that are older, such as 30d; 0: never")
    .default(0, "0")
    .argParser(readDuration),
  flag("--retention-bytes <size>", "delete the oldest entries when the log is larger; 0: never")
    .default(retentionBytesDefault, "10GiB")
    .argParser(readSize),
];

const listenFlags = (): Option[] => [
  flag("--host <host>", "the address to listen on").default("127.0.0.1"),
  flag("--port <port>", "the port; 0: a free one").default(50051).argParser(readInteger(0, 65_535)),
  flag("--tls-cert <file>", "serve TLS with this certificate (PEM); with --tls-key"),
  flag("--tls-key <file>", "the certificate's private key (PEM)"),
  flag("--tls-self-signed", "serve TLS with a certificate of our own, kept in the data folder").conflicts([
    "tlsCert",
    "tlsKey",
  ]),
  flag("--insecure-no-auth", "listen beyond this machine although everybody may then read and write"),
  flag("--cors-origin <origin>", "web pages of this origin may call; repeatable, or with commas").argParser(
    collectItems,
  ),
  flag("--no-dashboard", "serve no web page at /; curl and programs are served all the same"),
];

const lifeFlags = (): Option[] => [
  flag("--heartbeat-interval <duration>", "the longest silence on a tail")
    .default(limits.heartbeatIntervalMs, "15s")
    .argParser(readDuration),
  flag("--drain-timeout <duration>", "how long open calls may take to end at the stop")
    .default(drainTimeoutDefaultMs, "10s")
    .argParser(readDuration),
  flag("--log-level <level>", "what the server logs on stderr").choices(logLevels).default("info"),
];
