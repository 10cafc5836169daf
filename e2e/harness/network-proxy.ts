/** The network between a client and a server, which a test can cut or silence; it does not look into what passes. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** A proxy for TCP that fails as it is told. */
export interface NetworkProxy {
  readonly port: number;
  /** Cuts each connection so long after it was opened; 0: not. */
  cutMs: number;
  /** While true, the connections that are open fall silent for ever, and none gets through. */
  isSilent: boolean;
  /** Cuts all that are open. */
  cutAll(): void;
}

/** Starts a proxy before a server's port; it ends with the test. */
export async function startProxy(t: TestContext, serverPort: number): Promise<NetworkProxy> {
  const open = new Set<Socket>();
  const proxy = { port: 0, cutMs: 0, isSilent: false, cutAll };
  function cutAll(): void {
    for (const socket of open) socket.destroy();
  }
  const listener = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    let isLost = false;
    const forward = (from: Socket, to: Socket): void => {
      open.add(from);
      from.on("data", (bytes) => {
        isLost ||= proxy.isSilent;
        if (!isLost) to.write(bytes);
      });
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    };
    forward(client, server);
    forward(server, client);
    if (proxy.cutMs > 0) setTimeout(() => client.destroy(), proxy.cutMs);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.after(() => {
    cutAll();
    listener.close();
  });
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return Object.assign(proxy, { port: address.port });
}
