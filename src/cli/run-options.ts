import { randomInt } from 'node:crypto'
import type { KeyPattern, PayloadPattern, RunOptions } from '../bench/options.ts'
import { pacerNames } from '../bench/waker.ts'
import { settingsOfEnvironment } from '../broker/settings.ts'
import type { Acks, SecurityOptions } from '../clients/driver.ts'
import { UsageError } from '../errors.ts'
import type { Mode } from '../results/result.ts'
import { laterFlags, type RawFlags } from './run-flags.ts'
import {
  parseBootstrapServers,
  parseChoice,
  parseDuration,
  parseFraction,
  parseInteger,
  parsePairs,
  parseRate,
  parseThreshold,
  parseTopic,
  readFileOf,
  refuse,
} from './values.ts'

/** From typed flags to checked `RunOptions`. Nothing is started or written here; files are only read. */

const modes = ['produce', 'consume', 'round-trip', 'metadata'] as const
const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const partitioners = ['round-robin', 'sticky'] as const
const keyPatterns = ['none', 'random', 'sequential', 'fixed', 'zipf'] as const
const maxInt32 = 2 ** 31 - 1
const maxPayloadFileBytes = 64 * 2 ** 20

const notYet = (flag: string): never => {
  throw new UsageError(`--${flag}: not available yet in this version`)
}

const camelCase = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

const refuseLaterFlags = (raw: RawFlags): void => {
  for (const flag of laterFlags) if (raw[camelCase(flag)] !== undefined) notYet(flag)
}

const parseClient = (text: string): RunOptions['client'] =>
  parseChoice('client', text, ['wire', 'kafkajs', 'platformatic', 'librdkafka'])

const parsePacer = ({ pacer, rate, rateLimit, findMax }: RawFlags): RunOptions['pacer'] => {
  if (pacer === undefined) return 'precise'
  const name = parseChoice('pacer', pacer, pacerNames)
  if ((rate ?? rateLimit ?? findMax) !== undefined) return name
  throw new UsageError(`--pacer ${name}: --rate is missing; nothing else has intended times`)
}

const parseWorkers = (raw: RawFlags, mode: Mode): number => {
  const workers = parseInteger('workers', raw.workers, 1, 64)
  if (workers === 1) return workers
  if (mode === 'consume' || mode === 'metadata') {
    refuse('workers', raw.workers, `only 1 is allowed in --mode ${mode}`)
  }
  const concurrency = parseInteger('concurrency', raw.concurrency, 1, 1_000_000)
  return workers <= concurrency
    ? workers
    : refuse('workers', raw.workers, `at most the ${concurrency} of --concurrency are allowed`)
}

const acksByName: Record<string, Acks> = { '0': 0, '1': 1, '-1': -1, all: -1 }

const parseAcks = (raw: RawFlags): Acks => {
  const text = raw.acks ?? (raw.idempotent === true ? 'all' : '1')
  const acks = Object.hasOwn(acksByName, text) ? acksByName[text] : undefined
  if (acks === undefined) return refuse('acks', text, '0, 1, all or -1 is allowed')
  if (raw.idempotent === true && acks !== -1) {
    return refuse('acks', text, 'an idempotent producer needs --acks all')
  }
  return acks
}

const parsePayload = (
  text: string,
): { payloadPattern: PayloadPattern; payloadFile: RunOptions['payloadFile'] } => {
  const pattern = (['random', 'zeros', 'text'] as const).find((name) => name === text)
  if (pattern !== undefined) return { payloadPattern: pattern, payloadFile: null }
  const content = readFileOf(
    'payload-pattern',
    text,
    maxPayloadFileBytes,
    'random, zeros, text or ',
  )
  if (content.length === 0) refuse('payload-pattern', text, 'the file is empty')
  return { payloadPattern: 'file', payloadFile: { path: text, content } }
}

const readPassword = (raw: RawFlags, env: NodeJS.ProcessEnv): string => {
  if (raw.saslPasswordFile !== undefined) {
    const text = readFileOf('sasl-password-file', raw.saslPasswordFile, 65_536).toString('utf8')
    return text.split(/\r?\n/, 1)[0] ?? ''
  }
  const password = env['BENCH_SASL_PASSWORD']
  if (password === undefined) {
    throw new UsageError(
      '--sasl: the password is missing; set BENCH_SASL_PASSWORD or --sasl-password-file',
    )
  }
  return password
}

