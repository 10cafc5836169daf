/**
 * A page that follows the log through the browser's client, and keeps what it
 * got where the test can ask for it: `tailPage` on the global object.
 */
import { createWebClient, type TailState } from "@logsvc/client-web";

/** What the page has got. */
interface TailPage {
  /** Every message, in the order of its arrival. */
  readonly messages: string[];
  /** Every state of the tail, in order. */
  readonly states: TailState["kind"][];
  /** Entries that were told as missing. */
  missing: number;
  /** Why the tail ended; empty while it goes on. */
  error: string;
  /** Asks how many entries there are: a call beside the tail. */
  count(): Promise<number>;
}

const url = new URLSearchParams(location.search).get("server") ?? "";
const client = createWebClient({ url });
const page: TailPage = {
  messages: [],
  states: [],
  missing: 0,
  error: "",
  count: async () => Number((await client.count()).total),
};

async function follow(): Promise<void> {
  for await (const event of client.tail({ onState: ({ kind }) => page.states.push(kind) })) {
    if (event.kind === "gap") page.missing += event.count;
    else page.messages.push(...event.entries.map((stored) => stored.entry?.message ?? ""));
  }
}

Object.assign(globalThis, { tailPage: page });
follow().catch((error: unknown) => {
  page.error = String(error);
});
