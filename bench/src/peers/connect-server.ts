/** A plain Connect handler on Node's HTTP/2 server: accepts every entry, answers it with an id, stores nothing. */
import { createServer } from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { LogService } from "@logsvc/proto";
import { serveUntilInputEnds } from "./peer-server.ts";

let lastId = 0;

const handler = connectNodeAdapter({
  routes: (router) =>
    router.rpc(LogService.method.streamLogs, async function* (entries) {
      for await (const { message } of entries) {
        if (message === "") yield { reason: "message: expected a text, got none" };
        else yield { accepted: true, id: String(++lastId) };
      }
    }),
});

const server = createServer(handler);
server.listen(0, "127.0.0.1", () => serveUntilInputEnds(server.address()));