const parseSecurity = (raw: RawFlags, env: NodeJS.ProcessEnv): SecurityOptions => {
  const usesTls = raw.tls === true || Boolean(raw.tlsCa ?? raw.tlsCert ?? raw.tlsKey)
  if ((raw.tlsCert === undefined) !== (raw.tlsKey === undefined)) {
    throw new UsageError('--tls-cert and --tls-key: give both or neither')
  }
  const tls = usesTls
    ? {
        caFile: raw.tlsCa ?? null,
        certFile: raw.tlsCert ?? null,
        keyFile: raw.tlsKey ?? null,
      }
    : null
  const files = { 'tls-ca': raw.tlsCa, 'tls-cert': raw.tlsCert, 'tls-key': raw.tlsKey }
  for (const [flag, file] of Object.entries(files)) {
    if (file !== undefined) readFileOf(flag, file, 2 ** 20)
  }
  if (raw.sasl === undefined) {
    const flag = raw.saslUsername === undefined ? '--sasl-password-file' : '--sasl-username'
    if ((raw.saslUsername ?? raw.saslPasswordFile) === undefined) return { tls, sasl: null }
    throw new UsageError(`${flag}: --sasl is missing, such as --sasl plain`)
  }
  const mechanism = parseChoice('sasl', raw.sasl, ['plain', 'scram-sha-256', 'scram-sha-512'])
  if (raw.saslUsername === undefined) {
    throw new UsageError('--sasl: --sasl-username is missing')
  }
  const password = readPassword(raw, env)
  return { tls, sasl: { mechanism, username: raw.saslUsername, password } }
}

const parseTimes = (
  raw: RawFlags,
  mode: Mode,
): Pick<RunOptions, 'durationMs' | 'messageCount' | 'warmupDurationMs'> => {
  const messageCount =
    raw.messageCount === undefined
      ? null
      : parseInteger('message-count', raw.messageCount, 1, 10 ** 12)
  const hasCount = messageCount !== null
  const warmsUp = mode === 'produce' || mode === 'round-trip'
  const warmup = raw.warmupDuration ?? (hasCount || !warmsUp ? '0s' : '5s')
  return {
    messageCount,
    durationMs:
      raw.duration === undefined
        ? hasCount
          ? null
          : 60_000
        : parseDuration('duration', raw.duration, 1),
    warmupDurationMs: parseDuration('warmup-duration', warmup) * Number(warmsUp),
  }
}

const parseTopicFlags = (
  raw: RawFlags,
  mode: Mode,
): Pick<RunOptions, 'topic' | 'createTopic' | 'keepTopic' | 'deleteTopicAfter'> => {
  if (raw.createTopic === true && (mode === 'consume' || mode === 'metadata')) {
    throw new UsageError('--create-topic: only --mode produce and round-trip create topics')
  }
  return {
    topic: raw.topic === undefined ? null : parseTopic('topic', raw.topic),
    createTopic: raw.createTopic ?? false,
    keepTopic: raw.keepTopic ?? false,
    deleteTopicAfter: raw.deleteTopicAfter ?? false,
  }
}

const parseProducer = (raw: RawFlags) => ({
  acks: parseAcks(raw),
  compression: parseChoice('compression', raw.compression, compressions),
  lingerMs: parseInteger('linger-ms', raw.lingerMs, 0, 600_000),
  batchSizeBytes: parseInteger('batch-size', raw.batchSize, 0, maxInt32),
  isIdempotent: raw.idempotent ?? false,
  keyPattern: parseChoice<KeyPattern>('key-pattern', raw.keyPattern, keyPatterns),
  partitioner: parseChoice('partitioner', raw.partitioner, partitioners),
  ...parsePayload(raw.payloadPattern),
  compressibility:
    raw.compressibility === undefined
      ? null
      : parseFraction('compressibility', raw.compressibility),
  seed: raw.seed === undefined ? randomInt(maxInt32) : parseInteger('seed', raw.seed, 0, maxInt32),
})

const parseGroup = (raw: RawFlags): string | null => {
  const group = raw.consumerGroup
  if (group === undefined) return null
  return group.length >= 1 && group.length <= 249
    ? group
    : refuse('consumer-group', group, 'a name of 1 to 249 characters is allowed')
}

