/**
 * A program that writes a log and rotates it meanwhile, as the tests of
 * `ship --follow` need one: a process of its own, as programs and logrotate are.
 *
 *   node log-writer.ts <path> <rename|truncate|race> <lines> <rotate every ms>
 *
 * - `rename`: the log is renamed to .1, .2, …; a few lines still go to the renamed one.
 * - `truncate`: the log is copied to .1 and truncated, and nothing is written in between.
 * - `race`: the same, and lines are written in between, which are lost with the truncation.
 *
 * The lines are `line 1`, `line 2`, … Those that are in no file afterwards are printed.
 */
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const [path = "", mode = "", countText = "", periodText = ""] = process.argv.slice(2);
const count = Number(countText);
const periodMs = Number(periodText);

/** Written at once, in between programs do something else. */
const burstLines = 20;
const burstPauseMs = 8;

let log = fs.openSync(path, "a");
let line = 0;

function write(lines: number): void {
  for (let left = lines; left > 0 && line < count; left--) fs.writeSync(log, `line ${++line}\n`);
}

/** Rotated logs that are kept: more than any test makes. */
const keptMax = 100;

function makeRoom(): void {
  for (let number = keptMax; number >= 1; number--) {
    if (fs.existsSync(`${path}.${number}`)) fs.renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
}

function rotate(): void {
  makeRoom();
  if (mode === "rename") {
    fs.renameSync(path, `${path}.1`);
    write(3);
    fs.closeSync(log);
    log = fs.openSync(path, "a");
    return;
  }
  fs.copyFileSync(path, `${path}.1`);
  const first = line + 1;
  if (mode === "race") write(3);
  fs.ftruncateSync(log);
  for (let lost = first; lost <= line; lost++) process.stdout.write(`line ${lost}\n`);
}

let rotatedAt = performance.now();
while (line < count) {
  write(burstLines);
  await sleep(burstPauseMs);
  if (performance.now() - rotatedAt < periodMs) continue;
  rotatedAt = performance.now();
  rotate();
}
fs.closeSync(log);
