import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { RunResult } from '../src/results/result.ts'
import { readSection, tableHead, tableRow, writeSection } from './document.ts'
import { median, slopeOf } from './figures.ts'
import { cpuSecOf, MachineWatch, memoryMiBOf, surroundings } from './machine.ts'
import { type Broker, benchBin, folder, startBroker, startProcess, stop } from './processes.ts'

/**
 * `npm run soak`: rounds that last, to see whether memory stays flat and every count holds. `-- --round NAME` picks rounds,
 * `--minutes N` changes their time, `--write` puts a row for each into docs/SOAK.md. Ends with 1 when one did not hold.
 */

interface Round {
  readonly name: string
  readonly minutes: number
  readonly store: readonly string[]
  readonly load: readonly string[]
}

const openLoad = [
  '--mode',
  'round-trip',
  '--rate',
  '50000',
  '--pacer',
  'timer',
  '-c',
  '8192',
  '--linger-ms',
  '5',
]
/** Ten minutes are what the generator's heap takes to come to its size. */
const rounds: readonly Round[] = [
  {
    name: 'open-ring',
    minutes: 60,
    store: ['--data-dir', 'ring', '-X', 'store.max.bytes=536870912'],
    load: openLoad,
  },
  {
    name: 'full-ring',
    minutes: 18,
    store: ['--data-dir', 'ring', '-X', 'store.max.bytes=536870912'],
    load: ['--mode', 'produce', '--batch-records', '100', '-c', '16'],
  },
  {
    name: 'open-disk',
    minutes: 30,
    store: ['--data-dir', 'on-disk', '-X', 'log.retention.bytes=268435456'],
    load: openLoad,
  },
]

