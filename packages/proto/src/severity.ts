/**
 * Levels and severities. A level is text; its severity is OpenTelemetry's
 * number: TRACE 1-4, DEBUG 5-8, INFO 9-12, WARN 13-16, ERROR 17-20,
 * FATAL 21-24, and 0 for a level that is not known.
 * https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
 */

/** The names that known levels are stored under, by rising severity. */
export const levelNames = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] as const;

/** One of the six names of known levels. */
export type LevelName = (typeof levelNames)[number];

/** The severity of each of the six names: the lowest of its OpenTelemetry range. */
export const severities: Readonly<Record<LevelName, number>> = {
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  ERROR: 17,
  FATAL: 21,
};

const spellings: Readonly<Record<LevelName, readonly string[]>> = {
  // pino and bunyan write numbers: https://getpino.io/#/docs/api?id=loggerlevels-object
  TRACE: ["trace", "trc", "t", "verbose", "v", "silly", "finest", "finer", "10"],
  DEBUG: ["debug", "dbg", "d", "fine", "20"],
  // syslog's notice is between info and warning; OpenTelemetry maps it to INFO2.
  INFO: ["info", "inf", "i", "information", "informational", "notice", "log", "http", "config", "30"],
  WARN: ["warn", "wrn", "w", "warning", "40"],
  ERROR: ["error", "err", "e", "eror", "severe", "50"],
  // syslog's crit, alert and emerg all lie above error.
  FATAL: ["fatal", "ftl", "f", "critical", "crit", "alert", "emerg", "emergency", "panic", "dpanic", "60"],
};

/** OpenTelemetry's own short names: INFO2 is the second of INFO's four severities. */
const shortNames = (name: LevelName): string[] => [2, 3, 4].map((step) => `${name.toLowerCase()}${step}`);

const names: ReadonlyMap<string, LevelName> = new Map(
  levelNames.flatMap((name) =>
    [...spellings[name], ...shortNames(name)].map((spelling) => [spelling, name] as const),
  ),
);

/**
 * The name that a level is stored under: one of the six where its spelling is
 * known, else the text as it is. Empty text is INFO.
 */
export function normalizeLevel(level: string): string {
  if (level === "") return "INFO";
  return names.get(level.trim().toLowerCase()) ?? level;
}

/** The severity of a level in any spelling; 0 when it is not known. */
export function severityOf(level: string): number {
  if (Object.hasOwn(severities, level)) return severities[level as LevelName];
  const name = names.get(level.trim().toLowerCase());
  return name === undefined ? 0 : severities[name];
}
