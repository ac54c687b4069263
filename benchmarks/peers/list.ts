import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { clients, installed, jarsOf, prepare, runProcess } from './conformance.ts'

/** The other clients: what each needs, how it is installed, its command, and how it says what it did. */

// From dist/benchmarks/peers, where this runs.
const programs = fileURLToPath(new URL('../../../benchmarks/peers/', import.meta.url))
const goFolder = path.join(programs, 'go')

export type Direction = 'produce' | 'consume'

export interface Work {
  readonly direction: Direction
  /** HOST:PORT. */
  readonly server: string
  readonly topic: string
  readonly records: number
}

interface Measured {
  readonly perSec: number
  /** With those of the warm-up. */
  readonly sent: number
  /** Null where only the whole process can be measured. */
  readonly cpuMs: number | null
}

export interface Peer {
  readonly name: string
  /** Toolchains. */
  readonly needs: readonly string[]
  /** Thousands of records that take it two or three seconds. */
  readonly thousands: {
    readonly embedded: number
    readonly kafka: number
    readonly consume: number
  }
  /** Where it lies; it is installed into the cache of the conformance run unless it is there. */
  readonly install: () => Promise<string>
  readonly command: (installedAt: string, work: Work) => readonly string[]
  /** Throws when `output` does not say. */
  readonly read: (output: string, work: Work) => Measured
}

/** Of the programs of this folder. */
const readOwn = (output: string, { direction }: Work): Measured => {
  const line = output.split('\n').find((text) => text.startsWith('{'))
  if (line === undefined) throw new Error(`no result in: ${output}`)
  const { records, elapsedMs, cpuMs } = JSON.parse(line) as Record<string, number>
  if (records === undefined || elapsedMs === undefined) throw new Error(`no result in: ${line}`)
  const sent = direction === 'produce' ? records + Math.ceil(records / 10) : 0
  return { perSec: (records / elapsedMs) * 1e3, sent, cpuMs: cpuMs ?? null }
}

/** The last: some tell each second how far they are. `pattern` is global. */
const numberIn = (output: string, pattern: RegExp): number => {
  const found = [...output.matchAll(pattern)].at(-1)?.[1]
  if (found === undefined) throw new Error(`no ${pattern} in: ${output}`)
  return Number(found)
}

/** The programs in Go: the client, and kfake, the broker. */
export const installGo = (): Promise<string> => {
  const sources = ['franz-go/main.go', 'kfake/main.go', 'go.sum']
  const key = sources.map((file) => readFileSync(path.join(goFolder, file), 'utf8')).join('')
  return installed('peers-go', key, (folder) =>
    runProcess('go', ['build', '-buildvcs=false', '-o', folder, './...'], { cwd: goFolder }),
  )
}

const nodePeer = (name: string, install: Peer['install']): Omit<Peer, 'needs' | 'thousands'> => ({
  name,
  install,
  command: (installedAt, { direction, server, topic, records }) => [
    ...[process.execPath, path.join(programs, `${name}.mjs`)],
    ...[direction, server, topic, String(records), installedAt],
  ],
  read: readOwn,
})

const installOf = (name: string) => async (): Promise<string> => (await prepare(name)).folder

const kafkajs: Peer = {
  ...nodePeer('kafkajs', async () => ''),
  needs: [],
  thousands: { embedded: 300, kafka: 300, consume: 1_000 },
}

const platformatic: Peer = {
  ...nodePeer('platformatic', installOf('platformatic')),
  needs: clients['platformatic']?.needs ?? [],
  thousands: { embedded: 800, kafka: 800, consume: 400 },
}

const nodeRdkafka: Peer = {
  ...nodePeer('node-rdkafka', installOf('node-rdkafka')),
  needs: clients['node-rdkafka']?.needs ?? [],
  thousands: { embedded: 2_000, kafka: 1_500, consume: 500 },
}

const franzGo: Peer = {
  name: 'franz-go',
  needs: ['go'],
  thousands: { embedded: 4_000, kafka: 3_000, consume: 6_000 },
  install: installGo,
  command: (installedAt, { direction, server, topic, records }) => [
    path.join(installedAt, 'franz-go'),
    ...[direction, server, topic, String(records)],
  ],
  read: readOwn,
}

/** librdkafka's own, which the build of node-rdkafka makes too. */
const rdkafkaPerformance: Peer = {
  name: 'rdkafka_performance',
  needs: nodeRdkafka.needs,
  thousands: { embedded: 5_000, kafka: 3_000, consume: 4_000 },
  install: async () => {
    const folder = await nodeRdkafka.install()
    return path.join(folder, 'node_modules/node-rdkafka/deps/librdkafka/examples')
  },
  command: (installedAt, { direction, server, topic, records }) => {
    const [program, count] = [path.join(installedAt, 'rdkafka_performance'), String(records)]
    const where = ['-t', topic, '-b', server, '-c', count]
    const producing = ['-P', ...where, '-s', '256', '-a', '-1', '-X', 'linger.ms=5']
    const reading = ['-X', 'auto.offset.reset=earliest', '-X', 'fetch.queue.backoff.ms=2']
    const group = `${topic}-${process.hrtime.bigint()}`
    return [program, ...(direction === 'produce' ? producing : ['-G', group, ...where, ...reading])]
  },
  read: (output, { records }) => {
    const perSec = numberIn(output, /in \d+ms: (\d+) msgs\/s/g)
    return { perSec, sent: records, cpuMs: null }
  },
}

const toolsVersion = '4.3.1'

/** Of ProducerPerformance; they are sent before those that are measured. */
const warmUpShare = 0.25

const java: Peer = {
  name: "Kafka's Java tools",
  needs: ['java', 'mvn'],
  thousands: { embedded: 2_000, kafka: 1_500, consume: 4_000 },
  install: () => jarsOf('org.apache.kafka:kafka-tools', toolsVersion),
  command: (installedAt, { direction, server, topic, records }) => {
    const tool = (name: string): string[] => [
      ...['java', '-Xmx512m', '-cp', path.join(installedAt, '*'), `org.apache.kafka.tools.${name}`],
      ...['--topic', topic, '--num-records', String(records)],
    ]
    if (direction === 'consume')
      return [...tool('ConsumerPerformance'), '--bootstrap-server', server]
    const settings = ['acks=all', 'enable.idempotence=false', 'batch.size=262144', 'linger.ms=5']
    return [
      ...[...tool('ProducerPerformance'), '--record-size', '256', '--throughput', '-1'],
      ...['--warmup-records', String(Math.floor(records * warmUpShare))],
      ...['--command-property', `bootstrap.servers=${server}`, ...settings],
    ]
  },
  read: (output, { direction, records }) => {
    if (direction === 'produce') {
      const perSec = numberIn(output, /steady state records sent, ([\d.]+) records\/sec/g)
      return { perSec, sent: records, cpuMs: null }
    }
    // Its last column: without the join of the group.
    return { perSec: numberIn(output, /, ([\d.]+)\s*$/g), sent: 0, cpuMs: null }
  },
}

/** As a person would type it. */
export const shown = (command: readonly string[]): string =>
  command
    .map((word) =>
      word === process.execPath ? 'node' : word.replace(programs, 'benchmarks/peers/'),
    )
    .join(' ')
    .replace(/TOPIC-\d+/, 'GROUP')
    .trim()

export const peers: readonly Peer[] = [
  ...[franzGo, rdkafkaPerformance, nodeRdkafka, platformatic, java, kafkajs],
]
