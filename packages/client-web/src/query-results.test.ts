import assert from "node:assert/strict";
import test from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { QueryResults, type QueryResultsOptions } from "./query-results.ts";
import { clientOf, ManualFrames, silence, stored, until } from "./testing/served-log.ts";

/** A search over 25 entries; a page token is the offset to go on after. */
function scene(options: QueryResultsOptions = {}) {
  const frames = new ManualFrames();
  const asked: { pageToken: string; limit: number }[] = [];
  const server = { failAfter: Number.POSITIVE_INFINITY, hangs: false, size: 25, canceled: 0 };
  const client = clientOf({
    async *queryLogs({ pageToken, limit }, { signal }) {
      asked.push({ pageToken, limit });
      signal.addEventListener("abort", () => {
        server.canceled += 1;
      });
      const from = Number(pageToken);
      const end = Math.min(server.size, from + limit);
      for (let offset = from + 1; offset <= end; offset++) {
        yield { entries: [stored(offset)], progress: { matches: BigInt(offset - from) } };
        if (offset === server.failAfter) throw new ConnectError("cut", Code.Unavailable);
        if (server.hangs) await silence(signal);
      }
      const nextPageToken = end < server.size ? String(end) : "";
      yield { progress: { complete: true, nextPageToken, matches: BigInt(end - from) } };
    },
  });
  const results = new QueryResults(client, options, frames.timer);
  const ids = (): number[] => results.view().entries.map(({ id }) => Number(id));
  const settled = async (): Promise<void> =>
    until(() => {
      frames.draw();
      return !results.view().loading;
    });
  return { frames, asked, server, results, ids, settled };
}

const count = (to: number): number[] => Array.from({ length: to }, (_, index) => index + 1);

test("pages come as they are asked for, until there is nothing more", async () => {
  const { asked, results, ids, settled } = scene({ limit: 10 });
  const end = results.follow(() => undefined);
  await settled();
  assert.deepEqual(ids(), count(10));
  assert.equal(results.view().hasMore, true);
  assert.equal(results.view().progress?.matches, 10);
  results.loadMore();
  results.loadMore();
  await settled();
  assert.deepEqual(ids(), count(20));
  results.loadMore();
  await settled();
  assert.deepEqual(ids(), count(25));
  assert.equal(results.view().hasMore, false);
  results.loadMore();
  assert.deepEqual(
    asked.map(({ pageToken }) => pageToken),
    ["", "10", "20"],
  );
  end();
});

test("it holds no more than its bound", async () => {
  const { asked, results, ids, settled } = scene({ limit: 10, entriesMax: 15 });
  const end = results.follow(() => undefined);
  await settled();
  results.loadMore();
  await settled();
  assert.deepEqual(ids(), count(15));
  assert.equal(results.view().hasMore, false);
  assert.deepEqual(
    asked.map(({ limit }) => limit),
    [10, 5],
  );
  end();
});

test("a page that breaks off shows what came, and is loaded again as a whole", async () => {
  const { server, results, ids, settled } = scene({ limit: 10 });
  server.failAfter = 14;
  const end = results.follow(() => undefined);
  await settled();
  results.loadMore();
  await settled();
  assert.deepEqual(ids(), count(14));
  assert.equal(results.view().error?.code, Code.Unavailable);
  server.failAfter = Number.POSITIVE_INFINITY;
  results.loadMore();
  await settled();
  assert.deepEqual(ids(), count(20));
  assert.equal(results.view().error, undefined);
  end();
});

test("leaving cancels what is loading, and coming back loads it again", async () => {
  const { frames, server, results, ids, settled } = scene({ limit: 10 });
  server.hangs = true;
  // Mounted, unmounted and mounted again, as StrictMode does it.
  results.follow(() => undefined)();
  const end = results.follow(() => undefined);
  await until(() => {
    frames.draw();
    return ids().length === 1;
  });
  assert.equal(results.view().loading, true);
  end();
  end();
  await until(() => server.canceled > 0);
  frames.draw();
  assert.equal(results.view().loading, false);
  server.hangs = false;
  const endAgain = results.follow(() => undefined);
  await settled();
  assert.deepEqual(ids(), count(10));
  endAgain();
});

test("reloading searches anew", async () => {
  const { server, results, ids, settled } = scene({ limit: 10 });
  const end = results.follow(() => undefined);
  await settled();
  results.loadMore();
  await settled();
  server.size = 5;
  results.reload();
  await settled();
  assert.deepEqual(ids(), count(5));
  end();
});

test("bounds are checked where they are written", () => {
  assert.throws(() => scene({ limit: 10_001 }), /limit to be an integer from 1 to 10000, got 10001/);
  assert.throws(() => scene({ entriesMax: 0 }), /entriesMax to be an integer from 1, got 0/);
});
