/** The error of a start that can't go on: see ConfigError. */

/** A configuration that can't be served. The message says what to do about it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
