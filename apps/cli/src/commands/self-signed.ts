/**
 * A certificate for trying TLS without one: made once and kept in the data
 * folder, so that what trusts it (`--tls-ca`, `curl --cacert`) goes on doing so
 * after a restart.
 */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { generate } from "selfsigned";

/** A certificate and where it lies. */
export interface SelfSigned {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** For `--tls-ca`. */
  readonly certFile: string;
  /** SHA-256, as browsers show it. */
  readonly fingerprint: string;
}

const validDays = 365;
const dayMs = 86_400_000;

/** The certificate in the data folder; a new one when there is none, or it is about to end. Valid for loopback and `host`. */
export async function openSelfSigned(logFolder: string, host: string): Promise<SelfSigned> {
  const folder = join(logFolder, "tls-self-signed");
  const certFile = join(folder, "cert.pem");
  const keyFile = join(folder, "key.pem");
  if (!(await isUsable(certFile, host))) {
    const { cert, private: key } = await generateFor(host);
    await mkdir(folder, { recursive: true });
    await writeFile(keyFile, key, { mode: 0o600 });
    await writeFile(certFile, cert);
  }
  const cert = await readFile(certFile, "utf8");
  const key = await readFile(keyFile, "utf8");
  return { cert, key, certFile, fingerprint: new X509Certificate(cert).fingerprint256 };
}

async function isUsable(certFile: string, host: string): Promise<boolean> {
  if (!existsSync(certFile)) return false;
  const certificate = new X509Certificate(await readFile(certFile, "utf8"));
  const namesHost = (isAddress(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
  return namesHost && Date.parse(certificate.validTo) > Date.now() + dayMs;
}

async function generateFor(host: string): ReturnType<typeof generate> {
  const addresses = ["127.0.0.1", "::1"];
  const names = ["localhost"];
  const list = isAddress(host) ? addresses : names;
  if (!list.includes(host)) list.push(host);
  return generate([{ name: "commonName", value: "logsvc self-signed" }], {
    keyType: "ec",
    algorithm: "sha256",
    notAfterDate: new Date(Date.now() + validDays * dayMs),
    extensions: [
      // It is trusted by naming it as an authority.
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          ...names.map((value) => ({ type: 2 as const, value })),
          ...addresses.map((ip) => ({ type: 7 as const, ip })),
        ],
      },
    ],
  });
}

function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}
