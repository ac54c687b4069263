import { setTimeout as sleep } from 'node:timers/promises'
import { runBench } from './bench-run.ts'
import { tableHead, tableRow, writeSection } from './document.ts'
import { medianRatio, spread } from './figures.ts'
import { type Goal, goalTable } from './goals.ts'
import { MachineWatch, surroundings } from './machine.ts'
import {
  apacheKafka,
  type BrokerFigures,
  type BrokerKind,
  brokerLoad,
  embedded,
  kfakeIn,
  type Started,
  startEmbedded,
  takeBroker,
} from './peers/brokers.ts'
import { missingToolchain } from './peers/conformance.ts'
import {
  type Contender,
  contendersOf,
  type Figures,
  partitions,
  readTopic,
  type Target,
  wireContenders,
} from './peers/contest.ts'
import { installGo, type Peer, peers } from './peers/list.ts'
import { isQuick, log, mayWrite, playRounds, rounds } from './rounds.ts'

/**
 * `npm run bench:peers`: the same work through bench and through other clients, in turns, against the embedded broker and
 * a real Apache Kafka; and the embedded broker beside others. Prints Markdown; `-- --write` puts it into
 * docs/BENCHMARKS.md. `--quick` only shows that everything works. What cannot be installed is left out by name.
 */

/** Of the records of each client. */
const scale = isQuick ? 0.02 : 1
const readRecords = isQuick ? 200_000 : 10_000_000
const brokerTime = isQuick ? ['-d', '1s', '-w', '0s'] : ['-d', '2s', '-w', '1s']
const skipped: string[] = []

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''

const installAll = async (wanted: readonly Peer[]): Promise<Contender[]> => {
  const contenders: Contender[] = []
  for (const peer of wanted) {
    const missing = missingToolchain(peer.needs)
    try {
      if (missing !== null) throw new Error(missing)
      contenders.push(...contendersOf(peer, await peer.install(), scale))
    } catch (error) {
      skipped.push(`${peer.name}: ${firstLine(error)}`)
    }
  }
  return contenders
}

/** One entry per round; null where it failed. */
type Series = (Figures | null)[]
interface Entry {
  readonly target: Target
  readonly contender: Contender
  readonly series: Series
}

const contest = async (entries: readonly Entry[]): Promise<void> => {
  const broken = new Set<Entry>()
  await playRounds(entries, async (entry, round) => {
    const { contender, target, series } = entry
    const name = `${contender.name}, ${contender.direction}, ${target.name}`
    if (broken.has(entry)) return
    const beganMs = performance.now()
    const taken = await contender.take(target).catch((error: unknown) => {
      broken.add(entry)
      skipped.push(`${name}: ${firstLine(error)}`)
      log(`${name}: ${String(error)}`)
      return null
    })
    series[round] = taken
    const tookSec = ((performance.now() - beganMs) / 1e3).toFixed(1)
    log(`${round}: ${name}: ${((taken?.perSec ?? 0) / 1e3).toFixed(0)} k/s, ${tookSec} s`)
  })
}

const valuesOf = (series: Series, of: (figures: Figures) => number): number[] =>
  series.flatMap((figures) => (figures === null ? [] : of(figures)))

const ratioOf = (above: Series, below: Series, of: (figures: Figures) => number): number => {
  const values = (series: Series) => series.map((figures) => figures && of(figures))
  return medianRatio(values(above), values(below))
}

const rateOf = ({ perSec }: Figures): number => perSec
const clientCpuOf = ({ clientSecPerMillion }: Figures): number => clientSecPerMillion
const brokerCpuOf = ({ brokerSecPerMillion }: Figures): number => brokerSecPerMillion

const contestTable = (entries: readonly Entry[]): string => {
  const [wire] = entries
  if (wire === undefined) return ''
  const rows = entries.map(({ contender, series }) => {
    const rates = valuesOf(series, rateOf).map((perSec) => perSec / 1e3)
    if (rates.length === 0) return tableRow([contender.name, 'failed', '', '', '', ''])
    return tableRow([
      contender.name,
      spread(rates),
      ratioOf(wire.series, series, rateOf).toFixed(1),
      spread(valuesOf(series, clientCpuOf), 3),
      ratioOf(series, wire.series, clientCpuOf).toFixed(1),
      spread(valuesOf(series, brokerCpuOf), 3),
    ])
  })
  const head = tableHead([
    ...['client', 'k records/s', 'first row is × as fast', 'client CPU, s per million'],
    ...['× that of the first row', 'broker CPU, s per million'],
  ])
  return [head, ...rows].join('\n')
}

