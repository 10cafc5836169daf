/** Lines to paste into a terminal that write entries to the server of this page. */

/** What the command takes for granted. */
const defaultUrl = "http://127.0.0.1:50051";

/** Writes one entry. */
export function curlSample(url: string, hasToken: boolean): string {
  const entry = { level: "info", message: "hello", service: "curl" };
  const token = hasToken ? ` -H "authorization: Bearer $LOGSVC_TOKEN"` : "";
  return (
    `curl ${url}/logsvc.LogService/WriteLogs -H 'content-type: application/json'${token}` +
    ` -d '${JSON.stringify({ entries: [entry] })}'`
  );
}

/** Ships what a program writes. */
export function shipSample(url: string): string {
  const isDefault = url === defaultUrl || url === defaultUrl.replace("127.0.0.1", "localhost");
  return `my-program 2>&1 | logsvc ship --service my-program${isDefault ? "" : ` --url ${url}`}`;
}
