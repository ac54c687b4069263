/** What the ledger of a consume phase means: partitions, checks and warnings of the result. Nothing waits here. */
import type { PartitionWatermarks } from '../clients/driver.ts'
import type { Check, PartitionResult, Warning } from '../results/result.ts'
import type { GroupReading, ReadingEnd } from './group-reading.ts'
import type { GroupStart } from './group-start.ts'
import { judgeMembers } from './member-verdict.ts'
import type { RunOptions } from './options.ts'
import type { PartitionReport } from './partition-ledger.ts'
import { partitionResult } from './produce-verify.ts'
import { sumOf, zeroCheck } from './run-context.ts'

/** So long without a record before the end, with lag left, and reading has stalled. */
const stallMs = 5_000

export interface ConsumeEnd {
  readonly end: ReadingEnd
  readonly atNs: number
  /** End offsets when reading ended. */
  readonly after: readonly PartitionWatermarks[]
}

interface JudgedPartition {
  readonly result: PartitionResult
  readonly report: PartitionReport
}

/**
 * Offsets between this command's readings: read by members of other commands where the group's commits cover them,
 * `notJudged` without commits to go by, else missing.
 */
const judgeGaps = (
  report: PartitionReport,
  reading: GroupReading,
  autoCommit: boolean,
): { missing: number; notJudged: number } => {
  const open = report.gaps.reduce((sum, gap) => {
    const committed = reading.committed.get(report.partition) ?? -1
    const isElsewhere = reading.hasForeignMembers && gap.to <= committed
    return isElsewhere ? sum : sum + gap.to - gap.from
  }, 0)
  const isUnknowable = reading.hasForeignMembers && !autoCommit
  return { missing: isUnknowable ? 0 : open, notJudged: isUnknowable ? open : 0 }
}

const judgePartition = (
  before: PartitionWatermarks,
  after: PartitionWatermarks,
  parts: { reading: GroupReading; group: GroupStart; autoCommit: boolean },
): JudgedPartition => {
  const { reading, group, autoCommit } = parts
  const { partition } = before
  const fromOffset = group.fromOffsets.get(partition) ?? before.low
  const toOffset = reading.ledger.position(partition) ?? fromOffset
  const report = reading.ledger.report(partition, { fromOffset, toOffset })
  const gaps = judgeGaps(report, reading, autoCommit)
  const target = group.targets.get(partition) ?? 0
  const isElsewhere = reading.hasForeignMembers && !autoCommit
  const unread = isElsewhere ? Math.max(0, target - toOffset) : 0
  const notJudged = gaps.notJudged + unread
  const result: PartitionResult = {
    ...partitionResult(before, after, 0),
    fromOffset,
    consumed: report.consumed,
    missing: report.missing + gaps.missing,
    duplicates: report.duplicates + report.redelivered,
    outOfOrder: report.outOfOrder,
    foreign: report.foreign,
    corrupt: report.corrupt,
  }
  return { result: notJudged > 0 ? { ...result, notJudged } : result, report }
}

const findingWarnings = (reports: readonly PartitionReport[]): Warning[] => {
  const moved = sumOf(reports, (report) => report.duplicates)
  const repeated = sumOf(reports, (report) => report.oneSequenceTwoOffsets)
  const warnings: Warning[] = []
  if (moved > 0) {
    warnings.push({
      code: 'duplicates',
      text: `${moved} records were delivered again after their partition moved`,
      advice: 'Members commit before they give a partition up; look for members that left at once.',
    })
  }
  if (repeated > 0) {
    warnings.push({
      code: 'retry-duplicates',
      text: `${repeated} offsets hold a record again that another offset holds`,
      advice: 'Its producer sent it again after a lost answer; --idempotent prevents it.',
    })
  }
  return warnings
}

/** Why reading ended before everything was read or every member had its turn; empty when it did not. */
const endWarnings = (
  { end }: ConsumeEnd,
  reading: GroupReading,
  lag: number,
  isDrainWanted: boolean,
): Warning[] => {
  const warnings: Warning[] = []
  const unsettled = reading.unsettled()
  if (unsettled.length > 0) {
    warnings.push({
      code: 'not-settled',
      text: `${unsettled.map((member) => member.name).join(', ')} never had a settled generation`,
      advice: 'Give the group more time (--duration) or look at its coordinator.',
    })
  }
  if (isDrainWanted && lag > 0 && end !== 'count') {
    warnings.push({
      code: 'not-drained',
      text: `${lag} records were left unread when the run ended (${end})`,
      advice: 'Raise --duration to read to the end.',
    })
  }
  return warnings
}

/** With lag left, a reading that brought nothing for a while has stalled; one that was still going was only cut off. */
const stallCheck = (parts: ConsumeEnd, reading: GroupReading, ownLag: number): Check => {
  const idleMs = (parts.atNs - (reading.lastRecordNs ?? reading.startNs)) / 1e6
  const isCut = parts.end === 'stopped' || parts.end === 'count'
  const isStalled = ownLag > 0 && idleMs >= stallMs && !isCut
  return {
    name: 'no-stall',
    ok: !isStalled,
    expected: 'records as long as there is lag',
    actual: isStalled ? `none for ${Math.round(idleMs)} ms, lag ${ownLag}` : 'records or no lag',
  }
}

export const judgeConsume = (
  options: RunOptions,
  group: GroupStart,
  reading: GroupReading,
  parts: ConsumeEnd,
): { partitions: PartitionResult[]; checks: Check[]; warnings: Warning[] } => {
  const after = new Map(parts.after.map((one) => [one.partition, one]))
  const judged = group.before.map((one) =>
    judgePartition(one, after.get(one.partition) ?? one, {
      reading,
      group,
      autoCommit: options.autoCommit,
    }),
  )
  const reports = judged.map(({ report }) => report)
  const isDrainWanted = options.until === 'drained'
  const ends = isDrainWanted
    ? group.targets
    : new Map(parts.after.map(({ partition, high }) => [partition, high]))
  const lag = reading.lagTo(ends)
  const held = new Set(reading.members.flatMap((member) => [...member.held]))
  const ownLag = sumOf(lag, ([partition, count]) =>
    held.has(partition) || !reading.hasForeignMembers ? count : 0,
  )
  const members = judgeMembers(reading.members, {
    partitionCount: group.before.length,
    memberCount: Math.max(reading.mostMembers, reading.members.length),
    lag,
  })
  const checks = [
    zeroCheck(
      'no-missing',
      sumOf(judged, ({ result }) => result.missing),
    ),
    zeroCheck(
      'no-corrupt',
      sumOf(reports, (report) => report.corrupt),
    ),
    zeroCheck(
      'in-order',
      sumOf(reports, (report) => report.outOfOrder),
    ),
    zeroCheck(
      'no-redelivery',
      sumOf(reports, (report) => report.redelivered),
    ),
    members.check,
    stallCheck(parts, reading, ownLag),
  ]
  const repeated = sumOf(reports, (report) => report.oneSequenceTwoOffsets)
  if (options.isIdempotent) checks.push(zeroCheck('no-retry-duplicates', repeated))
  if (options.messageCount !== null && parts.end !== 'stopped') {
    const actual = reading.ledger.consumed
    const expected = options.messageCount
    checks.push({ name: 'message-count', ok: actual === expected, expected, actual })
  }
  const total = sumOf(lag.values(), (count) => count)
  return {
    partitions: judged.map(({ result }) => result),
    checks,
    warnings: [
      ...group.warnings,
      ...reading.warnings,
      ...members.notes,
      ...findingWarnings(reports),
      ...endWarnings(parts, reading, total, isDrainWanted),
    ],
  }
}
