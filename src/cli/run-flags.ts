import { Command, Option } from 'commander'

/** The flags of `bench run`: names, defaults and help. Their values are read in `run-options.ts`. */

/** What commander hands over: text as typed, in camelCase; absent when not given and without a default. */
export interface RawFlags {
  bootstrapServers?: string
  connectTimeout: string
  topic?: string
  createTopic?: boolean
  keepTopic?: boolean
  deleteTopicAfter?: boolean
  mode: string
  concurrency: string
  batchRecords?: string
  messageSize: string
  duration?: string
  messageCount?: string
  warmupDuration?: string
  rate?: string
  rateLimit?: string
  pacer?: string
  findMax?: boolean
  client: string
  workers: string
  partitions: string
  replicationFactor: string
  acks?: string
  compression: string
  lingerMs: string
  batchSize: string
  idempotent?: boolean
  requestTimeoutMs: string
  messageTimeoutMs: string
  keyPattern: string
  partitioner: string
  payloadPattern: string
  compressibility?: string
  seed?: string
  consumerGroup?: string
  consumers: string
  stagger: string
  disableAutoCommit?: boolean
  from: string
  until: string
  fetchMinBytes: string
  fetchMaxWaitMs: string
  maxPartitionFetchBytes: string
  isolation: string
  sessionTimeoutMs: string
  assignor: string
  reportIntervalSecs: string
  failIf?: string[]
  validate?: boolean
  jsonOutput?: string
  csvOutput?: string
  html?: string
  prometheusPort?: string
  prometheusHost: string
  resultsDir: string
  save: boolean
  label?: string
  quiet?: boolean
  verbose?: boolean
  config?: string
  dataDir: string
  brokerConfig?: string[]
  defect?: string
  tls?: boolean
  tlsCa?: string
  tlsCert?: string
  tlsKey?: string
  sasl?: string
  saslUsername?: string
  saslPasswordFile?: string
  X?: string[]
  repeat?: string
  scan?: string[]
  prepare?: string
  cleanup?: string
  [later: string]: unknown
}

/** `--prepare` alone would do nothing, so it makes a series too: of one run. */
export const isSeries = ({ repeat, scan, prepare, cleanup }: RawFlags): boolean =>
  [repeat, scan, prepare, cleanup].some((flag) => flag !== undefined)

/** Flags kept for later: they exit 2 and say so. */
export const laterFlags = ['profile'] as const

const collect = (value: string, previous: string[] | undefined): string[] => [
  ...(previous ?? []),
  value,
]

const repeatable = (flags: string, help: string): Option =>
  new Option(flags, help).argParser(collect)

const addTargetFlags = (command: Command): Command =>
  command
    .optionsGroup('Broker and topic:')
    .addOption(
      new Option(
        '-b, --bootstrap-servers <list>',
        'HOST:PORT[,…] of the broker under test (default: the embedded broker)',
      ).env('KAFKA_BOOTSTRAP_SERVERS'),
    )
    .option('--connect-timeout <time>', 'how long to try to reach the broker', '10s')
    .addOption(
      new Option('-t, --topic <name>', 'topic (default: a fresh bench-<run id>)').env(
        'KAFKA_TOPIC',
      ),
    )
    .option('--create-topic', 'the topic must not exist yet')
    .option('--keep-topic', 'keep a fresh topic after the run')
    .option('--delete-topic-after', 'delete the given topic after the run')
    .option('-p, --partitions <n>', 'partitions of a topic that the run creates', '3')
    .option('-r, --replication-factor <n>', 'replicas of a topic that the run creates', '1')
    .option('--data-dir <dir>', 'data of the embedded broker: a folder, memory or ring', '.bench')
    .addOption(
      repeatable(
        '--broker-config <name=value>',
        "setting of the embedded broker, by Kafka's name (repeatable)",
      ),
    )
    .option('--defect <name>', 'a bug for the embedded broker to have; docs/DEFECTS.md lists them')

const addLoadFlags = (command: Command): Command =>
  command
    .optionsGroup('Load:')
    .option('-m, --mode <mode>', 'produce, consume, round-trip or metadata', 'produce')
    .option('-c, --concurrency <n>', 'records sent and not yet acked, over all workers', '64')
    .option(
      '--batch-records <n>',
      'exactly so many records per request; -c then counts requests (default: what is ready)',
    )
    .option('-s, --message-size <bytes>', 'size of the record value', '1024')
    .option('-d, --duration <time>', 'length of the measurement (default: 60s; none with -n)')
    .option('-n, --message-count <n>', 'exactly so many records, then the run ends')
    .option('-w, --warmup-duration <time>', 'warm-up before it (default: 5s; 0s with -n)')
    .option(
      '--rate <records/s>',
      'open loop: intended send times at this rate (default: closed loop)',
    )
    .addOption(new Option('--rate-limit <records/s>', 'same as --rate').hideHelp())
    .option(
      '--pacer <name>',
      'what keeps the times of --rate: timer, precise or spin (default: precise)',
    )
    .option('--client <name>', 'client: wire, kafkajs, platformatic or librdkafka', 'wire')
    .option(
      '--workers <n>',
      'threads that produce, each with connections and a part of the load of its own',
      '1',
    )

