/**
 * What sixteen services write: messages in the manner of real logs (HDFS, Spark,
 * Hadoop, OpenSSH, Apache, ZooKeeper, OpenStack, BlueGene, PostgreSQL, and web
 * services with requests and traces), with how often each comes and at which level.
 */
import type { LogVariables } from "./log-variables.ts";

/** What a service writes. */
export interface ServiceTemplates {
  readonly service: string;
  /** Its part of all entries, in per mille. */
  readonly perMille: number;
  /** What its clock tells: milliseconds or microseconds. */
  readonly clock: "ms" | "µs";
  /** Its entries have attributes and a trace, those of a request. */
  readonly traced: boolean;
  readonly templates: readonly MessageTemplate[];
}

/** How often among its service's, at which level, and what. */
export type MessageTemplate = readonly [
  weight: number,
  level: "DEBUG" | "INFO" | "WARN" | "ERROR",
  message: (v: LogVariables) => string,
];

/** A word that no template has: the entries that have it are counted out. */
export const rareWord = "splitbrain";

/** What an entry with the rare word says. */
export const rareTemplate = (v: LogVariables): string =>
  `Detected ${rareWord} between ${v.ip()} and ${v.ip()} in epoch ${v.below(100)}, stepping down`;

/** A phrase that no template has: it is added to one message in so many, whatever service it is of. */
export const scatteredPhrase = "connection reset by peer";

const hdfsDatanode: ServiceTemplates = {
  service: "hdfs-datanode",
  perMille: 160,
  clock: "ms",
  traced: false,
  templates: [
    [24, "INFO", (v) => `Receiving block ${v.block()} src: /${v.ip()}:${v.port()} dest: /${v.ip()}:50010`],
    [22, "INFO", (v) => `PacketResponder ${v.below(3)} for block ${v.block()} terminating`],
    [20, "INFO", (v) => `Received block ${v.block()} of size 67108864 from /${v.ip()}`],
    [6, "INFO", (v) => `${v.ip()}:50010 served block ${v.block()} to /${v.ip()}`],
    [8, "INFO", (v) => `Deleting block ${v.block()} file /mnt/hadoop/dfs/data/current/subdir${v.below(64)}`],
    [3, "INFO", (v) => `Verification succeeded for ${v.block()}`],
    [4, "DEBUG", (v) => `Heartbeat sent to ${v.ip()}:8020 in ${v.ms()} ms`],
    [3, "WARN", (v) => `${v.ip()}:50010: exception while serving ${v.block()} to /${v.ip()}`],
    [1, "WARN", (v) => `Slow write of ${v.block()} to mirror ${v.ip()}:50010 took ${v.ms()} ms`],
    [1, "ERROR", (v) => `writeBlock ${v.block()} received java.io.IOException: could not read from stream`],
  ],
};

const hdfsNamenode: ServiceTemplates = {
  service: "hdfs-namenode",
  perMille: 90,
  clock: "ms",
  traced: false,
  templates: [
    [
      30,
      "INFO",
      (v) => `addStoredBlock: ${v.ip()}:50010 is added to ${v.block()} size ${v.below(67_108_864)}`,
    ],
    [14, "INFO", (v) => `allocateBlock: ${v.file()} ${v.block()}`],
    [10, "INFO", (v) => `delete: ${v.block()} is added to the invalid set of ${v.ip()}:50010`],
    [6, "INFO", (v) => `ask ${v.ip()}:50010 to replicate ${v.block()} to ${v.ip()}:50010`],
    [4, "DEBUG", (v) => `Lease of DFSClient_${v.below(1_000_000)} renewed, ${v.below(40)} files open`],
    [5, "INFO", (v) => `completeFile: ${v.file()} is closed by DFSClient_${v.below(1_000_000)}`],
    [3, "WARN", (v) => `Redundant addStoredBlock for ${v.block()} on ${v.ip()}:50010`],
    [1, "ERROR", (v) => `Failed to place enough replicas of ${v.block()}: wanted 3, found ${v.below(3)}`],
  ],
};

