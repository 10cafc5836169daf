/** `logsvc ship`: sends the lines of standard input, or of files, and sees to it that they arrive. */
import { Command } from "commander";
import type { ExitCode } from "../exit-code.ts";
import { checkShipFiles, type ShipFlags, shipFlags } from "../flags/ship-flags.ts";
import type { Terminal } from "../terminal.ts";
import type { Choose } from "./chosen-command.ts";
import { shipFollowed } from "./ship-follow.ts";
import { shipInput } from "./ship-input.ts";

const examples = `
Each line is told by itself: JSON (pino, bunyan, winston, zap, zerolog, logrus,
our own --output json, …), logfmt or plain text. Ends with 0 only when every
entry is acknowledged, which means it is on the server's disk. With --follow it
ends by a signal, and goes on where it was when it is started again.

Examples:
  myapp | logsvc ship --service api
  myapp 2>&1 | logsvc ship --service api --label env=prod,region=eu --multiline auto
  logsvc ship --service nginx access.log error.log
  logsvc ship --follow '/var/log/nginx/*.log' --spool /var/lib/logsvc-ship`;

/** The command, which chooses to ship as its flags ask for. */
export function shipCommand(choose: Choose): Command {
  const command = new Command("ship")
    .description("send the lines of standard input, or of files, as entries")
    .argument(
      "[file...]",
      "files, read once from start to end, also packed; - is standard input. With --follow also patterns",
    );
  for (const option of shipFlags()) command.addOption(option);
  return command.addHelpText("after", examples).action((files: string[], flags: ShipFlags) => {
    checkShipFiles(files, flags);
    choose({ quiet: flags.quiet ?? false, run: (terminal) => runShip(files, flags, terminal) });
  });
}

function runShip(files: readonly string[], flags: ShipFlags, terminal: Terminal): Promise<ExitCode> {
  return flags.follow ? shipFollowed(files, flags, terminal) : shipInput(files, flags, terminal);
}
