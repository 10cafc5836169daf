/**
 * A log as real programs write it, made from a fixed seed: the same distinct
 * lines every time, in several formats, with what trips up line readers.
 */

/** A random number in [0, 1). */
type Random = () => number;

type LineFormat = (random: Random, number: number, time: Date) => string;

/**
 * Generates lines, all different, without their ends.
 *
 * @param count How many.
 */
export function generateLog(count: number): string[] {
  const random = mulberry32(20_240_229);
  let time = Date.UTC(2024, 1, 29, 23, 59, 0);
  return Array.from({ length: count }, (_, index) => {
    time += Math.floor(random() * 120);
    return pick(random, formats)(random, index + 1, new Date(time));
  });
}

const hosts = ["combo", "LabSZ", "node-7", "ip-10-0-3-17"];
const paths = ["/", "/v2/servers/detail", "/api/v1/orders?id=7&verbose", "/static/app.js", "/a%20b/ü"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const formats: readonly LineFormat[] = [
  // syslog, in its old form
  (random, number, time) =>
    `${months[time.getUTCMonth()]} ${time.getUTCDate()} ${clock(time)} ${pick(random, hosts)} sshd[${24_000 + number}]: ` +
    `Failed password for invalid user admin from ${address(random)} port ${whole(random, 65_536)} ssh2`,
  // Hadoop
  (random, number, time) =>
    `${compact(time)} ${whole(random, 3000)} ${pick(random, ["INFO", "WARN"])} dfs.DataNode$PacketResponder: ` +
    `PacketResponder ${whole(random, 4)} for block blk_${number}${whole(random, 1e9)} terminating`,
  // Apache's error log
  (random, number, time) =>
    `[${time.toUTCString()}] [error] [client ${address(random)}] Directory index forbidden by rule: /var/www/html/${number}/`,
  // an access log
  (random, number, time) =>
    `${address(random)} - - [${time.toISOString()}] "GET ${pick(random, paths)} HTTP/1.1" ${pick(random, ["200", "304", "500"])} ${number} "-" "curl/8.5"`,
  // log4j with brackets and an exception's name
  (random, number, time) =>
    `${time.toISOString().replace("T", " ").replace(".", ",").slice(0, -1)} - ERROR [CommitProcessor:${whole(random, 5)}:NIOServerCnxn@${number}] - ` +
    "Unexpected Exception: java.nio.channels.CancelledKeyException",
  // Android, with padding that must stay
  (random, number, time) =>
    `${time.toISOString().slice(5, 23).replace("T", " ")}  ${1000 + whole(random, 9000)}  ${1000 + whole(random, 9000)} D PowerManagerService: release:lock=${number}, flg=0x0, tag="*launch*", name=android", ws=null  `,
  // words that look like pairs, but are no logfmt
  (random, number) =>
    `kernel: audit(11${number}.999:0): initialized, apic=0x${hex(random)} flags=(none) done=${whole(random, 100)}%`,
  // a stack trace's line, indented by tabs
  (random, number) =>
    `\tat org.example.Service$$Lambda.call(Service.java:${number}) ~[app-1.${whole(random, 9)}.jar!/:?]`,
  // almost JSON
  (random, number) => `{"broken": "json", "number": ${number}, "rest": ${hex(random)}`,
  (random, number) => `[1, 2, ${number}] is an array, ${hex(random)} is not`,
  // beyond ASCII, and beyond the basic plane
  (random, number) => `naïve Größe 日本語 🚀 ${number} \u0007 ${hex(random)} e\u0301`,
  // nothing but blanks before the text
  (random, number) => `      indented ${number} by ${hex(random)}`,
  // very long
  (random, number) => `long ${number} ${`${hex(random)} `.repeat(40 + whole(random, 80))}end`,
];

const pick = <T>(random: Random, values: readonly [T, ...T[]] | readonly T[]): T => {
  const value = values[whole(random, values.length)];
  if (value === undefined) throw new RangeError("nothing to pick from");
  return value;
};
const whole = (random: Random, end: number): number => Math.floor(random() * end);
const hex = (random: Random): string => whole(random, 2 ** 32).toString(16);
const address = (random: Random): string => Array.from({ length: 4 }, () => whole(random, 256)).join(".");
const clock = (time: Date): string => time.toISOString().slice(11, 19);
const compact = (time: Date): string =>
  time.toISOString().slice(2, 19).replaceAll(/[-:]/g, "").replace("T", " ");

/** https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
function mulberry32(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