const sparkExecutor: ServiceTemplates = {
  service: "spark-executor",
  perMille: 145,
  clock: "ms",
  traced: false,
  templates: [
    [
      18,
      "INFO",
      (v) =>
        `Finished task ${v.below(200)}.0 in stage ${v.below(60)}.0 (TID ${v.counter()}), ${2000 + v.below(900)} bytes sent`,
    ],
    [18, "INFO", (v) => `Running task ${v.below(200)}.0 in stage ${v.below(60)}.0 (TID ${v.counter()})`],
    [16, "INFO", (v) => `Got assigned task ${v.counter()}`],
    [14, "INFO", (v) => `Found block rdd_${v.below(90)}_${v.below(40)} locally`],
    [8, "INFO", (v) => `Partition rdd_${v.below(90)}_${v.below(40)} not found, computing it`],
    [
      10,
      "INFO",
      (v) =>
        `Times: total = ${v.ms()}, boot = ${v.below(40) - 20}, init = ${v.below(60)}, finish = ${v.below(4)}`,
    ],
    [
      5,
      "INFO",
      (v) =>
        `Block broadcast_${v.below(400)} stored as values in memory (free ${v.below(384)}.${v.below(10)} MB)`,
    ],
    [5, "INFO", (v) => `Reading broadcast variable ${v.below(400)} took ${v.ms()} ms`],
    [8, "DEBUG", (v) => `Task ${v.counter()} spilled ${v.below(900)} KB of ${v.below(64)} MB`],
    [2, "WARN", (v) => `Lost connection to ${v.host()}, fetching rdd_${v.below(90)}_${v.below(40)} again`],
    [1, "ERROR", (v) => `Exception in task ${v.below(200)}.0 in stage ${v.below(60)}.0 (TID ${v.counter()})`],
  ],
};

const sparkDriver: ServiceTemplates = {
  service: "spark-driver",
  perMille: 50,
  clock: "ms",
  traced: false,
  templates: [
    [
      20,
      "INFO",
      (v) =>
        `Starting task ${v.below(200)}.0 in stage ${v.below(60)}.0 (TID ${v.counter()}, ${v.host()}, PROCESS_LOCAL)`,
    ],
    [10, "INFO", (v) => `Added rdd_${v.below(90)}_${v.below(40)} in memory on ${v.host()}:${v.port()}`],
    [6, "INFO", (v) => `Submitting ${v.below(200)} missing tasks from ResultStage ${v.below(60)}`],
    [
      5,
      "INFO",
      (v) => `Job ${v.below(300)} finished: count at Report.scala:${v.below(200)}, took ${v.ms()} ms`,
    ],
    [4, "DEBUG", (v) => `Offers from ${v.below(160)} executors, locality wait ${v.ms()} ms`],
    [3, "INFO", (v) => `Cleaned accumulator ${v.counter()}`],
    [
      3,
      "WARN",
      (v) => `Lost task ${v.below(200)}.0 in stage ${v.below(60)}.0 (TID ${v.counter()}, ${v.host()})`,
    ],
    [1, "ERROR", (v) => `Task ${v.below(200)} in stage ${v.below(60)}.0 failed 4 times; aborting job`],
  ],
};

const mapreduce: ServiceTemplates = {
  service: "mapreduce",
  perMille: 70,
  clock: "ms",
  traced: false,
  templates: [
    [
      24,
      "INFO",
      (v) =>
        `Progress of TaskAttempt attempt_1445144423722_0020_m_${v.below(400)}_0 is : 0.${v.below(1_000_000)}`,
    ],
    [6, "INFO", (v) => `Launching attempt_1445144423722_0020_m_${v.below(400)}_0 on ${v.host()}:${v.port()}`],
    [
      8,
      "INFO",
      (v) => `attempt_1445144423722_0020_m_${v.below(400)}_0 TaskAttempt moved from ASSIGNED to RUNNING`,
    ],
    [6, "INFO", (v) => `Event CONTAINER_REMOTE_LAUNCH for container_1445144423722_0020_01_${v.below(900)}`],
    [
      5,
      "DEBUG",
      (v) =>
        `Headroom <memory:${v.below(65_536)}, vCores:${v.below(64)}>, ${v.below(40)} containers asked for`,
    ],
    [
      3,
      "INFO",
      (v) => `Scheduled reduces: ${v.below(20)}, maps: ${v.below(200)}, completed: ${v.below(400)}`,
    ],
    [
      5,
      "WARN",
      (v) =>
        `Failed to renew lease for [DFSClient_NONMAPREDUCE_${v.below(1_000_000)}_1] for ${v.below(900)} seconds`,
    ],
    [4, "INFO", (v) => `Retrying connect to server: ${v.host()}:8030. Already tried ${v.below(10)} time(s)`],
    [1, "ERROR", (v) => `Could not contact the resource manager at ${v.host()}:8030 after ${v.ms()} ms`],
  ],
};

