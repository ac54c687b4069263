/** Holds what was acked against what the end offsets say, and against the log itself where they differ. */
import type { PartitionWatermarks } from '../clients/driver.ts'
import type { Check, PartitionResult, Warning } from '../results/result.ts'
import { ConsumeLedger } from './consume-ledger.ts'
import { balanceLog, type LogBalance, type ProduceLedger } from './produce-ledger.ts'
import { readRanges } from './read-range.ts'
import { type RunContext, sumOf } from './run-context.ts'

export interface Verification {
  partitions: PartitionResult[]
  checks: Check[]
  warnings: Warning[]
}

/** The log between two end offsets, read back and compared with what was sent. */
interface Scan {
  readonly ledger: ConsumeLedger
  readonly balances: readonly LogBalance[]
}

export const checkName = 'acked-equals-watermark-delta'

export const partitionResult = (
  before: PartitionWatermarks,
  after: PartitionWatermarks,
  acked: number,
): PartitionResult => ({
  partition: before.partition,
  lowBefore: before.low,
  highBefore: before.high,
  lowAfter: after.low,
  highAfter: after.high,
  fromOffset: before.high,
  acked,
  consumed: 0,
  missing: 0,
  duplicates: 0,
  outOfOrder: 0,
  foreign: 0,
  corrupt: 0,
})

const scan = async (
  context: RunContext,
  ledgers: readonly ProduceLedger[],
  partitions: readonly PartitionResult[],
): Promise<Scan> => {
  const ledger = new ConsumeLedger(context.topic.partitionCount, context.runId)
  const ranges = partitions.map(({ partition, fromOffset, highAfter }) => ({
    partition,
    fromOffset,
    toOffset: highAfter,
  }))
  // What retention has taken since cannot be fetched: starting there, nothing else would be read either.
  const kept = ranges.map((range, index) => {
    const { lowAfter } = partitions[index] as PartitionResult
    return { ...range, fromOffset: Math.max(range.fromOffset, lowAfter) }
  })
  await readRanges(context, kept, ledger)
  const balances = ranges.map((range) => balanceLog(ledgers, ledger, range.partition, range))
  return { ledger, balances }
}

const addFindings = (partitions: PartitionResult[], { ledger, balances }: Scan): void => {
  for (const [index, result] of partitions.entries()) {
    const balance = balances[index] as LogBalance
    const range = { fromOffset: result.fromOffset, toOffset: result.highAfter }
    const report = ledger.report(result.partition, range)
    result.consumed = report.consumedInRange
    result.missing = balance.ackedMissing
    result.duplicates = balance.retryDuplicates
    result.outOfOrder = report.outOfOrder
    result.foreign = balance.foreign
    result.corrupt = balance.corrupt
  }
}

const scanWarnings = (balances: readonly LogBalance[]): Warning[] => {
  const findings: [code: string, count: number, text: string, advice: string][] = [
    [
      'foreign-records',
      sumOf(balances, (one) => one.foreign),
      'records of other runs are among this run’s',
      'Measure on a topic of its own (no --topic).',
    ],
    [
      'unknown-landed',
      sumOf(balances, (one) => one.unknownLanded),
      'records that were never acked are in the log',
      'They were sent when the answer was lost; this is allowed.',
    ],
    [
      'retry-duplicates',
      sumOf(balances, (one) => one.retryDuplicates),
      'offsets hold a record again that another offset holds',
      'The client sent it again after a lost answer; --idempotent prevents it.',
    ],
    [
      'failed-landed',
      sumOf(balances, (one) => one.failedLanded),
      'records that the broker refused are in the log',
      'The broker or the client is at fault.',
    ],
    [
      'range-not-read',
      sumOf(balances, (one) => one.unread),
      'offsets could not be read back',
      'Raise --request-timeout-ms or look at the broker’s log.',
    ],
  ]
  return findings
    .filter(([, count]) => count > 0)
    .map(([code, count, text, advice]) => ({ code, text: `${count} ${text}`, advice }))
}

const validated = (ledgers: readonly ProduceLedger[], { balances, ledger }: Scan): Check => {
  const expected = sumOf(ledgers, (one) => one.counts().acked + one.counts().written)
  const actual = sumOf(balances, (one) => one.ackedLanded + one.writtenLanded)
  const disorder = sumOf(balances, ({ partition }) => {
    return ledger.report(partition, { fromOffset: 0, toOffset: 0 }).outOfOrder
  })
  const corrupt = sumOf(balances, (one) => one.corrupt)
  const isClean = corrupt === 0 && disorder === 0 && balances.every((one) => one.holds)
  return {
    name: 'validated',
    ok: isClean && expected === actual,
    expected,
    actual: isClean ? actual : `${actual}, ${corrupt} corrupt, ${disorder} out of order`,
  }
}

const acksZeroWarning: Warning = {
  code: 'acks-0',
  text: 'with acks=0 nothing is acked: records were only written to the network',
  advice: 'Use --acks 1 or --acks all to have every record accounted for.',
}

/** Rejects when the broker does not answer any more. */
export const verifyProduced = async (
  context: RunContext,
  before: readonly PartitionWatermarks[],
  ledgers: readonly ProduceLedger[],
): Promise<Verification> => {
  const { admin, topic, options } = context
  const after = new Map((await admin.watermarks(topic.name)).map((one) => [one.partition, one]))
  const partitions = before.map((one) =>
    partitionResult(
      one,
      after.get(one.partition) ?? one,
      sumOf(ledgers, (ledger) => ledger.counts(one.partition).acked),
    ),
  )
  const delta = sumOf(partitions, (one) => one.highAfter - one.highBefore)
  const isAcked = options.acks !== 0
  const sent = sumOf(ledgers, (ledger) => ledger.counts().sent)
  const acked = sumOf(partitions, (one) => one.acked)
  const isEven = isAcked ? delta === acked : delta <= sent
  let isHeld = isEven
  const checks: Check[] = []
  const warnings: Warning[] = isAcked ? [] : [acksZeroWarning]
  if (!isEven || options.validate) {
    const found = await scan(context, ledgers, partitions)
    addFindings(partitions, found)
    warnings.push(...scanWarnings(found.balances))
    if (!isEven) {
      const foreign = sumOf(found.balances, (one) => one.foreign)
      isHeld = isAcked ? found.balances.every((one) => one.holds) : delta - foreign <= sent
    }
    if (options.validate) checks.push(validated(ledgers, found))
  }
  checks.unshift(
    isAcked
      ? { name: checkName, ok: isHeld, expected: acked, actual: delta }
      : { name: 'watermark-delta-at-most-sent', ok: isHeld, expected: `<= ${sent}`, actual: delta },
  )
  return { partitions, checks, warnings }
}