const parseConsumer = (raw: RawFlags) => ({
  consumerGroup: parseGroup(raw),
  consumers: parseInteger('consumers', raw.consumers, 1, 1_000),
  staggerMs: parseDuration('stagger', raw.stagger),
  autoCommit: raw.disableAutoCommit !== true,
  from: parseChoice('from', raw.from, ['committed', 'earliest', 'latest']),
  until: parseChoice('until', raw.until, ['drained', 'duration']),
  fetchMinBytes: parseInteger('fetch-min-bytes', raw.fetchMinBytes, 0, maxInt32),
  fetchMaxWaitMs: parseInteger('fetch-max-wait-ms', raw.fetchMaxWaitMs, 0, 600_000),
  maxPartitionFetchBytes: parseInteger(
    'max-partition-fetch-bytes',
    raw.maxPartitionFetchBytes,
    1,
    maxInt32,
  ),
  isolation: parseChoice('isolation', raw.isolation, ['read-uncommitted', 'read-committed']),
  sessionTimeoutMs: parseInteger('session-timeout-ms', raw.sessionTimeoutMs, 1, maxInt32),
  assignor: parseChoice('assignor', raw.assignor, ['range', 'round-robin', 'cooperative-sticky']),
})

const parseTarget = (raw: RawFlags, env: NodeJS.ProcessEnv) => ({
  bootstrapServers:
    raw.bootstrapServers === undefined
      ? null
      : parseBootstrapServers('bootstrap-servers', raw.bootstrapServers),
  connectTimeoutMs: parseDuration('connect-timeout', raw.connectTimeout, 1),
  requestTimeoutMs: parseInteger('request-timeout-ms', raw.requestTimeoutMs, 1, 3_600_000),
  messageTimeoutMs: parseInteger('message-timeout-ms', raw.messageTimeoutMs, 1, 3_600_000),
  partitions: parseInteger('partitions', raw.partitions, 1, 10_000),
  replicationFactor: parseInteger('replication-factor', raw.replicationFactor, 1, 1_000),
  clientProperties: parsePairs('X', raw.X ?? []),
  dataDir: raw.dataDir === '' ? refuse('data-dir', '', 'a folder, memory or ring') : raw.dataDir,
  defect: raw.defect ?? null,
  brokerConfig: {
    ...(raw.bootstrapServers === undefined ? settingsOfEnvironment(env) : {}),
    ...parsePairs('broker-config', raw.brokerConfig ?? []),
  },
})

export const parseRunOptions = (raw: RawFlags, env: NodeJS.ProcessEnv): RunOptions => {
  refuseLaterFlags(raw)
  const mode = parseChoice<Mode>('mode', raw.mode, modes)
  const rate = raw.rate ?? raw.rateLimit
  return {
    mode,
    ...parseTopicFlags(raw, mode),
    ...parseTimes(raw, mode),
    concurrency: parseInteger('concurrency', raw.concurrency, 1, 1_000_000),
    batchRecords:
      raw.batchRecords === undefined
        ? null
        : parseInteger('batch-records', raw.batchRecords, 1, 1_000_000),
    messageSizeBytes: parseInteger('message-size', raw.messageSize, 0, 2 ** 30),
    rateRecordsPerSec: rate === undefined ? null : parseRate('rate', rate),
    pacer: parsePacer(raw),
    client: parseClient(raw.client),
    workers: parseWorkers(raw, mode),
    ...parseProducer(raw),
    ...parseConsumer(raw),
    reportIntervalMs: parseInteger('report-interval-secs', raw.reportIntervalSecs, 0, 3_600) * 1e3,
    failIf: (raw.failIf ?? []).map((text) => parseThreshold('fail-if', text)),
    validate: raw.validate ?? false,
    ...parseTarget(raw, env),
    security: parseSecurity(raw, env),
    label: raw.label ?? null,
  }
}

const loadOnly = [
  'acks',
  'batchRecords',
  'lingerMs',
  'batchSize',
  'idempotent',
  'messageTimeoutMs',
  'compression',
  'messageSize',
  'keyPattern',
  'partitioner',
  'payloadPattern',
  'compressibility',
  'seed',
]
const groupOnly = [
  'consumerGroup',
  'consumers',
  'stagger',
  'disableAutoCommit',
  'from',
  'until',
  'sessionTimeoutMs',
  'assignor',
]

/** Flags given on the command line that the run does not use: told to the user rather than ignored in silence. */
export const unusedFlags = (
  { mode, topic }: Pick<RunOptions, 'mode' | 'topic'>,
  given: readonly string[],
): string[] => {
  // Without a topic, consume fills one first.
  const fills = topic === null
  const unpaced = ['rate', 'rateLimit', 'warmupDuration', 'validate']
  const unused: Record<Mode, readonly string[]> = {
    produce: groupOnly,
    'round-trip': [...groupOnly, 'validate'],
    consume: [...unpaced, ...(fills ? [] : [...loadOnly, 'concurrency'])],
    metadata: [...loadOnly, ...groupOnly, 'validate', 'warmupDuration'],
  }
  return given.filter((name) => unused[mode].includes(name))
}