const compareBrokers = async (
  kinds: readonly BrokerKind[],
): Promise<Map<BrokerKind, BrokerFigures[]>> => {
  const taken = new Map(kinds.map((kind) => [kind, [] as BrokerFigures[]]))
  await playRounds([...taken], async ([kind, series], round) => {
    const figures = await takeBroker(kind, brokerTime)
    series[round] = figures
    log(`${round}: ${kind.name}: ${(figures.perSec / 1e3).toFixed(0)} k/s`)
  })
  return taken
}

const brokerTable = (taken: ReadonlyMap<BrokerKind, readonly BrokerFigures[]>): string => {
  const rows = [...taken].map(([{ name }, series]) => {
    const of = (pick: (figures: BrokerFigures) => number, digits = 0): string =>
      spread(series.map(pick), digits)
    return tableRow([
      name,
      of(({ startMs }) => startMs),
      of(({ idleMiB }) => idleMiB),
      of(({ loadedMiB }) => loadedMiB),
      of(({ perSec }) => perSec / 1e3),
      of(({ secPerMillion }) => secPerMillion, 3),
    ])
  })
  const head = ['broker', 'start, ms', 'MiB idle', 'MiB after', 'k records/s', 'CPU, s per million']
  return [tableHead(head), ...rows].join('\n')
}

interface Found {
  readonly entries: readonly Entry[]
  readonly brokers: ReadonlyMap<BrokerKind, readonly BrokerFigures[]>
}

/** Null where one of the two is missing. */
const goalsOf = ({ entries, brokers }: Found): Goal[] => {
  const seriesOf = (counts: Target['counts'], direction: string, name: string): Series =>
    entries.find(
      ({ target, contender }) =>
        target.counts === counts && contender.direction === direction && contender.name === name,
    )?.series ?? []
  const goals: Goal[] = []
  type Pick = (figures: Figures) => number
  const ratio = (
    [counts, direction, ours]: readonly [Target['counts'], string, string],
    [theirs, of, sense, bound]: readonly [string, Pick, Goal['sense'], number],
  ): void => {
    const kind = of === rateOf ? 'rate' : 'client CPU'
    const where = counts === 'kafka' ? 'Apache Kafka' : 'the embedded broker'
    const pair = [seriesOf(counts, direction, ours), seriesOf(counts, direction, theirs)] as const
    const measured = ratioOf(...pair, of)
    const what = `${direction}, ${where}: ${ours}, ${kind} over that of ${theirs}`
    goals.push({ what, measured, bound, sense, unit: '×', command: 'in the tables above' })
  }
  const small = ['embedded', 'produce', 'bench, batches of 100'] as const
  ratio(small, ['rdkafka_performance', clientCpuOf, 'at most', 0.25])
  ratio(small, ['franz-go', clientCpuOf, 'at most', 0.25])
  ratio(small, ["Kafka's Java tools", clientCpuOf, 'at most', 0.05])
  for (const ours of ['bench, every record checked', 'bench, with CRC']) {
    ratio(['embedded', 'consume', ours], ['franz-go', rateOf, 'at least', 3])
    ratio(['kafka', 'consume', ours], ['franz-go', rateOf, 'at least', 2])
    ratio(['kafka', 'consume', ours], ["Kafka's Java tools", rateOf, 'at least', 5])
  }
  const large = ['kafka', 'produce', 'bench, batches of 3500'] as const
  ratio(large, ['franz-go', rateOf, 'at least', 1.2])
  ratio(large, ['franz-go', clientCpuOf, 'at most', 0.5])
  ratio(large, ["Kafka's Java tools", rateOf, 'at least', 2.5])
  ratio(large, ['kafkajs', rateOf, 'at least', 8])
  const [ours, ...others] = [...brokers].map(([{ name }, series]) => {
    return { name, secPerMillion: series.map(({ secPerMillion }) => secPerMillion) }
  })
  for (const { name, secPerMillion } of others) {
    const measured = medianRatio(ours?.secPerMillion ?? [], secPerMillion)
    const what = `broker CPU: embedded over ${name}`
    goals.push({ what, measured, bound: 1 / 3, sense: 'at most', unit: '×', command: 'brokers' })
  }
  return goals
}

