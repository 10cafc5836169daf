/**
 * A small real server for the client's tests: Connect's own Node adapter on
 * HTTP/2 or HTTP/1.1, which can be killed and started again on the same port.
 */
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { TestContext } from "node:test";
import type { ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { LogService } from "@logsvc/client";

/** What a test says of the service. */
export type LogServiceImpl = Partial<ServiceImpl<typeof LogService>>;

/** A server that listens. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Cuts every connection and stops listening. */
  kill(): Promise<void>;
}

/** Options of startServer. */
export interface StartOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Default: "2". */
  readonly httpVersion?: "2" | "1.1";
}

/** Starts a server; it is killed after the test. */
export async function startServer(
  t: TestContext,
  implementation: LogServiceImpl,
  { port = 0, httpVersion = "2" }: StartOptions = {},
): Promise<TestServer> {
  const adapter = connectNodeAdapter({ routes: (router) => router.service(LogService, implementation) });
  const server = httpVersion === "2" ? http2.createServer(adapter) : http.createServer(adapter);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const kill = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  t.after(kill);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const listening = portOf(server.address());
  return { url: `http://127.0.0.1:${listening}`, port: listening, kill };
}

/** The port of a server that listens on TCP. */
export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === "string") throw new Error("Expected a server on TCP");
  return address.port;
}
