/**
 * What `serve` prints when it listens: one line for programs that wait for it,
 * and lines for people to paste.
 */

/** What the greeting says. */
export interface Greeting {
  readonly version: string;
  /** `http://127.0.0.1:50051`, with the port that was opened. */
  readonly url: string;
  /** How this program was started, such as `pnpm logsvc`. */
  readonly commandName: string;
  /** Browsers get the dashboard at that address. */
  readonly hasDashboard: boolean;
  /** The self-signed certificate, when there is one. */
  readonly selfSigned?: { readonly certFile: string; readonly fingerprint: string };
}

const defaultUrl = "http://127.0.0.1:50051";

/** The greeting; its first line never changes its form. */
export function formatGreeting({ version, url, commandName, hasDashboard, selfSigned }: Greeting): string {
  const curl = selfSigned === undefined ? "curl" : `curl --cacert ${selfSigned.certFile}`;
  const urlFlag = url === defaultUrl ? "" : ` --url ${url}`;
  const caFlag = selfSigned === undefined ? "" : ` --tls-ca ${selfSigned.certFile}`;
  const body = '{"entries":[{"level":"info","message":"hello","service":"curl"}]}';
  return `logsvc ${version} is listening on ${url}
${selfSigned === undefined ? "" : `its self-signed certificate has the SHA-256 fingerprint ${selfSigned.fingerprint}\n`}${hasDashboard ? `\n# watch it in a browser\n${url}/` : ""}
# write an entry
${curl} ${url}/logsvc.LogService/WriteLogs -H 'content-type: application/json' -d '${body}'
# follow the log
${curl} -N '${url}/tail?last=10'
# the same, for people
${commandName} tail --last 10${urlFlag}${caFlag}

`;
}

/**
 * How to start this program again, for lines to paste into another shell. Who
 * started it through npx may have no pnpm there: npx puts its own folder on the
 * PATH of what it runs.
 */
export function commandNameOf(scriptPath: string, environment: NodeJS.ProcessEnv): string {
  const isCheckout = !scriptPath.includes("/node_modules/");
  if (isCheckout) {
    const isByNpx = /[\\/]_npx[\\/]/.test(environment["PATH"] ?? "");
    return isByNpx ? "npx -y -p node@24 -p pnpm@12 pnpm logsvc" : "pnpm logsvc";
  }
  return environment["npm_command"] === "exec" ? "npx logsvc" : "logsvc";
}
