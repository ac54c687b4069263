import { Kafka, logLevel } from 'kafkajs'
import { runBench } from '../bench-run.ts'
import { cpuSecOf } from '../machine.ts'
import { startProcess } from '../processes.ts'
import type { Started } from './brokers.ts'
import { type Direction, type Peer, shown, type Work } from './list.ts'

/** The same work through one client after the other. */

export interface Target {
  readonly name: string
  readonly counts: 'embedded' | 'kafka'
  readonly produce: Started
  /** Holds the topic that is read. */
  readonly consume: Started
}

export interface Figures {
  readonly perSec: number
  readonly clientSecPerMillion: number
  readonly brokerSecPerMillion: number
}

export interface Contender {
  readonly name: string
  readonly direction: Direction
  readonly command: (target: Target) => string
  readonly take: (target: Target) => Promise<Figures>
}

export const partitions = 3
export const readTopic = 'peers-read'

const serverOf = ({ port }: Started): string => `127.0.0.1:${port}`

const wireContender = (
  name: string,
  direction: Direction,
  argsOf: (target: Target) => readonly string[],
): Contender => ({
  name,
  direction,
  command: (target) => `bench ${argsOf(target).join(' ')}`,
  take: (target) => {
    const broker = target[direction]
    return runBench([...argsOf(target), '-b', serverOf(broker)], broker.pid)
  },
})

/** `scale`: a share of the usual records, for a quick look. */
export const wireContenders = (scale: number): readonly Contender[] => {
  const producing = (batch: number, inFlight: number, millions: Record<Target['counts'], number>) =>
    wireContender(`bench, batches of ${batch}`, 'produce', ({ counts }) => [
      ...['--mode', 'produce', '--acks', 'all', '-s', '256', '-p', String(partitions)],
      ...['--batch-records', String(batch), '-c', String(inFlight)],
      ...['-n', String(Math.ceil(millions[counts] * scale) * 1e6), '-w', '500ms'],
    ])
  const consuming = (name: string, ...more: string[]) =>
    wireContender(name, 'consume', () => ['--mode', 'consume', '-t', readTopic, ...more])
  return [
    // As many bytes as a request of the others may have.
    producing(3_500, 6, { embedded: 16, kafka: 3 }),
    producing(100, 16, { embedded: 14, kafka: 2 }),
    consuming('bench, every record checked'),
    consuming('bench, with CRC', '-X', 'check.crcs=true'),
  ]
}

const withAdmin = async <T>(
  server: string,
  run: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> => {
  const admin = new Kafka({ brokers: [server], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await run(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Runs a command, for two minutes at most; with the CPU of its whole process, which bash tells to the ms. */
const runTimed = async (
  command: readonly string[],
): Promise<{ output: string; cpuSec: number }> => {
  const script = 'TIMEFORMAT="cpu %U %S"; time timeout 120 "$@"'
  const child = startProcess('bash', ['-c', script, 'bash', ...command])
  const code = await child.ended
  const output = child.output()
  const told = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(output)
  if (code !== 0 || told === null) throw new Error(`${shown(command)}: exit ${code}: ${output}`)
  const end = told.index
  return { output: output.slice(0, end).trim(), cpuSec: Number(told[1]) + Number(told[2]) }
}

let topics = 0

/** Throws when the broker's end offsets are not what was sent. */
const onFreshTopic = async <T extends { sent: number }>(
  server: string,
  run: (topic: string) => Promise<T>,
): Promise<T> => {
  topics += 1
  const topic = `peers-${topics}`
  return withAdmin(server, async (admin) => {
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] })
    const measured = await run(topic)
    const offsets = await admin.fetchTopicOffsets(topic)
    const stored = offsets.reduce((sum, { high }) => sum + Number(high), 0)
    await admin.deleteTopics({ topics: [topic] })
    if (stored !== measured.sent) throw new Error(`${measured.sent} sent, ${stored} stored`)
    return measured
  })
}

/** A peer in one direction. `startSec`: CPU of a process that does next to nothing. */
class PeerContender implements Contender {
  readonly name: string
  readonly direction: Direction
  readonly #peer: Peer
  readonly #folder: string
  readonly #scale: number
  #startSec: number | null = null

  constructor(peer: Peer, direction: Direction, folder: string, scale: number) {
    this.name = peer.name
    this.direction = direction
    this.#peer = peer
    this.#folder = folder
    this.#scale = scale
  }

  #records({ counts }: Target): number {
    const { thousands } = this.#peer
    const wanted = this.direction === 'consume' ? thousands.consume : thousands[counts]
    return Math.ceil(wanted * this.#scale) * 1_000
  }

  command(target: Target): string {
    const work = { direction: this.direction, server: 'HOST:PORT', topic: 'TOPIC' }
    return shown(this.#peer.command('', { ...work, records: this.#records(target) }))
  }

  async #run(target: Target, records: number) {
    const { direction } = this
    const server = serverOf(target[direction])
    const run = async (topic: string) => {
      const work: Work = { direction, server, topic, records }
      const { output, cpuSec } = await runTimed(this.#peer.command(this.#folder, work))
      return { ...this.#peer.read(output, work), processSec: cpuSec }
    }
    return direction === 'produce' ? onFreshTopic(server, run) : run(readTopic)
  }

  async take(target: Target): Promise<Figures> {
    this.#startSec ??= (await this.#run(target, 10)).processSec
    const records = this.#records(target)
    const { pid } = target[this.direction]
    const before = cpuSecOf(pid)
    const { perSec, sent, cpuMs, processSec } = await this.#run(target, records)
    const brokerSec = cpuSecOf(pid) - before
    const clientSec = cpuMs === null ? processSec - this.#startSec : cpuMs / 1e3
    return {
      perSec,
      clientSecPerMillion: (clientSec / records) * 1e6,
      brokerSecPerMillion: (brokerSec / Math.max(sent, records)) * 1e6,
    }
  }
}

export const contendersOf = (peer: Peer, folder: string, scale: number): Contender[] =>
  (['produce', 'consume'] as const).map(
    (direction) => new PeerContender(peer, direction, folder, scale),
  )
