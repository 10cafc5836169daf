/** A grpc-js client of the original contract. */
import grpc from "@grpc/grpc-js";
import { type OriginalAnswer, streamLogs } from "./grpc-contract.ts";
import { cycleUntil, obeySendOrders, readEntries, url } from "./orders.ts";

const entries = (await readEntries()).map(({ level, message, timestamp }) => ({
  level,
  message,
  timestamp: Number(timestamp),
}));
const client = new grpc.Client(new URL(url).host, grpc.credentials.createInsecure());

await obeySendOrders(async (until) => {
  const { path, requestSerialize, responseDeserialize } = streamLogs;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const done = Promise.withResolvers<void>();
  let answered = 0;
  let accepted = 0;
  call.on("data", (answer: OriginalAnswer) => {
    answered++;
    if (answer.accepted === true) accepted++;
  });
  call.once("end", done.resolve);
  call.once("error", done.reject);
  const requests = cycleUntil(entries, until);
  const send = () => {
    for (let next = requests.next(); next.done !== true; next = requests.next()) {
      if (call.write(next.value)) continue;
      call.once("drain", send);
      return;
    }
    call.end();
  };
  send();
  await done.promise;
  return { answered, accepted };
});
