import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createNotices } from "../output/notices.ts";
import { startRates } from "./ship-rates.ts";

test("a terminal shows how many entries are acknowledged, and how fast", async (t) => {
  const screen = new PassThrough().setEncoding("utf8");
  let entries = 0;
  const rates = startRates(createNotices(screen, { isTerminal: true, quiet: false }), () => {
    entries += 500;
    return { entries, more: ["2 files"] };
  });
  t.after(() => rates.stop());
  const [drawn] = await once(screen, "data");
  const [, count, rate] = /(\d[\d ]*) entries {2}(\d[\d ]*) entries\/s {2}2 files/.exec(drawn) ?? [];
  assert.equal(count, "1 000");
  const perSecond = Number(rate?.replaceAll(" ", ""));
  assert.ok(perSecond > 100 && perSecond <= 1000, drawn);
});
