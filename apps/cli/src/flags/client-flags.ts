/** How the commands that are clients reach the server. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createNodeClient, type NodeClientOptions, type NodeLogClient } from "@logsvc/client-node";
import type { Option } from "commander";
import { CommandError, exitCodes } from "../exit-code.ts";
import { flag } from "./flag.ts";
import { readUrl } from "./flag-values.ts";

/** The values of `clientFlags`. */
export interface ClientFlags {
  readonly url: string;
  readonly tlsCa?: string;
}

/** The flags of every command that is a client. */
export const clientFlags = (): Option[] => [
  flag("--url <url>", "the server").default("http://localhost:50051").argParser(readUrl),
  flag("--tls-ca <file>", "trust the certificates in this PEM file, for https://"),
];

/**
 * Creates a client; it connects with the first call.
 *
 * @throws CommandError when the certificate's file can't be read, or holds none.
 */
export function openClient(flags: ClientFlags): NodeLogClient {
  return createNodeClient(connectionOptions(flags));
}

/**
 * The flags as clients and shippers take them.
 *
 * @throws As openClient.
 */
export function connectionOptions({ url, tlsCa }: ClientFlags): Pick<NodeClientOptions, "url" | "tls"> {
  return { url, ...(tlsCa === undefined ? {} : { tls: { ca: readCertificate("--tls-ca", tlsCa) } }) };
}

/**
 * A PEM file with a certificate at its beginning: OpenSSL would ignore what is none.
 *
 * @throws CommandError that names the flag and the file.
 */
export function readCertificate(flagName: string, file: string): string {
  return readPem(flagName, file, (pem) => new X509Certificate(pem));
}

/**
 * The contents of a PEM file.
 *
 * @param parse Throws when they are not what they have to be.
 *
 * @throws CommandError that names the flag and the file.
 */
export function readPem(flagName: string, file: string, parse: (pem: string) => unknown): string {
  try {
    const pem = readFileSync(file, "utf8");
    parse(pem);
    return pem;
  } catch (error) {
    throw new CommandError(`${flagName}: can't read ${file}: ${messageOf(error)}`, exitCodes.usage, {
      cause: error,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