const sshd: ServiceTemplates = {
  service: "sshd",
  perMille: 75,
  clock: "ms",
  traced: false,
  templates: [
    [22, "INFO", (v) => `Failed password for ${v.user()} from ${v.outsideIp()} port ${v.port()} ssh2`],
    [
      14,
      "INFO",
      (v) =>
        `pam_unix(sshd:auth): authentication failure; uid=0 tty=ssh rhost=${v.outsideIp()} user=${v.user()}`,
    ],
    [10, "INFO", (v) => `Received disconnect from ${v.outsideIp()}: 11: Bye Bye [preauth]`],
    [9, "INFO", (v) => `Invalid user ${v.user()} from ${v.outsideIp()}`],
    [4, "INFO", (v) => `Connection closed by ${v.outsideIp()} [preauth]`],
    [3, "INFO", (v) => `Accepted publickey for ${v.user()} from ${v.ip()} port ${v.port()} ssh2`],
    [3, "INFO", (v) => `session opened for user ${v.user()} by (uid=0)`],
    [3, "DEBUG", (v) => `channel ${v.below(8)}: window ${v.below(65_536)} sent adjust ${v.below(65_536)}`],
    [4, "WARN", (v) => `reverse mapping checking of ${v.outsideIp()} failed, possible break-in attempt`],
    [1, "ERROR", (v) => `Too many authentication failures for ${v.user()} from ${v.outsideIp()}`],
  ],
};

const httpd: ServiceTemplates = {
  service: "httpd",
  perMille: 70,
  clock: "µs",
  traced: false,
  templates: [
    [30, "INFO", (v) => `${v.outsideIp()} GET /static/js/${v.hex(8)}.js HTTP/1.1 200 ${v.below(90_000)}`],
    [20, "INFO", (v) => `${v.outsideIp()} GET /articles/${v.below(30_000)} HTTP/1.1 200 ${v.below(60_000)}`],
    [8, "INFO", (v) => `${v.outsideIp()} POST /comments HTTP/1.1 302 ${v.below(900)}`],
    [6, "INFO", (v) => `jk2_init() found child ${v.below(32_768)} in scoreboard slot ${v.below(12)}`],
    [4, "INFO", () => "workerEnv.init() ok /etc/httpd/conf/workers2.properties"],
    [6, "DEBUG", (v) => `keep-alive ended after ${v.below(100)} requests, idle ${v.ms()} ms`],
    [
      4,
      "WARN",
      (v) =>
        `[client ${v.outsideIp()}] file does not exist: /var/www/html/${v.one(["phpmyadmin", "wp-login.php", ".env", "admin"])}`,
    ],
    [1, "ERROR", (v) => `mod_jk child workerEnv in error state ${v.below(10)}`],
  ],
};

const zookeeper: ServiceTemplates = {
  service: "zookeeper",
  perMille: 40,
  clock: "ms",
  traced: false,
  templates: [
    [
      12,
      "INFO",
      (v) => `Closed socket connection for client /${v.ip()}:${v.port()} which had sessionid ${v.session()}`,
    ],
    [12, "INFO", (v) => `Client attempting to establish new session at /${v.ip()}:${v.port()}`],
    [
      9,
      "INFO",
      (v) =>
        `Established session ${v.session()} with negotiated timeout 10000 for client /${v.ip()}:${v.port()}`,
    ],
    [8, "INFO", (v) => `Received connection request /${v.ip()}:${v.port()}`],
    [6, "INFO", (v) => `Expiring session ${v.session()}, timeout of 10000 ms exceeded`],
    [6, "DEBUG", (v) => `Got ping response for sessionid: ${v.session()} after ${v.ms()} ms`],
    [5, "INFO", (v) => `Notification time out: ${100 * 2 ** v.below(10)}`],
    [5, "WARN", (v) => `caught end of stream, client ${v.session()} has likely closed its socket`],
    [3, "WARN", (v) => `Connection broken for id 188978561024, my id = ${1 + v.below(3)}`],
    [1, "ERROR", (v) => `Unexpected exception while shutting down session ${v.session()}`],
  ],
};