const { values: flags } = parseArgs({
  options: {
    round: { type: 'string', multiple: true },
    minutes: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})

/** Of an hour; of a short round as often as gives a slope. */
const sampleMs = { longest: 5_000, shortest: 100, perRound: 1 / 100 }
/** Of a round: memory of the ring is touched, code compiled, and heaps have their size. */
const warmUpShare = 0.25
/** How much the slope of the rest may make over all of the rest; of 135 million records in an hour, an eighth byte each. */
const flatMiB = 16

interface Sample {
  readonly atMin: number
  readonly generatorMiB: number
  readonly brokerMiB: number
}

interface Memory {
  readonly medianMiB: number
  /** By the slope, from the end of the warm-up to the end. */
  readonly grownMiB: number
  readonly isFlat: boolean
}

const judge = (samples: readonly Sample[], of: (sample: Sample) => number): Memory => {
  const points = samples.map((sample) => ({ x: sample.atMin, y: of(sample) }))
  const minutes = (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0)
  const grownMiB = slopeOf(points) * minutes
  const medianMiB = median(points.map(({ y }) => y))
  return { medianMiB, grownMiB, isFlat: grownMiB <= flatMiB }
}

interface Soaked {
  readonly result: RunResult
  readonly samples: readonly Sample[]
  readonly brokerCores: number
}

const argsOf = ({ load, minutes }: Round): string[] => [
  ...[...load, '-s', '256', '-w', '1s', '-d', `${Math.round(minutes * 60)}s`],
]

/** Runs the load on the broker and looks at both processes until it ends. */
const soak = async (round: Round, broker: Broker): Promise<Soaked> => {
  const file = path.join(folder, `${round.name}.json`)
  const where = ['-b', `127.0.0.1:${broker.port}`, '--no-save', '--quiet', '--json-output', file]
  const generator = startProcess(process.execPath, [benchBin, 'run', ...argsOf(round), ...where])
  const brokerPid = broker.child.process.pid
  const [beganMs, cpuBeforeSec] = [performance.now(), cpuSecOf(brokerPid)]
  const samples: Sample[] = []
  const take = (): void => {
    const sample = {
      atMin: (performance.now() - beganMs) / 60_000,
      generatorMiB: memoryMiBOf(generator.process.pid).resident,
      brokerMiB: memoryMiBOf(brokerPid).resident,
    }
    // It has ended, and its end is not told yet.
    if (Number.isNaN(sample.generatorMiB)) return
    samples.push(sample)
    if (samples.length % 12 === 0) process.stderr.write(`${round.name} ${JSON.stringify(sample)}\n`)
  }
  const wantedMs = round.minutes * 60_000 * sampleMs.perRound
  const everyMs = Math.min(sampleMs.longest, Math.max(sampleMs.shortest, wantedMs))
  const timer = setInterval(take, everyMs)
  const code = await generator.ended
  clearInterval(timer)
  const elapsedSec = (performance.now() - beganMs) / 1_000
  const brokerCores = (cpuSecOf(brokerPid) - cpuBeforeSec) / elapsedSec
  if (code !== 0 && code !== 1) throw new Error(`exit code ${code}: ${generator.output()}`)
  return { result: JSON.parse(readFileSync(file, 'utf8')) as RunResult, samples, brokerCores }
}

const figureOf = (memory: Memory): string =>
  `${memory.medianMiB.toFixed(0)}, ${memory.grownMiB > 0 ? '+' : ''}${memory.grownMiB.toFixed(1)}`

const latencyOf = ({ latencyUs: { response, endToEnd } }: RunResult): string => {
  const format = (us: number | undefined): string => ((us ?? Number.NaN) / 1_000).toFixed(2)
  const acked = `${format(response?.p50)} / ${format(response?.p99)} / ${format(response?.max)}`
  return endToEnd === null
    ? acked
    : `${acked}; read ${format(endToEnd.p50)} / ${format(endToEnd.p99)}`
}

const head = tableHead([
  ...['round', 'when', 'minutes', 'records, millions', 'lost or twice', 'k records/s'],
  ...[
    'p50 / p99 / max, ms',
    'generator MiB, growth',
    'broker MiB, growth',
    'cores: generator, broker',
  ],
  ...['checks', 'verdict', 'machine', 'command'],
])

interface Row {
  readonly text: string
  readonly holds: boolean
}

const rowOf = (round: Round, soaked: Soaked, machine: string, command: string): Row => {
  const { result, samples, brokerCores } = soaked
  const minutes = samples.at(-1)?.atMin ?? 0
  const warm = samples.filter(({ atMin }) => atMin >= minutes * warmUpShare)
  const generator = judge(warm, ({ generatorMiB }) => generatorMiB)
  const broker = judge(warm, ({ brokerMiB }) => brokerMiB)
  const failed = result.checks.filter(({ ok }) => !ok)
  const wrong = result.partitions.reduce((sum, one) => sum + one.missing + one.duplicates, 0)
  const { totals } = result
  const holds = generator.isFlat && broker.isFlat && failed.length === 0
  const cores = (result.resources?.generator.cpuMs ?? Number.NaN) / totals.elapsedMs
  const cells = [
    round.name,
    surroundings(),
    minutes.toFixed(1),
    (totals.records / 1e6).toFixed(1),
    `${wrong}; failed ${totals.failed}, unsent ${totals.unsent}`,
    (totals.recordsPerSec / 1e3).toFixed(1),
    latencyOf(result),
    figureOf(generator),
    figureOf(broker),
    `${cores.toFixed(2)}, ${brokerCores.toFixed(2)}`,
    failed.length === 0
      ? `all ${result.checks.length} hold`
      : failed.map(({ name }) => name).join(),
    `${generator.isFlat && broker.isFlat ? 'flat' : 'NOT flat'}${failed.length > 0 ? ', NOT exact' : ', exact'}`,
    machine,
    `\`${command}\``,
  ]
  return { text: tableRow(cells), holds }
}

/** The rows of other rounds stay. */
const write = (name: string, row: string): void => {
  const rows = new Map(
    readSection('SOAK.md', 'soak')
      .split('\n')
      .slice(2)
      .map((line) => [line.split(' | ')[0]?.slice(2) ?? '', line]),
  )
  rows.set(name, row)
  const inOrder = rounds.flatMap((round) => rows.get(round.name) ?? [])
  writeSection('SOAK.md', 'soak', [head, ...inOrder].join('\n'))
}

const play = async (round: Round): Promise<boolean> => {
  const watch = await MachineWatch.open()
  const broker = await startBroker(...round.store)
  const soaked = await soak(round, broker)
  await stop(broker.child)
  const command = `bench broker ${round.store.join(' ')}; bench ${argsOf(round).join(' ')}`
  const { text, holds } = rowOf(round, soaked, await watch.told(), command)
  console.log(`${head}\n${text}`)
  for (const { text: warning } of soaked.result.warnings) console.log(`${round.name}: ${warning}`)
  if (flags.write) write(round.name, text)
  return holds
}

const wanted = rounds.filter(({ name }) => flags.round?.includes(name) ?? true)
const unknown = (flags.round ?? []).filter((name) => !rounds.some((round) => round.name === name))
if (unknown.length > 0 || !(Number(flags.minutes ?? 1) > 0)) {
  console.error(`--round ${rounds.map(({ name }) => name).join(', ')}; --minutes a number above 0`)
  process.exit(2)
}
for (const round of wanted) {
  const minutes = Number(flags.minutes ?? round.minutes)
  if (!(await play({ ...round, minutes }))) process.exitCode = 1
}
