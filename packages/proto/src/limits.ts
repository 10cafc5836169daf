/**
 * Every limit of the service: what one client may ask of it, and what it holds
 * on to. Clients and server share them, so that a client can stay within what
 * the server will take.
 *
 * Names are noun, unit, bound. Bytes are bytes as encoded, UTF-8 for text.
 * A limit acts before what it limits is buffered.
 */
export const limits = {
  /** One encoded entry. Room for the longest stack traces; more is a file, not an entry. */
  entryBytesMax: 1024 * 1024,

  /** One encoded batch of WriteLogs, ShipLogs or UploadLogs: 16 entries of the greatest size. */
  batchBytesMax: 16 * 1024 * 1024,

  /** Entries in one batch, so that an answer's rejections stay small too. */
  batchEntriesMax: 100_000,

  /** Attributes of one entry. OTLP's usual limit is 128; twice that leaves room for resource attributes. */
  attributesMax: 256,

  /** An attribute's key. VictoriaLogs has the same. */
  attributeKeyBytesMax: 128,

  /** The level's text. The longest known one has 13 bytes. */
  levelBytesMax: 64,

  /** The service's name. OpenTelemetry's names are far shorter. */
  serviceBytesMax: 256,

  /** A producer's name: a UUID has 36 bytes, a host and process id fit as well. */
  producerIdBytesMax: 128,

  /** An entry's sequence: what a JavaScript number holds exactly. */
  sequenceMax: Number.MAX_SAFE_INTEGER,

  /** A filter's text. One filter is matched against every entry. */
  filterBytesMax: 8 * 1024,

  /** How deep a filter's parentheses and negations nest, so that no filter can exhaust the stack. */
  filterDepthMax: 64,

  /** Regular expressions in one filter: RE2's automaton takes up to 8 MiB for each. */
  filterRegexpsMax: 16,

  /**
   * The size of a filter's regular expressions together, in RE2's instructions.
   * At the worst each of them costs 20 ns for every character of a text.
   */
  filterRegexpSizeMax: 1_000,

  /** Entries in one page of a query, and in a tail's backlog (`last`): held in memory while sorted. */
  pageEntriesMax: 10_000,

  /** Bytes of entries in one page, or in a tail's backlog; past it the page ends early and the next one goes on. */
  pageBytesMax: 64 * 1024 * 1024,

  /** Entries in a page when the request does not say. */
  pageEntriesDefault: 100,

  /** Buckets of a histogram: more than any screen has columns. */
  bucketsMax: 10_000,

  /** Buckets of a histogram when the request does not say. */
  bucketsDefault: 60,

  /** Series of a histogram; what is beyond is counted together. */
  groupsMax: 100,

  /** Series of a histogram when the request does not say. */
  groupsDefault: 10,

  /** Values in one answer of ListValues. */
  valuesMax: 1_000,

  /** Values in one answer of ListValues when the request does not say. */
  valuesDefault: 20,

  /** Different values counted for one ListValues or histogram, about 10 MB of them. */
  distinctValuesMax: 100_000,

  /** Bytes of those values; further ones count like those beyond `distinctValuesMax`. */
  distinctValuesBytesMax: 16 * 1024 * 1024,

  /** Rejections told in an upload's summary; they are counted all the same. */
  uploadRejectionsMax: 100,

  /** Bytes received on one ingest stream and not yet answered; past it the stream is not read. */
  streamInFlightBytesMax: 4 * 1024 * 1024,

  /** The same for all ingest together. */
  inFlightBytesMax: 256 * 1024 * 1024,

  /**
   * What an HTTP/2 peer of ours may send ahead on one stream: at 1 ms of round
   * trip the usual 64 KiB allow 64 MB/s, this 1 GB/s.
   */
  streamWindowBytes: 1024 * 1024,

  /** The same on all streams of a connection together: while it is full, Node serves some streams before others. */
  connectionWindowBytes: 4 * 1024 * 1024,

  /** Bytes of unary requests received and not yet answered, all together; past it a request is refused, to be sent again. */
  unaryBytesMax: 256 * 1024 * 1024,

  /** Bytes of entries in one response of a tail or a query: small enough to start rendering at once. */
  responseBytesMax: 256 * 1024,

  /** Silence on a tail, at the longest: proxies cut idle streams after 30 s, Fastify an idle session after 72 s. */
  heartbeatIntervalMs: 15_000,

  /** Open tails in one process: 1.3 GB at the 65 KB that each takes with its HTTP/2 stream and its call. */
  tailsMax: 20_000,

  /**
   * Bytes of encoded entries that tails at the head of the log share: a second's
   * worth of matches for a hundred filters, so that a reader who is a moment
   * late still finds them. Past it the oldest are forgotten, and encoded anew
   * for who needs them.
   */
  sharedMatchesBytesMax: 32 * 1024 * 1024,

  /** Queries, counts and facets running or waiting in one process: each may hold a page or a histogram. */
  queriesMax: 256,

  /** The least and the greatest time between two answers of WatchStats. */
  statsIntervalMsMin: 100,
  statsIntervalMsMax: 60_000,
  statsIntervalMsDefault: 1_000,
} as const;