const addProducerFlags = (command: Command): Command =>
  command
    .optionsGroup('Producer:')
    .option('--acks <acks>', '0, 1, all or -1 (default: 1; all with --idempotent)')
    .option('--compression <codec>', 'none, gzip, snappy, lz4 or zstd', 'none')
    .option('--linger-ms <ms>', 'how long a record may wait for others', '0')
    .option('--batch-size <bytes>', 'upper bound of a record batch', '16384')
    .option('--idempotent', 'idempotent producer')
    .option('--request-timeout-ms <ms>', 'time limit of one request', '30000')
    .option('--message-timeout-ms <ms>', 'time limit of one record', '60000')
    .option('--key-pattern <name>', 'none, random, sequential, fixed or zipf', 'none')
    .option('--partitioner <name>', 'of records without keys: round-robin or sticky', 'round-robin')
    .option('--payload-pattern <name>', 'random, zeros, text or a file', 'random')
    .option('--compressibility <0..1>', 'share of each value that is repeated bytes')
    .option('--seed <n>', 'seed of keys and payloads (default: fresh)')
    .option('--validate', 'after a produce, read the whole range back and account for it')

const addConsumerFlags = (command: Command): Command =>
  command
    .optionsGroup('Consumer:')
    .option('--consumer-group <name>', 'group (default: a fresh one per run)')
    .option('--consumers <n>', 'members of the group in this command', '1')
    .option('--stagger <time>', 'consumer i starts at i × this', '0s')
    .option('--disable-auto-commit', 'commit nothing')
    .option('--from <where>', 'committed, earliest or latest', 'committed')
    .option('--until <end>', 'drained (all read) or duration', 'drained')
    .option('--fetch-min-bytes <bytes>', 'least data of one fetch', '1')
    .option('--fetch-max-wait-ms <ms>', 'longest wait of one fetch', '500')
    .option('--max-partition-fetch-bytes <bytes>', 'most data of one partition', '1048576')
    .option('--isolation <level>', 'read-uncommitted or read-committed', 'read-uncommitted')
    .option('--session-timeout-ms <ms>', 'session timeout of a member', '45000')
    .option('--assignor <name>', 'range, round-robin or cooperative-sticky', 'range')

const addOutputFlags = (command: Command): Command =>
  command
    .optionsGroup('Results:')
    .option('--report-interval-secs <s>', 'progress line every so often; 0 = none', '1')
    .addOption(
      repeatable(
        '--fail-if <condition>',
        "the run fails when it is true, such as 'p99>10ms' (repeatable)",
      ),
    )
    .option('--json-output <file>', 'also write the result there; - is standard output')
    .option('--csv-output <file>', 'write one CSV row there')
    .option('--html <file>', 'write a page with charts there')
    .option('--prometheus-port <port>', 'serve /metrics there while the run goes on')
    .option('--prometheus-host <address>', 'the address to serve it on', '127.0.0.1')
    .option('--results-dir <dir>', 'where every run is saved', 'results')
    .option('--no-save', 'do not save the run')
    .option('--label <text>', 'label of the run, such as the version under test')
    .option('--quiet', 'no progress and no report')
    .option('-v, --verbose', 'say what is done meanwhile')
    .option('--config <file>', 'JSON file of options; the command line goes before it')
    .option('--omb <file>', 'workload of OpenMessaging Benchmark; likewise')
    .option('--omb-driver <file>', 'its driver file for Kafka; likewise')

const addSecurityFlags = (command: Command): Command =>
  command
    .optionsGroup('Security (external brokers):')
    .option('--tls', 'encrypt')
    .option('--tls-ca <file>', 'certificate authority, PEM')
    .option('--tls-cert <file>', 'client certificate, PEM')
    .option('--tls-key <file>', 'key of the client certificate, PEM')
    .option('--sasl <mechanism>', 'plain, scram-sha-256 or scram-sha-512')
    .option('--sasl-username <name>', 'user; the password comes from BENCH_SASL_PASSWORD')
    .option('--sasl-password-file <file>', 'or from the first line of this file')
    .addOption(repeatable('-X <name=value>', "client setting by Kafka's dotted name (repeatable)"))

const addSeriesFlags = (command: Command): Command =>
  command
    .optionsGroup('Series (each run on a broker and a topic of its own):')
    .option('--repeat <n>', 'so many runs')
    .addOption(
      repeatable(
        '--scan <option=values>',
        'a run for each value, such as message-size=100,1000 (repeatable: every combination)',
      ),
    )
    .option('--find-max', 'the highest rate that holds, from --rate on (default: from 1000)')
    .option('--prepare <command>', 'shell command before each run')
    .option('--cleanup <command>', 'shell command after each run')

const addLaterFlags = (command: Command): Command => {
  for (const name of laterFlags) command.addOption(new Option(`--${name} [value]`).hideHelp())
  return command
}

export const addRunFlags = (command: Command): Command =>
  [
    addTargetFlags,
    addLoadFlags,
    addProducerFlags,
    addConsumerFlags,
    addOutputFlags,
    addSecurityFlags,
    addSeriesFlags,
    addLaterFlags,
  ].reduce((made, add) => add(made), command)
