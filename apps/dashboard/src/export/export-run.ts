/**
 * One export from click to file, as states that a component can show.
 *
 *   idle ─▶ running ─▶ done        `cancel` leads from running to idle;
 *             └──────▶ failed      `start` begins anew from everywhere else
 */
import { ConnectError, type LogClient } from "@logsvc/client-web";
import type { ViewRange } from "../view/view-state.ts";
import {
  type ExportFormat,
  type ExportProgress,
  type ExportResult,
  type ExportSink,
  exportEntries,
  exportName,
  snapshotOf,
} from "./export-entries.ts";

/** How an export stands. */
export type ExportState =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly progress: ExportProgress }
  /** `name`: the file's. Without entries there is none. */
  | { readonly kind: "done"; readonly result: ExportResult; readonly name: string }
  /** Nothing was saved. */
  | { readonly kind: "failed"; readonly reason: string };

/** What to export, as it is chosen; `format` may have to ask the server for the names of attributes. */
export interface ExportChoice {
  readonly filter: string;
  readonly range: ViewRange;
  readonly kind: ExportFormat["kind"];
  format(signal: AbortSignal): Promise<ExportFormat>;
}

const noProgress: ExportProgress = { entries: 0, bytes: 0 };

/** Runs exports, one at a time. */
export class ExportRun {
  readonly #openSink: (name: string) => Promise<ExportSink>;
  readonly #listeners = new Set<() => void>();
  #state: ExportState = { kind: "idle" };
  #stop: AbortController | undefined;

  /** @param openSink Asks where to save. */
  constructor(openSink: (name: string) => Promise<ExportSink>) {
    this.#openSink = openSink;
  }

  /** How it stands; another object whenever that changes. */
  get state(): ExportState {
    return this.#state;
  }

  /** Calls back when the state changes. Returns what ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends a running export; nothing of it is saved. */
  cancel(): void {
    this.#stop?.abort();
  }

  /** Begins, unless one is running. To be called right from a click, which allows to ask for a file. */
  async start(client: Pick<LogClient, "query">, choice: ExportChoice): Promise<void> {
    if (this.#state.kind === "running") return;
    const stop = new AbortController();
    this.#stop = stop;
    this.#enter({ kind: "running", progress: noProgress });
    try {
      this.#enter(await this.#run(client, choice, stop.signal));
    } catch (error) {
      // Cancelled here, or in the dialog that asks for the file.
      const cancelled = stop.signal.aborted || (error instanceof DOMException && error.name === "AbortError");
      this.#enter(cancelled ? { kind: "idle" } : { kind: "failed", reason: reasonOf(error) });
    } finally {
      stop.abort();
    }
  }

  async #run(
    client: Pick<LogClient, "query">,
    choice: ExportChoice,
    signal: AbortSignal,
  ): Promise<ExportState> {
    const nowMs = Date.now();
    const name = exportName(choice.kind, nowMs);
    // The newest entry is looked for while the reader chooses a file: what comes meanwhile is not asked for.
    const looking = snapshotOf(client, choice, nowMs, signal);
    const [sink, selection] = await bothOrNone(this.#openSink(name), looking);
    if (selection === undefined) {
      await sink.abort();
      return { kind: "done", result: { ...noProgress, complete: true }, name };
    }
    const format = await choice.format(signal);
    const onProgress = (progress: ExportProgress): void => this.#enter({ kind: "running", progress });
    const result = await exportEntries(client, { ...selection, format }, sink, onProgress, signal);
    return { kind: "done", result, name };
  }

  #enter(state: ExportState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** A sink that was opened in vain is thrown away. */
async function bothOrNone<T>(opening: Promise<ExportSink>, looking: Promise<T>): Promise<[ExportSink, T]> {
  const [sink, found] = await Promise.allSettled([opening, looking]);
  if (sink.status === "rejected") throw sink.reason;
  if (found.status === "fulfilled") return [sink.value, found.value];
  await sink.value.abort();
  throw found.reason;
}

function reasonOf(error: unknown): string {
  if (error instanceof ConnectError) return error.rawMessage;
  return error instanceof Error ? error.message : String(error);
}
