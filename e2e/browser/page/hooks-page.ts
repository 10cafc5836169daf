/**
 * A page made with the hooks, mounted in StrictMode: a live list and a search.
 * The test tells it what to show through `hooksPage` on the global object.
 */
import { createWebClient } from "@logsvc/client-web";
import { type UseQueryOptions, type UseTailOptions, useQuery, useTail } from "@logsvc/client-web/react";
import { createElement, StrictMode, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";

/** What the page is to show. */
interface Shown {
  readonly tail?: UseTailOptions;
  readonly query?: UseQueryOptions;
}

const client = createWebClient({
  url: new URLSearchParams(location.search).get("server") ?? "",
  // The server takes no notice of it, and lets the browser send it.
  token: async () => "a-token",
});

let shown: Shown = {};
let renders = 0;
let tell = (): void => undefined;

function LiveList({ options }: { readonly options: UseTailOptions }) {
  const tail = useTail(client, options);
  renders += 1;
  Object.assign(hooksPage, { tail });
  const rows = tail.rows.map((row) =>
    createElement("li", { key: row.key }, row.kind === "gap" ? `gap of ${row.count}` : row.entry.message),
  );
  return createElement("ul", { id: "tail", "data-state": tail.state.kind }, rows);
}

function SearchList({ options }: { readonly options: UseQueryOptions }) {
  const query = useQuery(client, options);
  Object.assign(hooksPage, { query });
  const rows = query.entries.map(({ id, entry }) => createElement("li", { key: id }, entry?.message));
  return createElement("ol", { id: "query", "data-loading": query.loading }, rows);
}

function Page() {
  const { tail, query } = useSyncExternalStore(
    (listener) => {
      tell = listener;
      return () => undefined;
    },
    () => shown,
  );
  return createElement(
    "main",
    null,
    tail && createElement(LiveList, { options: tail }),
    query && createElement(SearchList, { options: query }),
  );
}

const hooksPage = {
  show(next: Shown): void {
    shown = next;
    tell();
  },
  renders: () => renders,
};

Object.assign(globalThis, { hooksPage });
const root = document.createElement("div");
document.body.append(root);
createRoot(root).render(createElement(StrictMode, null, createElement(Page)));