const fill = async ({ port }: Started): Promise<void> => {
  const topic = ['-t', readTopic, '--create-topic', '-p', String(partitions), '-s', '256']
  const load = ['--mode', 'produce', '--acks', 'all', '--batch-records', '100', '-c', '16']
  await runBench([...load, ...topic, '-n', String(readRecords), '-b', `127.0.0.1:${port}`])
}

const openTargets = async (): Promise<Target[]> => {
  const ring = await startEmbedded('--data-dir', 'ring', '-X', 'store.max.bytes=536870912')
  const memory = await startEmbedded('--data-dir', 'memory', '-X', 'store.max.bytes=4294967296')
  await fill(memory)
  // Its memory is touched for the first time.
  await runBench([...brokerLoad, '-n', '4000000', '-b', `127.0.0.1:${ring.port}`])
  const name = 'the embedded broker'
  const targets: Target[] = [{ name, counts: 'embedded', produce: ring, consume: memory }]
  const missing = missingToolchain(apacheKafka.needs)
  if (missing === null) {
    const kafka = await apacheKafka.start()
    await fill(kafka)
    targets.push({ name: apacheKafka.name, counts: 'kafka', produce: kafka, consume: kafka })
  } else skipped.push(`${apacheKafka.name}: ${missing}`)
  return targets
}

const commandsOf = (entries: readonly Entry[]): string[] =>
  entries.map(({ contender, target }) => `- ${contender.name}: \`${contender.command(target)}\``)

const documentOf = ({ entries, brokers }: Found, targets: readonly Target[], machine: string) => {
  const tables = targets.flatMap((target) =>
    (['produce', 'consume'] as const).flatMap((direction) => {
      const these = entries.filter(
        (one) => one.target === target && one.contender.direction === direction,
      )
      const title = direction === 'produce' ? 'Produce to' : 'Consume from'
      return [`### ${title} ${target.name}`, contestTable(these), commandsOf(these).join('\n')]
    }),
  )
  const about = `${surroundings()}; ${machine}. Median (min–max) of ${rounds} rounds, in each of which every client had its turn; ratios are the medians of those within a round.`
  const load = `\`bench ${brokerLoad.join(' ')} ${brokerTime.join(' ')}\``
  return [
    about,
    ...tables,
    '### Brokers under the same load',
    brokerTable(brokers),
    `Each started anew for each round, then ${load}.`,
    '### Goals',
    goalTable(goalsOf({ entries, brokers })),
    skipped.length === 0 ? 'Nothing was left out.' : `Left out: ${skipped.join('; ')}.`,
  ].join('\n\n')
}

const run = async (): Promise<void> => {
  const watch = await MachineWatch.open()
  const others = await installAll(peers)
  const targets = await openTargets()
  const contenders = [...wireContenders(scale), ...others]
  const entries = targets.flatMap((target) =>
    contenders.map((contender): Entry => ({ target, contender, series: [] })),
  )
  await contest(entries)
  for (const { produce, consume } of targets) {
    await produce.stop()
    if (consume !== produce) await consume.stop()
  }
  const hasGo = missingToolchain(['go']) === null
  const kfake = hasGo ? [kfakeIn(await installGo())] : []
  const kafka = targets.some(({ counts }) => counts === 'kafka') ? [apacheKafka] : []
  const brokers = await compareBrokers([embedded, ...kfake, ...kafka])
  const text = documentOf({ entries, brokers }, targets, await watch.told())
  console.log(text)
  if (mayWrite) writeSection('BENCHMARKS.md', 'peers', text)
}

await run()
// The seam to the conformance run may still hold a handle.
await sleep(0)
process.exit()
