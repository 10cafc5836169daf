/**
 * A TCP proxy that does what networks and load balancers do to connections:
 * reset them, or forget them without a word.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** Two ends of one connection. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A proxy in front of one port. */
export class CutProxy {
  readonly #listener: Server;
  readonly #targetPort: number;
  readonly #pairs = new Set<Pair>();
  #isBlackHole = false;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#listener = createServer((client) => this.#join(client));
  }

  /** Starts it on a free port; returns the URL. */
  async start(): Promise<string> {
    await once(this.#listener.listen(0, "127.0.0.1"), "listening");
    const address = this.#listener.address();
    if (address === null || typeof address === "string") throw new Error("Expected a port");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Resets every connection. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /**
   * Forgets every connection: nothing passes any more, and nobody is told. New
   * ones work.
   */
  forget(): void {
    for (const { client, server } of this.#pairs) {
      client.unpipe(server).pause();
      server.unpipe(client).pause();
    }
    this.#pairs.clear();
  }

  /** While true, new connections are taken and nothing passes on them. */
  set isBlackHole(isBlackHole: boolean) {
    this.#isBlackHole = isBlackHole;
    if (isBlackHole) this.forget();
  }

  stop(): void {
    this.#listener.close();
    this.reset();
  }

  #join(client: Socket): void {
    // A connection that is cut is what this is about.
    client.on("error", () => undefined);
    if (this.#isBlackHole) return;
    const server = connect(this.#targetPort, "127.0.0.1");
    server.on("error", () => client.destroy());
    const pair = { client, server };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.pipe(to);
      from.once("close", () => {
        if (this.#pairs.delete(pair)) to.destroy();
      });
    }
  }
}

/** Starts a proxy in front of a port, which ends with the test. */
export async function startCutProxy(
  t: TestContext,
  targetPort: number,
): Promise<{ readonly proxy: CutProxy; readonly url: string }> {
  const proxy = new CutProxy(targetPort);
  t.after(() => proxy.stop());
  return { proxy, url: await proxy.start() };
}
