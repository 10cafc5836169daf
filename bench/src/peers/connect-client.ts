/** Connect's client for Node on StreamLogs. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { LogService } from "@logsvc/proto";
import { cycleUntil, obeySendOrders, readEntries, url } from "./orders.ts";

const entries = await readEntries();
const client = createClient(LogService, createConnectTransport({ baseUrl: url, httpVersion: "2" }));

await obeySendOrders(async (until) => {
  async function* requests() {
    yield* cycleUntil(entries, until);
  }
  let answered = 0;
  let accepted = 0;
  for await (const answer of client.streamLogs(requests())) {
    answered++;
    if (answer.accepted) accepted++;
  }
  return { answered, accepted };
});
