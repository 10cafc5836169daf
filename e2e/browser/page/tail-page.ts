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
}

const page: TailPage = { messages: [], states: [], missing: 0, error: "" };

async function follow(url: string): Promise<void> {
  const client = createWebClient({ url });
  for await (const event of client.tail({ onState: ({ kind }) => page.states.push(kind) })) {
    if (event.kind === "gap") page.missing += event.count;
    else page.messages.push(...event.entries.map((stored) => stored.entry?.message ?? ""));
  }
}

const url = new URLSearchParams(location.search).get("server") ?? "";
Object.assign(globalThis, { tailPage: page });
follow(url).catch((error: unknown) => {
  page.error = String(error);
});