const novaApi: ServiceTemplates = {
  service: "nova-api",
  perMille: 60,
  clock: "ms",
  traced: false,
  templates: [
    [
      24,
      "INFO",
      (v) =>
        `${v.ip()} "GET /v2/54fadb412c4e/servers/detail HTTP/1.1" status: 200 len: ${v.below(2_000)} time: 0.${v.below(1_000_000)}`,
    ],
    [
      8,
      "INFO",
      (v) => `${v.ip()} "POST /v2/54fadb412c4e/os-server-external-events HTTP/1.1" status: 200 len: 380`,
    ],
    [6, "INFO", (v) => `${v.ip()} "DELETE /v2/54fadb412c4e/servers/${v.instance()} HTTP/1.1" status: 204`],
    [5, "INFO", (v) => `Creating event network-vif-plugged:${v.instance()}`],
    [4, "DEBUG", (v) => `Quota usage of tenant ${v.below(60)} refreshed, ${v.below(80)} instances`],
    [3, "WARN", (v) => `HTTP exception thrown: no instances found for any event, request req-${v.hex(8)}`],
    [1, "ERROR", (v) => `Unexpected exception in API method, instance ${v.instance()}`],
  ],
};

const novaCompute: ServiceTemplates = {
  service: "nova-compute",
  perMille: 50,
  clock: "ms",
  traced: false,
  templates: [
    [10, "INFO", (v) => `[instance: ${v.instance()}] VM Started (Lifecycle Event)`],
    [
      8,
      "INFO",
      (v) => `[instance: ${v.instance()}] Took ${v.below(30)}.${v.below(100)} seconds to build instance`,
    ],
    [
      6,
      "INFO",
      (v) => `[instance: ${v.instance()}] Deleting instance files /var/lib/nova/instances/${v.hex(8)}_del`,
    ],
    [6, "INFO", (v) => `[instance: ${v.instance()}] Attempting claim: memory 2048 MB, disk 20 GB, vcpus 1`],
    [6, "INFO", (v) => `image ${v.instance()} at (/var/lib/nova/instances/_base/${v.hex(8)}): checking`],
    [
      5,
      "DEBUG",
      (v) => `Hypervisor ${v.host()}: free ram ${v.below(65_536)} MB, free disk ${v.below(2_000)} GB`,
    ],
    [4, "WARN", (v) => `Unknown base file: /var/lib/nova/instances/_base/${v.hex(32)}`],
    [1, "ERROR", (v) => `[instance: ${v.instance()}] Failed to allocate network(s) after ${v.ms()} ms`],
  ],
};

const computeKernel: ServiceTemplates = {
  service: "compute-kernel",
  perMille: 60,
  clock: "µs",
  traced: false,
  templates: [
    [20, "INFO", (v) => `R${v.below(64)}-M${v.below(2)}-N${v.below(16)} generating core.${v.below(32_768)}`],
    [
      10,
      "INFO",
      (v) => `R${v.below(64)}-M${v.below(2)}-N${v.below(16)} instruction cache parity error corrected`,
    ],
    [10, "INFO", (v) => `${v.below(30_000_000)} double-hummer alignment exceptions`],
    [8, "INFO", (v) => `CE sym ${v.below(40)}, at 0x${v.hex(8)}, mask 0x${v.hex(2)}`],
    [6, "INFO", (v) => `iar 00${v.hex(6)} dear 02${v.hex(6)}`],
    [6, "DEBUG", (v) => `ciod: R${v.below(64)}-M${v.below(2)} polled, ${v.below(900)} interrupts`],
    [
      3,
      "WARN",
      (v) => `ddr: excessive soft failures on R${v.below(64)}-M${v.below(2)}, consider replacing the card`,
    ],
    [2, "ERROR", (v) => `data TLB error interrupt at 0x${v.hex(8)}`],
    [1, "ERROR", (v) => `machine check interrupt on R${v.below(64)}-M${v.below(2)}-N${v.below(16)}`],
  ],
};

