/** A grpc-js server of the original contract: accepts every entry, answers it with an id, stores nothing. */
import grpc from "@grpc/grpc-js";
import { type OriginalAnswer, streamLogs } from "./grpc-contract.ts";
import { serveUntilInputEnds } from "./peer-server.ts";

let lastId = 0;

const server = new grpc.Server();
server.addService(
  { StreamLogs: streamLogs },
  {
    StreamLogs: (call: grpc.ServerDuplexStream<{ message: string }, OriginalAnswer>) => {
      call.on("data", ({ message }: { message: string }) => {
        const answer: OriginalAnswer =
          message === ""
            ? { reason: "message: expected a text, got none" }
            : { accepted: true, id: String(++lastId) };
        if (call.write(answer)) return;
        // What is not answered is not read either.
        call.pause();
        call.once("drain", () => call.resume());
      });
      call.on("end", () => call.end());
    },
  },
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  serveUntilInputEnds({ address: "127.0.0.1", port });
});
