/** Evidence to checks: which of them a scenario is judged by, and those of its records. Pure functions. */
import { sumOf } from '../bench/run-context.ts'
import type { Evidence, Life } from './evidence.ts'
import { checkOf, groupChecks, lastingChecks, type NamedCheck } from './group-checks.ts'
import type { Reading } from './reading.ts'

/** How many of what, per partition, where the number is not what it ought to be. */
const faultsPer = (
  reading: Reading,
  countOf: (partition: Reading['partitions'][number]) => number,
  what: string,
): string[] =>
  reading.partitions.flatMap((one) => {
    const count = countOf(one)
    return count === 0 ? [] : [`partition ${one.partition}: ${count} ${what}`]
  })

const ackedEqualsDelta = ({ after, before, produced, scan }: Evidence): NamedCheck => {
  const delta = sumOf(after.entries(), ([index, one]) => one.high - (before[index]?.high ?? 0))
  const acked = sumOf(produced, (ledger) => ledger.counts().acked)
  // What was sent when its answer was lost may be there.
  const unknown = sumOf(scan?.balances ?? [], (balance) => balance.unknownLanded)
  return {
    name: 'acked-equals-watermark-delta',
    ok: delta === acked + unknown,
    expected: acked + unknown,
    actual: delta,
  }
}

const countsEqual = (evidence: Evidence, reading: Reading): NamedCheck => {
  const faults = reading.partitions.flatMap(({ partition, delivered }, index) => {
    const { low = 0, high = 0 } = evidence.after[index] ?? {}
    return delivered === high - low
      ? []
      : [`partition ${partition}: ${delivered} delivered, ${high - low} in the log`]
  })
  const total = sumOf(evidence.after, ({ low, high }) => high - low)
  return checkOf('counts-equal', total, faults)
}

/** Lives that come after another member's or its own clean end go on where that one had stopped. */
const restartResumes = ({ lives }: Evidence): NamedCheck => {
  const faults = lives.flatMap((life) =>
    Object.entries(firstReads(life)).flatMap(([partition, first]) => {
      const done = Math.max(
        0,
        ...lives.map((other) => doneBefore(other, Number(partition), first.atMs)),
      )
      return first.fromOffset >= done
        ? []
        : [
            `${life.clientId} begins partition ${partition} at ${first.fromOffset}, ${done} was committed`,
          ]
    }),
  )
  return checkOf('restart-resumes', 'from the committed offset on', faults)
}

const firstReads = ({ batches }: Life): Record<string, { fromOffset: number; atMs: number }> => {
  const first: Record<string, { fromOffset: number; atMs: number }> = {}
  for (const { partition, fromOffset, atMs } of batches) first[partition] ??= { fromOffset, atMs }
  return first
}

/** Where a life that had left in good order before `atMs` was in the partition; 0 when it did not leave before. */
const doneBefore = ({ events, batches }: Life, partition: number, atMs: number): number => {
  const left = events.find((event) => event.type === 'left')
  if (left?.type !== 'left' || left.atMs >= atMs) return 0
  const ends = batches.filter((batch) => batch.partition === partition)
  return Math.max(0, ...ends.map(({ toOffset }) => toOffset))
}

const commitsKept = (reading: Reading): NamedCheck =>
  checkOf(
    'commits-kept',
    'the high watermark of each partition',
    reading.partitions.flatMap(({ partition, committed, high, delivered }) =>
      delivered === 0 || committed === high
        ? []
        : [`partition ${partition}: ${committed ?? 'nothing'} committed, ${high} read`],
    ),
  )

/** Reading twice is allowed where a member was cut off before it could commit. */
const mayReadTwice = ({ scenario, lives }: Evidence): boolean => {
  const { duplicates } = scenario.checks
  if (duplicates !== null) return duplicates === 'allowed'
  const hasCut = scenario.timeline.some(({ action }) => action === 'crash' || action === 'pause')
  return hasCut || scenario.group.commit === 'none' || lives.some(({ end }) => end === 'gave-up')
}

const readOnce = (evidence: Evidence, reading: Reading): NamedCheck => {
  const moved = sumOf(reading.partitions, (one) => one.duplicates) - reading.redelivered
  const faults: string[] = []
  if (reading.redelivered > 0) faults.push(`${reading.redelivered} again without a move`)
  if (moved > 0 && !mayReadTwice(evidence)) faults.push(`${moved} again after a move`)
  return checkOf('read-once', 'no record read twice', faults)
}

const exactCounts = ({ scenario, lives }: Evidence, reading: Reading): NamedCheck[] => {
  const { perPartition, perMember } = scenario.checks
  const checks: NamedCheck[] = []
  if (perPartition !== null) {
    const faults = reading.partitions.flatMap(({ partition, delivered }) =>
      delivered === perPartition ? [] : [`partition ${partition}: ${delivered}`],
    )
    checks.push(checkOf('records-per-partition', perPartition, faults))
  }
  if (perMember !== null && lives.length > 0) {
    const faults = Object.entries(perMember).flatMap(([member, count]) => {
      const records = reading.recordsByMember.get(member) ?? 0
      return records === count ? [] : [`${member}: ${records} instead of ${count}`]
    })
    const expected = Object.entries(perMember).map(([member, count]) => `${member} ${count}`)
    checks.push(checkOf('records-per-member', expected.join(', '), faults))
  }
  if (scenario.topic.oldRecords > 0) {
    const expected = scenario.topic.oldRecords
    const actual = sumOf(reading.partitions, (one) => one.foreign)
    checks.push({ name: 'contamination-told', ok: actual === expected, expected, actual })
  }
  return checks
}

const recordChecks = (evidence: Evidence, reading: Reading): NamedCheck[] => {
  const { commit } = evidence.scenario.group
  const lostInLog = faultsPer(reading, (one) => one.lostInLog, 'acked records not in it')
  const disorder = faultsPer(reading, (one) => one.outOfOrder, 'after a later one')
  const corrupt = faultsPer(reading, (one) => one.corrupt, 'corrupt records')
  const storedTwice = reading.storedTwice === 0 ? [] : [`${reading.storedTwice} at two offsets`]
  const checks = [
    ackedEqualsDelta(evidence),
    countsEqual(evidence, reading),
    checkOf('nothing-lost-in-log', 'every acked record', lostInLog),
    checkOf('nothing-lost-on-way', 'every record of the log', reading.unread),
    checkOf('stored-once', 'no record at two offsets', storedTwice),
    readOnce(evidence, reading),
    checkOf('order-kept', 'in the order of sending', disorder),
    checkOf('no-corruption', 'every checksum matches', corrupt),
    ...exactCounts(evidence, reading),
  ]
  if (commit === 'auto' || commit === 'each-batch') {
    checks.push(commitsKept(reading), restartResumes(evidence))
  }
  return checks
}

/** All checks that the scenario does not skip; of a story that was cut short those that last. */
export const checksOf = (evidence: Evidence, reading: Reading): NamedCheck[] => {
  const { scenario, probes, isCutShort, problem } = evidence
  const told = checkOf('story-told', 'to its end', problem === null ? [] : [problem])
  if (isCutShort) return [told, ...lastingChecks(evidence)]
  const records = scenario.produce === null ? [] : recordChecks(evidence, reading)
  const all = [told, ...groupChecks(evidence), ...records, ...(probes as NamedCheck[])]
  return all.filter(({ name }) => !scenario.checks.skip.includes(name))
}
