import { spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { freemem } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { runBench, type Taken } from './bench-run.ts'
import { tableHead, tableRow, writeSection } from './document.ts'
import { median, medianRatio, spread } from './figures.ts'
import { type Goal, goalTable } from './goals.ts'
import { MachineWatch, memoryMiBOf, surroundings } from './machine.ts'
import { type Broker, folder, startBroker, startProcess, stop } from './processes.ts'
import { isQuick, log, mayWrite, playRounds, rounds } from './rounds.ts'

/**
 * `npm run bench:self`: what the wire client, kafkajs, the embedded broker and this machine do together, beside the goals.
 * Prints Markdown; `-- --write` puts it into docs/BENCHMARKS.md, and the short of it into README.md. `--quick` only shows that everything works. Run by hand,
 * never in tests. Absolute figures belong to the machine; ratios are of the same round.
 */

const starts = isQuick ? 3 : 15
const time = isQuick ? ['-d', '500ms', '-w', '200ms'] : ['-d', '2s', '-w', '1s']
/** A record of 256 bytes in a batch of some. */
const storedRecordBytes = 266
const readRecords = isQuick
  ? 200_000
  : Math.min(16e6, Math.floor((freemem() * 0.3) / storedRecordBytes))

interface Measure {
  readonly name: string
  readonly args: readonly string[]
  readonly broker: Broker
  /** What the broker is started with. */
  readonly place: readonly string[]
  readonly series: Taken[]
}

const produce = ['--mode', 'produce', '--acks', 'all', '-s', '256']
const batches: readonly (readonly [records: number, inFlight: number])[] = [
  [1, 256],
  [10, 64],
  [100, 16],
  [1_000, 5],
]
const readTopic = 'self-read'
const hundred = 'batches of 100, ring'

const storeMiB = (mib: number): string => `store.max.bytes=${mib * 2 ** 20}`
const ringPlace = ['--data-dir', 'ring', '-X', storeMiB(256)]
const diskPlace = ['--data-dir', 'on-disk', '-X', 'log.retention.bytes=268435456']
const readPlace = ['--data-dir', 'memory', '-X', storeMiB(8_192)]

const take = async ({ name, args, broker, series }: Measure): Promise<void> => {
  const where = ['-b', `127.0.0.1:${broker.port}`]
  const taken = await runBench([...args, ...where], broker.child.process.pid)
  series.push(taken)
  log(`${name}: ${(taken.perSec / 1e3).toFixed(0)} k/s`)
}

interface Brokers {
  readonly ring: Broker
  readonly disk: Broker
  readonly memory: Broker
}

const measuresOn = ({ ring, disk, memory }: Brokers): Measure[] => {
  const on = (
    name: string,
    broker: Broker,
    place: readonly string[],
    ...args: string[]
  ): Measure => ({
    ...{ name, broker, place, args, series: [] },
  })
  const wire = (store: string, broker: Broker, place: readonly string[]): Measure[] =>
    batches.map(([records, inFlight]) => {
      const batch = ['--batch-records', String(records), '-c', String(inFlight)]
      return on(`batches of ${records}, ${store}`, broker, place, ...produce, ...batch, ...time)
    })
  const kafkajs = (records: number, inFlight: number): Measure => {
    const batch = [
      '--batch-records',
      String(records),
      '-c',
      String(inFlight),
      '--client',
      'kafkajs',
    ]
    return on(`kafkajs, batches of ${records}`, ring, ringPlace, ...produce, ...batch, ...time)
  }
  const single = ['--mode', 'produce', '-c', '128', '-s', '256', '--linger-ms', '0']
  const open = [...produce, '--rate', '50000', '-c', '4096', '-d', isQuick ? '1s' : '6s']
  const read = ['--mode', 'consume', '-t', readTopic]
  return [
    ...wire('ring', ring, ringPlace),
    ...wire('disk', disk, diskPlace),
    kafkajs(1, 128),
    kafkajs(100, 5),
    on('one by one, 128 in flight', ring, ringPlace, ...single, ...time),
    on('open loop', ring, ringPlace, ...open, '-w', '1s'),
    on('consume', memory, readPlace, ...read),
    on('consume with CRC', memory, readPlace, ...read, '-X', 'check.crcs=true'),
  ]
}

const of = (measures: readonly Measure[], name: string): Measure => {
  const found = measures.find((measure) => measure.name === name)
  if (found === undefined) throw new Error(`no measure ${name}`)
  return found
}

const ratesOf = ({ series }: Measure): number[] => series.map(({ perSec }) => perSec)

const ratio = (above: Measure, below: Measure): number =>
  medianRatio(ratesOf(above), ratesOf(below))

/** The broker's is told once, above the table. */
const commandOf = ({ args, place }: Measure): string => `\`bench ${args.join(' ')}\` (${place[1]})`

const fill = async ({ port }: Broker): Promise<void> => {
  const topic = ['-t', readTopic, '--create-topic', '-n', String(readRecords)]
  const load = ['--batch-records', '100', '-c', '16', '-b', `127.0.0.1:${port}`]
  await runBench([...produce, ...topic, ...load])
}

/** MB/s that the file system takes in large writes without fsync, as the broker writes. */
const measureDisk = (): number => {
  const file = path.join(folder, 'plain')
  const block = Buffer.alloc(2 ** 20, 7)
  const blocks = isQuick ? 64 : 2_048
  const descriptor = openSync(file, 'w')
  const beganMs = performance.now()
  for (let written = 0; written < blocks; written += 1) writeSync(descriptor, block)
  const elapsedMs = performance.now() - beganMs
  closeSync(descriptor)
  rmSync(file)
  return (blocks * block.length) / 1e3 / elapsedMs
}

interface Starts {
  readonly nodeMs: number[]
  readonly brokerMs: number[]
  readonly aboveMs: number[]
}

const measureStarts = async (): Promise<Starts> => {
  const taken: Starts = { nodeMs: [], brokerMs: [], aboveMs: [] }
  for (let i = 0; i < starts; i += 1) {
    const beganMs = performance.now()
    spawnSync(process.execPath, ['-e', '0'])
    const nodeMs = performance.now() - beganMs
    const { child, startMs } = await startBroker('--data-dir', 'memory')
    await stop(child)
    taken.nodeMs.push(nodeMs)
    taken.brokerMs.push(startMs)
    taken.aboveMs.push(startMs - nodeMs)
  }
  return taken
}

/** ns per record of ledger and histogram together: sending, and reading. */
const measureLedger = async (): Promise<{ readonly sent: number; readonly read: number }> => {
  const program = fileURLToPath(new URL('ledger.js', import.meta.url))
  const child = startProcess(process.execPath, [program, '--json'])
  if ((await child.ended) !== 0) throw new Error(child.output())
  const figures = JSON.parse(child.output()) as Record<string, number>
  const figure = (name: string): number => {
    const ns = figures[name]
    if (ns === undefined) throw new Error(`bench:ledger has no '${name}'`)
    return ns
  }
  const histogram = figure('histogram: one latency')
  return {
    sent: histogram + figure('produce ledger: sequences given and acked'),
    read: histogram + figure('consume ledger: one observation'),
  }
}

/** MiB before and after 1 GB on the disk store. */
const measureMemory = async (): Promise<string> => {
  const broker = await startBroker('--data-dir', 'one-gb')
  const { pid } = broker.child.process
  const before = memoryMiBOf(pid).resident
  const count = isQuick ? '1000' : '131072'
  const load = ['-s', '8192', '-n', count, '-c', '16', '--batch-records', '100']
  await runBench([...load, '-b', `127.0.0.1:${broker.port}`, '--keep-topic'])
  const after = memoryMiBOf(pid).resident
  await stop(broker.child)
  rmSync(path.join(folder, 'one-gb'), { recursive: true, force: true })
  return `${before.toFixed(0)} → ${after.toFixed(0)} MiB`
}

interface Parts {
  readonly measures: readonly Measure[]
  readonly startsTaken: Starts
  readonly ledger: { readonly sent: number; readonly read: number }
}

/** Of record batches, at the median. */
const takenMbOf = (measure: Measure): number => (median(ratesOf(measure)) * storedRecordBytes) / 1e6

const isDiskLimit = (takenMb: number, diskMb: number): boolean => takenMb >= diskMb * 0.8

const rateGoals = (measures: readonly Measure[], diskMb: number): Goal[] => {
  const rate = (name: string, what: string, bound: number): Goal => {
    const measure = of(measures, name)
    const measured = median(ratesOf(measure)) / 1e6
    const command = commandOf(measure)
    return { what, measured, bound, sense: 'at least', unit: 'M/s', command }
  }
  const over = (above: string, below: string, bound: number): Goal => {
    const [ours, theirs] = [of(measures, above), of(measures, below)]
    const measured = ratio(ours, theirs)
    const what = `${above} over ${below}`
    const command = `${commandOf(ours)} and ${commandOf(theirs)}`
    return { what, measured, bound, sense: 'at least', unit: '×', command }
  }
  const guides = new Map([
    [1, 1],
    [10, 3.5],
    [100, 8],
    [1_000, 10],
  ])
  return [
    ...[...guides].map(([batch, bound]) => {
      const name = `batches of ${batch}, ring`
      return rate(name, `guide: ${name}`, bound)
    }),
    over('batches of 1, ring', 'kafkajs, batches of 1', 50),
    over('batches of 100, ring', 'kafkajs, batches of 100', 50),
    ...[...guides.keys()].map((batch) => {
      const name = `batches of ${batch}, disk`
      const goal = over(name, `batches of ${batch}, ring`, 0.6)
      const takenMb = takenMbOf(of(measures, name))
      if (!isDiskLimit(takenMb, diskMb)) return goal
      const limit = `the disk is the limit: ${takenMb.toFixed(0)} MB/s, it takes ${diskMb.toFixed(0)}`
      return { ...goal, limit }
    }),
    rate('consume', 'guide: consume, every record checked', 12),
    rate('consume with CRC', 'guide: consume, with CRC', 10),
    rate('one by one, 128 in flight', "one by one: ten times chronik-bench's 51 k/s", 0.51),
    rate('one by one, 128 in flight', 'guide: one by one, 128 in flight', 0.7),
  ]
}

const costGoals = ({ measures, startsTaken, ledger }: Parts): Goal[] => {
  const cost = (
    what: string,
    name: string,
    [pick, unit, bound]: readonly [(taken: Taken) => number, string, number],
  ): Goal => {
    const measure = of(measures, name)
    const measured = median(measure.series.map(pick))
    return { what, measured, bound, sense: 'at most', unit, command: commandOf(measure) }
  }
  const client = ({ clientSecPerMillion }: Taken): number => clientSecPerMillion
  const broker = ({ brokerSecPerMillion }: Taken): number => brokerSecPerMillion
  const ns = (what: string, measured: number): Goal => ({
    ...{ what, measured, bound: 25, sense: 'at most', unit: 'ns' },
    command: '`npm run bench:ledger`',
  })
  return [
    cost('guide: client CPU per million at 100', hundred, [client, 's', 0.1]),
    cost('guide: broker CPU per million at 100', hundred, [broker, 's', 0.12]),
    cost("one by one, p99, below chronik-bench's", 'one by one, 128 in flight', [
      ({ p99Ms }) => p99Ms,
      'ms',
      5.9,
    ]),
    cost('open loop 50 k/s, p50', 'open loop', [({ p50Ms }) => p50Ms * 1e3, 'µs', 250]),
    cost('open loop 50 k/s, p99', 'open loop', [({ p99Ms }) => p99Ms, 'ms', 1]),
    cost('open loop 50 k/s, generator', 'open loop', [
      ({ generatorCores }) => generatorCores,
      'cores',
      0.3,
    ]),
    {
      what: 'broker start, spawn to first answer, above `node -e 0`',
      measured: median(startsTaken.aboveMs),
      bound: 20,
      sense: 'at most',
      unit: 'ms',
      command: '`bench broker --port 0 --data-dir memory`',
    },
    ns('ledger and histogram per record, sending', ledger.sent),
    ns('ledger and histogram per record, reading', ledger.read),
  ]
}

const figureTable = (measures: readonly Measure[]): string => {
  const rows = measures.map(({ name, series }) => {
    const spreadOf = (pick: (taken: Taken) => number, digits: number): string =>
      spread(series.map(pick), digits)
    return tableRow([
      name,
      spreadOf(({ perSec }) => perSec / 1e3, 0),
      spreadOf(({ p50Ms }) => p50Ms, 3),
      spreadOf(({ p99Ms }) => p99Ms, 3),
      spreadOf(({ clientSecPerMillion }) => clientSecPerMillion, 3),
      spreadOf(({ brokerSecPerMillion }) => brokerSecPerMillion, 3),
    ])
  })
  const head = ['what', 'k records/s', 'p50, ms', 'p99, ms', 'client CPU, s per million']
  return [tableHead([...head, 'broker CPU, s per million']), ...rows].join('\n')
}

/** What README.md says of all this. */
const shortTable = ({ measures, startsTaken }: Parts): string => {
  const at = (name: string, pick: (taken: Taken) => number): number =>
    median(of(measures, name).series.map(pick))
  const perSec = (name: string): string => `${(at(name, (one) => one.perSec) / 1e6).toFixed(2)} M`
  const p99 = (name: string): string => `p99 ${at(name, (one) => one.p99Ms).toFixed(2)} ms`
  const times = ratio(of(measures, hundred), of(measures, 'kafkajs, batches of 100'))
  const [one, open] = ['one by one, 128 in flight', 'open loop']
  return [
    tableHead(['256 B, client and broker on the same two cores', 'records/s', '']),
    tableRow([
      'produce, batches of 100, acks=all',
      perSec(hundred),
      `${p99(hundred)}; ${times.toFixed(0)} × kafkajs on the same broker`,
    ]),
    tableRow([`produce, ${one}`, perSec(one), p99(one)]),
    tableRow([
      'produce at a rate, latency from the intended time',
      perSec(open),
      `p50 ${at(open, ({ p50Ms }) => p50Ms).toFixed(2)} ms, ${p99(open)}`,
    ]),
    tableRow(['consume, every record checked', perSec('consume'), '']),
    tableRow(['broker start', '', `${median(startsTaken.aboveMs).toFixed(0)} ms after Node.js`]),
  ].join('\n')
}

const measureAll = async (): Promise<{ readonly full: string; readonly short: string }> => {
  const watch = await MachineWatch.open()
  const startsTaken = await measureStarts()
  const diskMb = measureDisk()
  const ledger = await measureLedger()
  const brokers: Brokers = {
    ring: await startBroker(...ringPlace),
    disk: await startBroker(...diskPlace),
    memory: await startBroker(...readPlace),
  }
  await fill(brokers.memory)
  const measures = measuresOn(brokers)
  // The ring goes round once, so that its memory is warm.
  for (const name of ['batches of 1000, ring', 'batches of 1000, disk', 'consume']) {
    await take({ ...of(measures, name), series: [] })
  }
  await playRounds(measures, take)
  for (const { child } of Object.values<Broker>({ ...brokers })) await stop(child)
  const memory = await measureMemory()
  const goals = [...rateGoals(measures, diskMb), ...costGoals({ measures, startsTaken, ledger })]
  const { nodeMs, brokerMs } = startsTaken
  const places = [ringPlace, diskPlace, readPlace].map(
    (place) => `\`bench broker ${place.join(' ')}\``,
  )
  const full = [
    `${surroundings()}; ${await watch.told()}. Median of ${rounds} rounds, in each of which everything had its turn; of ${starts} starts. Client and broker share the cores. 256 B, acks=all unless one by one, three partitions, every check on and held. A line that begins with "guide" is an absolute figure of a two-core machine. The brokers: ${places.join(', ')}.`,
    goalTable(goals),
    figureTable(measures),
    `Median (min–max). Broker, spawn to first answer: ${spread(brokerMs)} ms; \`node -e 0\`: ${spread(nodeMs)} ms. Broker memory on the disk store, before and after 1 GB: ${memory}. Large writes without fsync into the same folder: ${diskMb.toFixed(0)} MB/s.`,
  ].join('\n\n')
  return { full, short: shortTable({ measures, startsTaken, ledger }) }
}

const { full, short } = await measureAll()
console.log(full)
if (mayWrite) {
  writeSection('BENCHMARKS.md', 'self', full)
  writeSection('../README.md', 'self', short)
}
