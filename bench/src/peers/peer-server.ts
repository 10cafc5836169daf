/** The life of a peer: it says where it listens, and ends with its standard input. */

/** Prints the address, and exits when standard input ends: so does whoever runs the benchmark. */
export function serveUntilInputEnds(address: string | { address: string; port: number } | null): void {
  if (address === null || typeof address === "string") throw new Error(`no port was opened: ${address}`);
  process.stdout.write(`http://${address.address}:${address.port}\n`);
  process.stdin.resume();
  process.stdin.once("end", () => process.exit(0));
  // Exits in order, so that a CPU profile is written.
  process.once("SIGTERM", () => process.exit(0));
}