const postgres: ServiceTemplates = {
  service: "postgres",
  perMille: 40,
  clock: "ms",
  traced: false,
  templates: [
    [
      10,
      "INFO",
      (v) =>
        `duration: ${v.ms()}.${v.below(1000)} ms statement: SELECT * FROM orders WHERE id = ${v.below(1_000_000)}`,
    ],
    [8, "INFO", (v) => `connection authorized: user=${v.user()} database=shop host=${v.ip()}`],
    [
      8,
      "INFO",
      (v) =>
        `disconnection: session time: 0:00:${v.below(60)}.${v.below(1000)} user=${v.user()} database=shop`,
    ],
    [5, "INFO", (v) => `checkpoint complete: wrote ${v.below(20_000)} buffers, sync ${v.ms()} ms`],
    [5, "DEBUG", (v) => `autovacuum: table shop.public.orders, ${v.below(90_000)} tuples removed`],
    [2, "WARN", (v) => `could not receive data from client ${v.ip()}:${v.port()}`],
    [
      1,
      "ERROR",
      (v) => `duplicate key value violates unique constraint orders_pkey, key ${v.below(1_000_000)}`,
    ],
  ],
};

const gateway: ServiceTemplates = {
  service: "gateway",
  perMille: 35,
  clock: "µs",
  traced: true,
  templates: [
    [50, "INFO", ({ request }) => `GET ${request.path} ${request.status} in ${request.durationMs} ms`],
    [16, "INFO", ({ request }) => `POST ${request.path} ${request.status} in ${request.durationMs} ms`],
    [6, "INFO", (v) => `forwarded ${v.request.path} to ${v.ip()}:8080`],
    [8, "DEBUG", (v) => `upstream ${v.ip()}:8080 has ${v.below(90)} open streams`],
    [
      5,
      "WARN",
      ({ request }) =>
        `GET ${request.path} ${request.status}: limit of requests reached by ${request.userId}`,
    ],
    [3, "ERROR", (v) => `upstream ${v.ip()}:8080 failed ${v.request.path} with ${v.request.status}`],
  ],
};

const checkout: ServiceTemplates = {
  service: "checkout",
  perMille: 20,
  clock: "ms",
  traced: true,
  templates: [
    [
      20,
      "INFO",
      (v) => `order ${v.counter()} placed, ${1 + v.below(9)} items, ${v.below(900)}.${10 + v.below(90)} EUR`,
    ],
    [14, "INFO", (v) => `payment of order ${v.counter()} authorised by ${v.one(["visa", "sepa", "paypal"])}`],
    [12, "INFO", (v) => `cart of ${v.request.userId} loaded with ${v.below(20)} items`],
    [8, "DEBUG", (v) => `price rules: ${v.below(300)} looked at, ${v.below(6)} applied in ${v.ms()} ms`],
    [4, "WARN", (v) => `payment of order ${v.counter()} was declined, attempt ${1 + v.below(3)}`],
    [2, "ERROR", (v) => `payment provider timed out after ${v.ms()} ms for order ${v.counter()}`],
  ],
};

const auth: ServiceTemplates = {
  service: "auth",
  perMille: 20,
  clock: "ms",
  traced: true,
  templates: [
    [20, "INFO", ({ request }) => `token issued for ${request.userId}, valid for 3600 s`],
    [16, "INFO", (v) => `login of ${v.request.userId} from ${v.outsideIp()}`],
    [8, "DEBUG", (v) => `session ${v.session()} refreshed in ${v.ms()} ms`],
    [
      5,
      "WARN",
      (v) => `wrong password for ${v.request.userId} from ${v.outsideIp()}, attempt ${1 + v.below(5)}`,
    ],
    [1, "ERROR", (v) => `key set of issuer ${v.below(5)} could not be loaded: ${v.request.status}`],
  ],
};

const search: ServiceTemplates = {
  service: "search",
  perMille: 15,
  clock: "µs",
  traced: true,
  templates: [
    [20, "INFO", (v) => `query "${v.phrase()}" found ${v.below(9_000)} products in ${v.ms()} ms`],
    [6, "INFO", (v) => `index segment ${v.counter()} merged, ${v.below(90_000)} documents`],
    [6, "DEBUG", (v) => `query "${v.phrase()}" rewritten with ${v.below(6)} synonyms`],
    [3, "WARN", (v) => `query "${v.phrase()}" was slow: shard ${v.below(12)} answered after ${v.ms()} ms`],
    [1, "ERROR", (v) => `shard ${v.below(12)} is unavailable on ${v.host()}`],
  ],
};

/** All of them. */
export const serviceTemplates: readonly ServiceTemplates[] = [
  ...[hdfsDatanode, hdfsNamenode, sparkExecutor, sparkDriver, mapreduce, sshd, httpd, zookeeper],
  ...[novaApi, novaCompute, computeKernel, postgres, gateway, checkout, auth, search],
];
