/**
 * A real server: `logsvc serve` in its own process, on its own folder and port,
 * which can be killed, stopped and started again as the same server.
 */
import { createServer } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { showIfFailed } from "./failure-output.ts";
import { logsvcCommand, type ProgramExit, RunningProgram } from "./program.ts";
import { makeFolder, removeFolder } from "./temp-folder.ts";
import { waitFor } from "./wait-for.ts";

/** How to start a server. */
export interface ServerOptions {
  /** Serve TLS with a certificate made on the spot. */
  readonly tls?: boolean;
  /** More flags of `serve`. */
  readonly flags?: readonly string[];
}

/** The line that `serve` begins with, and the address in it. */
const listening = /^logsvc \S+ is listening on (https?:\/\/\S+)$/m;

/** Enough of a line to tell what happened; a stack trace follows. */
const errorCharactersMax = 300;

/** A server on one folder and port, through all its restarts. */
export class Server {
  readonly port: number;
  readonly dataFolder: string;
  readonly #options: ServerOptions;
  #program: RunningProgram | undefined;
  #stderr = "";

  constructor(port: number, dataFolder: string, options: ServerOptions) {
    this.port = port;
    this.dataFolder = dataFolder;
    this.#options = options;
  }

  /** Where it listens. */
  get url(): string {
    return `${this.#options.tls ? "https" : "http"}://127.0.0.1:${this.port}`;
  }

  /** The process of the last start. */
  get program(): RunningProgram {
    if (this.#program === undefined) throw new Error("the server was not started");
    return this.#program;
  }

  /** What all its processes wrote to standard error. */
  get stderr(): string {
    return this.#stderr + (this.#program?.stderr ?? "");
  }

  /** What it logged as errors, line by line. A client's mistake or disappearance is none of the server's errors. */
  get errors(): string[] {
    const lines = this.stderr.split("\n").filter((line) => /"level":(50|60)\b/.test(line));
    return lines.map((line) => line.slice(0, errorCharactersMax));
  }

  /** Starts it, on the same folder and port as before, and waits until it listens. */
  async start(): Promise<void> {
    this.#stderr = this.stderr;
    const { tls = false, flags = [] } = this.#options;
    const args = ["serve", "--port", `${this.port}`, "--data", this.dataFolder, ...flags];
    const program = new RunningProgram(...logsvcCommand(tls ? [...args, "--tls-self-signed"] : args));
    this.#program = program;
    const [, url] = await waitFor("the server to listen", () => {
      if (program.exit !== undefined)
        throw new Error(`the server ended with ${program.exit.code}:\n${program.stderr}`);
      return listening.exec(program.stdout) ?? false;
    });
    if (url !== this.url) throw new Error(`the server listens on ${url}, not on ${this.url}`);
  }

  /** Kills it as a power cut would: without a chance to do anything more. */
  async kill(): Promise<void> {
    await this.program.kill("SIGKILL");
  }

  /** Asks it to drain and waits for its end. */
  stop(): Promise<ProgramExit> {
    return this.program.kill("SIGTERM");
  }
}

/**
 * Starts a server on a fresh folder. After the test it is killed and its folder
 * removed; what it wrote to standard error is shown if the test failed.
 */
export async function startServer(t: TestContext, options: ServerOptions = {}): Promise<Server> {
  const folder = await makeFolder();
  const server = new Server(await freePort(), join(folder, "data"), options);
  t.after(async () => {
    showIfFailed(t, "the server", server.stderr);
    await server.kill();
    await removeFolder(folder);
  });
  await server.start();
  return server;
}

/**
 * A free port below those that systems give to outgoing connections (32768 and
 * up). With port 0 a client that dials a killed server again and again could be
 * given the server's own port and so meet itself, and the server could not
 * start again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port in 100 tries");
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer();
  probe.once("error", () => resolve(false));
  probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  return promise;
}
