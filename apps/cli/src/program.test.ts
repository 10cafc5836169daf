import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ChosenCommand } from "./commands/chosen-command.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { allFlags, createProgram } from "./program.ts";

const docs = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");

function parse(args: readonly string[]): {
  chosen: ChosenCommand | undefined;
  error: unknown;
  printed: string;
} {
  let chosen: ChosenCommand | undefined;
  let printed = "";
  let error: unknown;
  const program = createProgram((command) => {
    chosen = command;
  });
  const print = (text: string): void => {
    printed += text;
  };
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: print, writeErr: print });
  }
  try {
    program.parse(args, { from: "user" });
  } catch (reason) {
    error = reason;
  }
  return { chosen, error, printed };
}

test("docs/cli.md has every command and flag, and none besides", () => {
  const program = createProgram(() => undefined);
  const commands = program.commands.map((command) => command.name());
  const flags = new Set(allFlags(program).map((option) => option.long));
  // Flags of other programs in the text.
  const foreign = new Set(["--cacert"]);
  const documented = new Set(docs.match(/(?<![\w-])--[a-z][a-z-]+/g)?.filter((name) => !foreign.has(name)));
  assert.deepEqual([...documented].sort(), [...flags].sort());
  const mentioned = new Set([...docs.matchAll(/^(?:.*\| )?logsvc ([a-z]+)/gm)].map((match) => match[1]));
  assert.deepEqual([...mentioned].sort(), commands.sort());
});

test("docs/cli.md and --help have the exit codes as they are", () => {
  const documented = [...docs.matchAll(/^\| (\d+) \|/gm)].map((match) => Number(match[1]));
  assert.deepEqual(documented, Object.values(exitCodes));
  const help = parse(["--help"]).printed;
  for (const code of documented) assert.match(help, new RegExp(`\\b${code}\\b`));
});

test("every flag has its variable, and no two commands give one another meaning of its type", () => {
  const types = new Map<string, boolean>();
  for (const option of allFlags(createProgram(() => undefined))) {
    const name = option.envVar ?? "";
    assert.match(name, /^LOGSVC_[A-Z_]+$/, option.flags);
    assert.equal(types.get(name) ?? option.isBoolean(), option.isBoolean(), name);
    types.set(name, option.isBoolean());
  }
});

test("every command chooses what to run, and its help has examples", () => {
  for (const args of [["serve"], ["ship"], ["tail", "a", "b"], ["query", "--", "-a"], ["import", "f"]]) {
    const { chosen, error } = parse(args);
    assert.equal(error, undefined);
    assert.equal(chosen?.quiet, false, args[0]);
    assert.match(parse([args[0] ?? "", "--help"]).printed, /Examples:\n {2}/);
  }
  assert.equal(parse(["ship", "--quiet"]).chosen?.quiet, true);
});

test("wrong usage chooses nothing and says what was expected", () => {
  const cases: [string[], RegExp][] = [
    [["nope"], /unknown command 'nope'/],
    [["query", "--nope"], /unknown option '--nope'/],
    [["query", "--limit", "x"], /argument 'x' is invalid\. Expected a whole number/],
    [["query", "--limit", "10001"], /needs --order/],
    [["query", "--count", "--histogram"], /--count and --histogram can't be asked for at once/],
    [["query", "--values", "service", "--fields"], /--values and --fields can't be asked for at once/],
    [["query", "--count", "--limit", "5"], /--limit has no meaning with --count/],
    [["query", "--count", "--group-by", "service"], /no meaning with --count; .* --values counts/],
    [["query", "--interval", "5m"], /--interval goes with --histogram/],
    [["query", "--before", "5"], /--before goes with --around/],
    [["query", "--histogram", "--interval", "0"], /Expected a duration of at least 1ms/],
    [["query", "--histogram", "--order", "oldest"], /--order has no meaning with --histogram/],
    [["query", "--values", ""], /Expected the name of a field/],
    [["query", "--values", "service", "-n", "0"], /--limit must be from 1 to 1000 with --values, got 0/],
    [["query", "--around", ""], /Expected an entry's id/],
    [["query", "--around", "1", "--since", "1h"], /--since has no meaning with --around/],
    [["query", "--around", "1", "timeout"], /--around takes no filter, .*; got timeout/],
    [["query", "--around", "1", "--after", "5000"], /Expected a whole number from 0 to 4999/],
    [["tail", "--output", "xml"], /Allowed choices are pretty, json, raw/],
    [["tail", "--last", "10001"], /Expected a whole number from 0 to 10000/],
    [["ship", "--label", "level=x"], /can't be a label/],
    [["ship", "--follow"], /--follow needs files or patterns/],
    [["ship", "--follow", "a.log", "-"], /--follow is for files/],
    [["ship", "--multiline", "["], /Expected auto, off or a regular expression\..*Unterminated/],
    [["ship", "--multiline", ""], /Expected auto, off or a regular expression of 1 to 1000/],
    [["ship", "--spool", " "], /Expected a folder/],
    [["ship", "--retry-timeout", "soon"], /Expected a duration/],
    [["serve", "--tls-self-signed", "--tls-cert", "a"], /cannot be used with/],
    [["import"], /missing required argument 'file'/],
  ];
  for (const [args, message] of cases) {
    const { chosen, error, printed } = parse(args);
    assert.equal(chosen, undefined, args.join(" "));
    assert.match(`${printed}${error instanceof Error ? error.message : ""}`, message);
    assert.equal(exitCodeOf(error), exitCodes.usage);
  }
  assert.equal(exitCodeOf(parse(["--version"]).error), exitCodes.ok);
});

test("a variable for all queries does not spoil one that has no use for it", (t) => {
  process.env["LOGSVC_LIMIT"] = "5";
  t.after(() => delete process.env["LOGSVC_LIMIT"]);
  assert.equal(parse(["query", "--count"]).error, undefined);
  process.env["LOGSVC_LIMIT"] = "0";
  assert.equal(parse(["query", "--fields"]).error, undefined);
});
