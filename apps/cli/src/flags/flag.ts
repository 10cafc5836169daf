/**
 * Flags: each is also a variable, `--retry-timeout` is LOGSVC_RETRY_TIMEOUT,
 * and the flag wins.
 */
import { Option } from "commander";

/** Creates a flag with its variable. `flags` as in Commander: `-o, --output <format>`. */
export function flag(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.env(`LOGSVC_${option.name().replaceAll("-", "_").toUpperCase()}`);
}

/** Values that mean no, for a flag without a value. Commander takes any value for yes. */
const noes: ReadonlySet<string> = new Set(["0", "false", "no", "off"]);

/**
 * The variables of flags that are set and yet must not count:
 * - empty ones;
 * - `LOGSVC_QUIET=false`, `LOGSVC_NO_DEDUP=false` and the like, for flags without a value;
 * - `LOGSVC_PORT=tcp://10.0.0.1:50051`, which Kubernetes and Docker set in every
 *   container beside a service that is named logsvc.
 */
export function idleVariables(environment: NodeJS.ProcessEnv, options: readonly Option[]): string[] {
  return options.flatMap((option) => {
    const name = option.envVar ?? "";
    const value = environment[name];
    if (value === undefined) return [];
    const isNo = !option.required && !option.optional && noes.has(value.toLowerCase());
    return value === "" || isNo || (option.name() === "port" && value.includes("://")) ? [name] : [];
  });
}
