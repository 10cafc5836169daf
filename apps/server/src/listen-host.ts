/**
 * Nothing listens beyond loopback without authentication unless told to in so
 * many words. The command asks here before it listens.
 */
import { BlockList, isIP } from "node:net";
import { ConfigError } from "./config-error.ts";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether a host name or address reaches this machine only: 127.0.0.0/8, ::1, localhost and its subdomains. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const family = isIP(bare);
  // BlockList also sees the IPv4 address inside ::ffff:127.0.0.1.
  if (family !== 0) return loopback.check(bare, family === 4 ? "ipv4" : "ipv6");
  // RFC 6761: every name under localhost is loopback, and no resolver may answer otherwise.
  return bare === "localhost" || bare.endsWith(".localhost");
}

/** Options of `checkListenHost`. */
export interface ListenHostOptions {
  /** True: the user has said that whoever reaches the port may read and write. */
  readonly insecureNoAuth: boolean;
}

/**
 * Refuses a host beyond loopback while there is no authentication.
 *
 * @throws ConfigError that says what to do.
 */
export function checkListenHost(host: string, options: ListenHostOptions): void {
  if (isLoopbackHost(host) || options.insecureNoAuth) return;
  throw new ConfigError(
    `Listening on ${host} would let everybody who reaches this machine read and write the log, because no ` +
      "authentication is set up. Listen on 127.0.0.1 and put an authenticating proxy in front, or pass " +
      "--insecure-no-auth if the network itself is trusted.",
  );
}
