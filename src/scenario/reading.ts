/** What the members read, put into bench's own ledger in the order of time, and what became of each partition. */
import { ConsumeLedger } from '../bench/consume-ledger.ts'
import { createHeader, runNumberOf } from '../bench/record-header.ts'
import { sumOf } from '../bench/run-context.ts'
import type { ScenarioPartitionResult } from '../results/scenario-result.ts'
import type { Evidence, Life } from './evidence.ts'
import type { MemberEvent, MemberEventOf } from './member-protocol.ts'

export interface Reading {
  readonly ledger: ConsumeLedger
  readonly partitions: readonly ScenarioPartitionResult[]
  /** Offsets that nobody was given, as `partition:from-to`. */
  readonly unread: readonly string[]
  /** Records delivered again within one run of a member; those after a move are in `partitions`. */
  readonly redelivered: number
  readonly storedTwice: number
  /** Members of the scenario by the records that they were given. */
  readonly recordsByMember: ReadonlyMap<string, number>
}

const corruptRun = -2
const noRun = -1

const observeBatch = (
  ledger: ConsumeLedger,
  life: number,
  { partition, fromOffset, toOffset, runs }: MemberEventOf<'batch'>,
): void => {
  const header = createHeader()
  const reader = ledger.onBatch(life, partition, fromOffset, toOffset)
  for (const [firstOffset, count, run, producer, firstSequence] of runs) {
    const verdict = run === corruptRun ? 'corrupt' : run === noRun ? 'none' : 'ok'
    header.run = run
    header.producer = producer
    for (let index = 0; index < count; index += 1) {
      header.sequence = firstSequence + index
      reader.observe(firstOffset + index, verdict, header)
    }
  }
}

const timeOf = (event: MemberEvent): number => ('atMs' in event ? event.atMs : 0)

/** Events of all lives by time; those of one life stay in the order in which it told them. */
const eventsInOrder = (lives: readonly Life[]) =>
  lives
    .flatMap(({ events, batches }, life) => {
      const own = [...events, ...batches].toSorted((a, b) => timeOf(a) - timeOf(b))
      return own.map((event) => ({ life, event }))
    })
    .toSorted((a, b) => timeOf(a.event) - timeOf(b.event))

const fillLedger = (ledger: ConsumeLedger, lives: readonly Life[]): void => {
  for (const { life, event } of eventsInOrder(lives)) {
    if (event.type === 'assigned') ledger.onAssigned(life, event.partitions)
    else if (event.type === 'revoked') ledger.onRevoked(life, event.partitions ?? undefined)
    else if (event.type === 'left') ledger.onRevoked(life)
    else if (event.type === 'batch') observeBatch(ledger, life, event)
  }
}

/** `runId` is that of the records that the scenario itself produced. */
export const readingOf = (evidence: Evidence, runId: string): Reading => {
  const { lives, after, before, produced, scan, committed } = evidence
  // Checked once, here: a run id that is none is a fault of ours, not of the evidence.
  runNumberOf(runId)
  const ledger = new ConsumeLedger(after.length, runId)
  fillLedger(ledger, lives)
  const unread: string[] = []
  const reports = after.map(({ partition, low, high }) => {
    const range = { fromOffset: low, toOffset: high }
    return ledger.report(partition, range, produced)
  })
  const partitions = after.map(({ partition, low, high }, index): ScenarioPartitionResult => {
    const report = reports[index] as (typeof reports)[number]
    const delivered = report.consumedInRange
    const balance = scan?.balances.find((one) => one.partition === partition)
    const lostOnWay = high - low - delivered
    if (lostOnWay > 0) {
      const gaps = report.gaps.map((gap) => `${partition}:${gap.from}-${gap.to}`)
      unread.push(...(gaps.length > 0 ? gaps : [`${partition}: ${lostOnWay} records`]))
    }
    return {
      partition,
      low: before[index]?.high ?? low,
      high,
      acked: sumOf(produced, (one) => one.counts(partition).acked),
      delivered,
      committed: committed.get(partition) ?? null,
      lostInLog: balance?.ackedMissing ?? 0,
      lostOnWay,
      duplicates: report.duplicates + report.redelivered,
      outOfOrder: report.outOfOrder,
      foreign: report.foreign,
      corrupt: report.corrupt + (balance?.corrupt ?? 0),
    }
  })
  const recordsByMember = new Map<string, number>()
  for (const [index, { member }] of lives.entries()) {
    recordsByMember.set(member, (recordsByMember.get(member) ?? 0) + ledger.recordsOf(index))
  }
  return {
    ledger,
    partitions,
    unread,
    redelivered: sumOf(reports, (report) => report.redelivered),
    storedTwice: Math.max(
      sumOf(reports, (report) => report.oneSequenceTwoOffsets),
      sumOf(scan?.balances ?? [], (balance) => balance.retryDuplicates),
    ),
    recordsByMember,
  }
}
