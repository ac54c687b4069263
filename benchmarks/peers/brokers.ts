import path from 'node:path'
import { runBench } from '../bench-run.ts'
import { memoryMiBOf } from '../machine.ts'
import { startBroker, startListening, stop } from '../processes.ts'
import { kafkaVersion, startApacheKafka } from './conformance.ts'

/** Brokers under the same load of the wire client. */

export interface Started {
  readonly port: number
  readonly pid: number
  readonly startMs: number
  readonly stop: () => Promise<void>
}

export interface BrokerKind {
  readonly name: string
  readonly needs: readonly string[]
  readonly start: () => Promise<Started>
}

/** As Kafka's own scripts start it. */
const jvmFlags = [
  ...['-Xmx1g', '-Xms1g', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'],
  ...['-XX:InitiatingHeapOccupancyPercent=35', '-XX:+ExplicitGCInvokesConcurrent'],
]

export const apacheKafka: BrokerKind = {
  name: `Apache Kafka ${kafkaVersion}`,
  needs: ['java', 'mvn'],
  start: () =>
    // Deleted topics must not fill the disk.
    startApacheKafka(
      { 'log.segment.delete.delay.ms': 500, 'group.initial.rebalance.delay.ms': 0 },
      null,
      jvmFlags,
    ),
}

/** `place` is `--data-dir` and settings. */
export const startEmbedded = async (...place: string[]): Promise<Started> => {
  const { child, port, startMs } = await startBroker(...place)
  return { port, pid: child.process.pid ?? 0, startMs, stop: () => stop(child) }
}

export const embedded: BrokerKind = {
  name: 'embedded, ring',
  needs: [],
  start: () => startEmbedded('--data-dir', 'ring', '-X', 'store.max.bytes=268435456'),
}

/** `folder`: of the programs in Go. */
export const kfakeIn = (folder: string): BrokerKind => ({
  name: "franz-go's kfake",
  needs: ['go'],
  start: async () => {
    const program = path.join(folder, 'kfake')
    const { child, port, startMs } = await startListening(program, [], /127\.0\.0\.1:(\d+)/)
    return { port, pid: child.process.pid ?? 0, startMs, stop: () => stop(child) }
  },
})

export interface BrokerFigures {
  readonly startMs: number
  readonly idleMiB: number
  readonly loadedMiB: number
  readonly perSec: number
  readonly secPerMillion: number
}

export const brokerLoad = [
  ...['--mode', 'produce', '--acks', 'all', '-s', '256', '--batch-records', '100', '-c', '16'],
]

/** One start, one load. */
export const takeBroker = async (
  kind: BrokerKind,
  time: readonly string[],
): Promise<BrokerFigures> => {
  const { port, pid, startMs, stop: end } = await kind.start()
  try {
    const idleMiB = memoryMiBOf(pid).resident
    const where = ['-b', `127.0.0.1:${port}`]
    const { perSec, brokerSecPerMillion } = await runBench([...brokerLoad, ...time, ...where], pid)
    const loadedMiB = memoryMiBOf(pid).resident
    return { startMs, idleMiB, loadedMiB, perSec, secPerMillion: brokerSecPerMillion }
  } finally {
    await end()
  }
}
