import assert from "node:assert/strict";
import { test } from "node:test";
import { plainLevel } from "./plain-level.ts";

test("a level that stands before the message is found", () => {
  const cases: [string, string][] = [
    ["<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "FATAL"],
    ["<30>1 2026-11-22T09:36:40Z host app - - - up", "INFO"],
    ["E0102 15:04:05.000000       1 main.go:12] cannot bind", "ERROR"],
    ["03-17 16:13:38.819  1702  8671 D PowerManagerService: acquire lock", "DEBUG"],
    ["2016-09-28 04:30:30, Info                  CBS    Loaded Servicing Stack", "Info"],
    ["2026-11-22T09:36:40.123Z warn starting without a cache", "warn"],
    ["[Sun Dec 04 04:47:44 2005] [error] mod_jk child in error state 6", "error"],
    ["17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: Registered", "INFO"],
    ["2015-07-29 19:04:29,071 - WARN  [SendWorker:1@688] - Send worker leaving thread", "WARN"],
    ["- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50 R02-M1 RAS KERNEL FATAL data storage", "FATAL"],
    ["Error: connect ECONNREFUSED 127.0.0.1:5432", "Error"],
    ["warning: unused variable", "warning"],
    ["(node:1) <WARN> late", "WARN"],
    ["2026-11-22 09:36:40|ERROR|db|down", "ERROR"],
  ];
  for (const [line, level] of cases) assert.equal(plainLevel(line), level, line);
});

test("a word in the message is no level", () => {
  const lines = [
    "Log level set to DEBUG",
    "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0",
    "connection closed with error 5",
    "no errors found",
    "203.205.151.204:80 error : could not connect",
    "<999>what is this",
    "< 5 items",
    "INFORMATIONAL only",
    `${"x ".repeat(90)}ERROR`,
    "",
  ];
  for (const line of lines) assert.equal(plainLevel(line), undefined, line);
});
