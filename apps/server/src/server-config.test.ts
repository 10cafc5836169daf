/** Options out of their range, and hosts beyond loopback, stop the start. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "./config-error.ts";
import { checkListenHost } from "./listen-host.ts";
import { resolveConfig, type ServerConfig } from "./server-config.ts";

const version = "1.0.0";

const wrong: readonly (readonly [ServerConfig, RegExp])[] = [
  [{ version: "" }, /`version`/],
  [{ version, heartbeatIntervalMs: 5 }, /`heartbeatIntervalMs` to be a whole number from 10 to 60000, got 5/],
  [{ version, drainTimeoutMs: 0.5 }, /`drainTimeoutMs` .* got 0\.5/],
  [{ version, corsOrigins: ["logs.example.com"] }, /`corsOrigins` .* got "logs\.example\.com"/],
  [{ version, corsOrigins: ["https://logs.example.com/"] }, /`corsOrigins`/],
  [{ version, tls: { cert: "", key: "k" } }, /`tls\.cert`/],
];

for (const [config, message] of wrong) {
  test(`refused: ${message.source}`, () => {
    assert.throws(() => resolveConfig(config), { name: ConfigError.name, message });
  });
}

test("defaults are filled in, and the caller's object is left alone", () => {
  const config = Object.freeze({ version, corsOrigins: Object.freeze(["https://Logs.example.com"]) });
  const resolved = resolveConfig(config);
  assert.equal(resolved.heartbeatIntervalMs, 15_000);
  assert.equal(resolved.drainTimeoutMs, 10_000);
  assert.deepEqual(resolved.corsOrigins, ["https://logs.example.com"]);
});

test("only loopback hosts are listened on without authentication", () => {
  for (const host of ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST", "api.localhost"]) {
    checkListenHost(host, { insecureNoAuth: false });
  }
  for (const host of ["0.0.0.0", "::", "192.168.1.4", "logs.example.com", "localhost.example.com", ""]) {
    assert.throws(() => checkListenHost(host, { insecureNoAuth: false }), /--insecure-no-auth/);
    checkListenHost(host, { insecureNoAuth: true });
  }
});
