import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConsumeLedger } from './consume-ledger.ts'
import { ProduceLedger } from './produce-ledger.ts'
import { createRandom } from './random.ts'
import { createHeader, type HeaderVerdict, runNumberOf } from './record-header.ts'

// Random histories of a group reading one partition, judged by the ledger and by an oracle that keeps every record.

const runIds = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'] as const

interface Stored {
  verdict: HeaderVerdict
  run: number
  producer: number
  sequence: number
}

type Step =
  | { type: 'assign'; member: number }
  | { type: 'revoke'; member: number }
  | { type: 'batch'; member: number; from: number; to: number; offsets: number[] }

interface History {
  /** By offset; null is a control record. */
  log: (Stored | null)[]
  steps: Step[]
  expectedRunId: string | null
}

/** How often each anomaly is planted: never, rarely, often. */
const logOf = fc
  .record({
    producers: fc.integer({ min: 1, max: 3 }),
    kinds: fc.array(
      fc.oneof(
        { weight: 10, arbitrary: fc.constant('next' as const) },
        fc.constantFrom(
          'lost',
          'again',
          'early',
          'early',
          'control',
          'foreign',
          'corrupt',
          'other',
        ),
      ),
      { minLength: 20, maxLength: 60 },
    ),
    seed: fc.nat(),
    isClean: fc.boolean(),
  })
  .map(({ producers, kinds, seed, isClean }) => {
    const random = createRandom(seed, 0)
    const pick = (below: number): number => random.nextU32() % below
    const next = Array.from({ length: producers + 1 }, () => 0)
    const log: (Stored | null)[] = []
    const late: Stored[] = []
    const take = (producer: number): Stored => {
      const sequence = next[producer] ?? 0
      next[producer] = sequence + 1
      const isOther = producer === producers
      return { verdict: 'ok', run: isOther ? 1 : 0, producer: isOther ? 0 : producer, sequence }
    }
    for (const kind of kinds) {
      const record = take(kind === 'other' ? producers : pick(producers))
      if (isClean || kind === 'next' || kind === 'other') log.push(record)
      else if (kind === 'early') late.push(record)
      else if (kind === 'corrupt') log.push({ ...record, verdict: 'corrupt' })
      else if (kind === 'control') log.push(null, record)
      else if (kind === 'foreign') log.push({ ...record, verdict: 'none' }, record)
      else if (kind === 'again') log.push(record, record)
      if (late.length > 0 && pick(3) === 0) log.push(...late.splice(0))
    }
    return log
  })

const history: fc.Arbitrary<History> = fc
  .record({
    log: logOf,
    moves: fc.array(
      fc.record({
        kind: fc.oneof(
          { weight: 8, arbitrary: fc.constant('read' as const) },
          fc.constantFrom('assign', 'revoke', 'rewind', 'skip', 'twice', 'drop'),
        ),
        member: fc.nat(2),
        size: fc.integer({ min: 1, max: 12 }),
      }),
      { minLength: 3, maxLength: 40 },
    ),
    expectedRunId: fc.constantFrom(null, runIds[0]),
  })
  .map(({ log, moves, expectedRunId }) => {
    const steps: Step[] = []
    let position = 0
    for (const { kind, member, size } of moves) {
      if (kind === 'assign' || kind === 'revoke') steps.push({ type: kind, member })
      else if (kind === 'rewind') position = Math.max(0, position - size)
      else if (kind === 'skip') position = Math.min(log.length, position + size)
      else {
        const to = Math.min(log.length, position + size)
        if (to === position) continue
        const all = Array.from({ length: to - position }, (_, index) => position + index)
        const offsets = all.filter((offset) => log[offset] !== null)
        if (kind === 'twice') offsets.push(...offsets.slice(0, 2))
        if (kind === 'drop') offsets.splice(size % Math.max(1, offsets.length), 1)
        steps.push({ type: 'batch', member, from: position, to, offsets })
        position = to
      }
    }
    return { log, steps, expectedRunId }
  })

/** Everything is looked up in plain lists and sets; nothing is shared with the ledger. */
const oracle = ({ log, steps, expectedRunId }: History) => {
  const counts = {
    consumed: 0,
    duplicates: 0,
    redelivered: 0,
    oneSequenceTwoOffsets: 0,
    outOfOrder: 0,
    foreign: 0,
    corrupt: 0,
  }
  const records = [0, 0, 0]
  const deliveredBy = new Map<number, Set<object>>()
  const read = new Set<number>()
  const jumped = new Set<number>()
  const corrupt = new Set<number>()
  const offsetOf = new Map<string, Map<number, number>>()
  interface Holding {
    position: number
    highest: Map<string, number>
  }
  const holdings: (Holding | null)[] = [null, null, null]
  for (const step of steps) {
    if (step.type === 'revoke') holdings[step.member] = null
    else if (step.type === 'assign') {
      holdings.forEach((_, member) => {
        if (member !== step.member) holdings[member] = null
      })
    } else {
      const holding = holdings[step.member] ?? { position: step.from, highest: new Map() }
      holdings[step.member] = holding
      for (let at = holding.position; at < step.from; at += 1) jumped.add(at)
      for (let at = step.from; at < step.to; at += 1) read.add(at)
      holding.position = step.to
      for (const offset of step.offsets) {
        const stored = log[offset] as Stored
        records[step.member] = (records[step.member] ?? 0) + 1
        const by = deliveredBy.get(offset) ?? new Set()
        deliveredBy.set(offset, by)
        const isFresh = by.size === 0
        if (isFresh) counts.consumed += 1
        else if (by.has(holding)) counts.redelivered += 1
        else counts.duplicates += 1
        by.add(holding)
        if (stored.verdict === 'corrupt') {
          corrupt.add(offset)
          continue
        }
        if (stored.verdict === 'none' || (expectedRunId !== null && stored.run !== 0)) {
          if (isFresh) counts.foreign += 1
          continue
        }
        const stream = `${stored.run}/${stored.producer}`
        const seen = offsetOf.get(stream) ?? new Map<number, number>()
        offsetOf.set(stream, seen)
        const highest = holding.highest.get(stream) ?? -1
        if (isFresh && seen.has(stored.sequence)) counts.oneSequenceTwoOffsets += 1
        else if (isFresh) {
          seen.set(stored.sequence, offset)
          if (stored.sequence < highest) counts.outOfOrder += 1
        }
        holding.highest.set(stream, Math.max(highest, stored.sequence))
      }
    }
  }
  counts.corrupt = corrupt.size
  let skipped = 0
  const gapOffsets: number[] = []
  for (let at = 0; at < log.length; at += 1) {
    if (read.has(at)) continue
    if (jumped.has(at)) skipped += 1
    else gapOffsets.push(at)
  }
  return {
    ...counts,
    skipped,
    gapOffsets,
    records,
    missingSequences: missingOf(offsetOf, (at) => !read.has(at) || corrupt.has(at)),
  }
}

/**
 * Missing sequences that no unread or corrupt offset between their neighbours can stand for: the largest matching of
 * missing sequences and such offsets, found by augmenting paths.
 */
const missingOf = (
  offsetOf: Map<string, Map<number, number>>,
  isExplaining: (offset: number) => boolean,
): number => {
  const windows: number[][] = []
  for (const seen of offsetOf.values()) {
    const sequences = [...seen.keys()].toSorted((a, b) => a - b)
    for (const [index, high] of sequences.entries()) {
      const low = sequences[index - 1]
      if (low === undefined) continue
      const ends = [seen.get(low) ?? 0, seen.get(high) ?? 0]
      const window: number[] = []
      for (let at = Math.min(...ends) + 1; at < Math.max(...ends); at += 1) {
        if (isExplaining(at)) window.push(at)
      }
      for (let lost = low + 1; lost < high; lost += 1) windows.push(window)
    }
  }
  const takenBy = new Map<number, number>()
  const augment = (lost: number, visited: Set<number>): boolean =>
    (windows[lost] ?? []).some((offset) => {
      if (visited.has(offset)) return false
      visited.add(offset)
      const holder = takenBy.get(offset)
      if (holder !== undefined && !augment(holder, visited)) return false
      takenBy.set(offset, lost)
      return true
    })
  return windows.filter((_, lost) => !augment(lost, new Set())).length
}

const judge = ({ log, steps, expectedRunId }: History) => {
  const ledger = new ConsumeLedger(2, expectedRunId)
  const header = createHeader()
  for (const step of steps) {
    if (step.type === 'assign') ledger.onAssigned(step.member, [1])
    else if (step.type === 'revoke') ledger.onRevoked(step.member)
    else {
      const run = ledger.onBatch(step.member, 1, step.from, step.to)
      for (const offset of step.offsets) {
        const stored = log[offset] as Stored
        header.run = runNumberOf(runIds[stored.run] ?? '')
        header.producer = stored.producer
        header.sequence = stored.sequence
        run.observe(offset, stored.verdict, header)
      }
    }
  }
  return { ledger, report: ledger.report(1, { fromOffset: 0, toOffset: log.length }) }
}

test('on random histories the ledger says what the oracle says', () => {
  const met = new Map<string, number>()
  fc.assert(
    fc.property(history, (one) => {
      const expected = oracle(one)
      const { ledger, report } = judge(one)
      const { gapOffsets, records, ...counts } = expected
      expect(report).toMatchObject(counts)
      expect(report.missing).toBe(counts.skipped + counts.missingSequences)
      expect(
        report.gaps.flatMap(({ from, to }) =>
          Array.from({ length: to - from }, (_, index) => from + index),
        ),
      ).toEqual(gapOffsets)
      expect([0, 1, 2].map((member) => ledger.recordsOf(member))).toEqual(records)
      expect(ledger.consumed).toBe(counts.consumed)
      for (const [name, count] of Object.entries(counts)) {
        if (count > 0) met.set(name, (met.get(name) ?? 0) + 1)
      }
    }),
    { numRuns: 10_000, seed: 20_261_121 },
  )
  // The histories plant every anomaly, each many times.
  for (const name of [
    'duplicates',
    'redelivered',
    'oneSequenceTwoOffsets',
    'outOfOrder',
    'foreign',
    'corrupt',
    'skipped',
    'missingSequences',
  ]) {
    expect(met.get(name) ?? 0, name).toBeGreaterThan(300)
  }
})

// --- the rules one by one ---------------------------------------------------------------------------------------

const runId = runIds[0]
const whole = (toOffset: number) => ({ fromOffset: 0, toOffset })

/** A member reads records of producer 0, given as [offset, sequence], in one batch. */
const read = (
  ledger: ConsumeLedger,
  member: number,
  records: [offset: number, sequence: number][],
  range?: [from: number, to: number],
): boolean[] => {
  const [from, to] = range ?? [records[0]?.[0] ?? 0, (records.at(-1)?.[0] ?? -1) + 1]
  const run = ledger.onBatch(member, 0, from, to)
  const header = { ...createHeader(), run: runNumberOf(runId) }
  return records.map(([offset, sequence]) => {
    header.sequence = sequence
    return run.observe(offset, 'ok', header)
  })
}
const dense = (from: number, to: number): [number, number][] =>
  Array.from({ length: to - from }, (_, index) => [from + index, from + index])

const calm = {
  missing: 0,
  gaps: [],
  duplicates: 0,
  redelivered: 0,
  oneSequenceTwoOffsets: 0,
  outOfOrder: 0,
  foreign: 0,
  corrupt: 0,
}

test('a calm staggered start shows 0 of all', () => {
  const ledger = new ConsumeLedger(1, null)
  ledger.onAssigned(0, [0])
  read(ledger, 0, dense(0, 10))
  ledger.onRevoked(0)
  ledger.onAssigned(1, [0])
  read(ledger, 1, dense(10, 30))
  expect(ledger.report(0, whole(30))).toMatchObject({ ...calm, consumed: 30, consumedInRange: 30 })
  expect(ledger.position(0)).toBe(30)
  expect([ledger.recordsOf(0), ledger.recordsOf(1), ledger.recordsOf(2)]).toEqual([10, 20, 0])
})

test('control and compacted records are read, the position is behind them', () => {
  const ledger = new ConsumeLedger(1, null)
  read(
    ledger,
    0,
    [
      [0, 0],
      [2, 1],
    ],
    [0, 5],
  )
  read(ledger, 0, [], [5, 7])
  expect(ledger.report(0, whole(7))).toMatchObject({ ...calm, consumed: 2 })
  expect(ledger.positions(0)).toEqual(new Map([[0, 7]]))
})

test('what a run jumps over is missing, until somebody reads it', () => {
  const ledger = new ConsumeLedger(1, null)
  read(ledger, 0, dense(0, 5))
  read(ledger, 0, dense(8, 10))
  expect(ledger.report(0, whole(10))).toMatchObject({ ...calm, missing: 3, skipped: 3 })
  ledger.onAssigned(1, [0])
  read(ledger, 1, dense(5, 8))
  expect(ledger.report(0, whole(10))).toMatchObject(calm)
})

test('what lies between the runs of members is a gap to judge, and its sequences are not missing', () => {
  const ledger = new ConsumeLedger(1, null)
  read(ledger, 0, dense(0, 5))
  ledger.onRevoked(0)
  read(ledger, 0, dense(8, 10))
  expect(ledger.report(0, whole(12))).toMatchObject({
    ...calm,
    gaps: [
      { from: 5, to: 8 },
      { from: 10, to: 12 },
    ],
  })
})

test('a sequence that is not in contiguous offsets is missing', () => {
  const ledger = new ConsumeLedger(1, null)
  expect(
    read(ledger, 0, [
      [0, 0],
      [1, 1],
      [2, 5],
      [3, 6],
    ]),
  ).toEqual([true, true, true, true])
  expect(ledger.report(0, whole(4))).toMatchObject({ ...calm, missing: 3, missingSequences: 3 })
})

test('a gap explains no more sequences than it has offsets', () => {
  const ledger = new ConsumeLedger(1, null)
  read(ledger, 0, dense(0, 5))
  ledger.onRevoked(0)
  read(ledger, 0, [[8, 10]])
  expect(ledger.report(0, whole(9))).toMatchObject({ missing: 2, gaps: [{ from: 5, to: 8 }] })
})

test('of a producer of this command only acked sequences can be missing', () => {
  const ledger = new ConsumeLedger(1, runId)
  const produced = new ProduceLedger(runId, 0, 1)
  produced.take(0, 6)
  produced.onAck(0, 0, 2, 0)
  produced.onFailure(0, 2, 2, false)
  produced.onAck(0, 4, 2, 2)
  read(ledger, 0, [
    [0, 0],
    [1, 1],
    [2, 4],
    [3, 5],
  ])
  expect(ledger.report(0, whole(4)).missing).toBe(2)
  expect(ledger.report(0, whole(4), [produced]).missing).toBe(0)
})

test('twice after a move is a duplicate, twice without one is redelivered', () => {
  const ledger = new ConsumeLedger(1, null)
  ledger.onAssigned(0, [0])
  read(ledger, 0, dense(0, 10))
  ledger.onAssigned(0, [0])
  expect(read(ledger, 0, dense(8, 10))).toEqual([false, false])
  expect(ledger.report(0, whole(10))).toMatchObject({ ...calm, consumed: 10, redelivered: 2 })
  ledger.onAssigned(1, [0])
  read(ledger, 1, dense(5, 10))
  ledger.onRevoked(1)
  ledger.onAssigned(1, [0])
  read(ledger, 1, dense(9, 10))
  expect(ledger.report(0, whole(10))).toMatchObject({ redelivered: 2, duplicates: 6 })
})

test('a retry stored twice is one sequence at two offsets, not disorder', () => {
  const ledger = new ConsumeLedger(1, null)
  read(ledger, 0, [
    [0, 0],
    [1, 1],
    [2, 0],
    [3, 1],
    [4, 2],
  ])
  expect(ledger.report(0, whole(5))).toMatchObject({ ...calm, oneSequenceTwoOffsets: 2 })
})

test('an earlier sequence after a later one is out of order, also over batches', () => {
  const ledger = new ConsumeLedger(1, null)
  read(ledger, 0, [
    [0, 2],
    [1, 3],
  ])
  read(ledger, 0, [
    [2, 0],
    [3, 1],
    [4, 4],
  ])
  expect(ledger.report(0, whole(5))).toMatchObject({ ...calm, outOfOrder: 2 })
})

test('foreign and corrupt records are counted by offset', () => {
  const ledger = new ConsumeLedger(1, runId)
  const run = ledger.onBatch(0, 0, 0, 4)
  const other = { ...createHeader(), run: 1, sequence: 77 }
  run.observe(0, 'none', other)
  run.observe(1, 'ok', other)
  run.observe(2, 'corrupt', other)
  run.observe(3, 'ok', { ...other, run: runNumberOf(runId) })
  expect(ledger.report(0, whole(4))).toMatchObject({ ...calm, foreign: 2, corrupt: 1, consumed: 4 })
  expect(ledger.sequencesOf(0).map(({ producer }) => producer)).toEqual([0])
})

test('a corrupt record is not missing as well', () => {
  const ledger = new ConsumeLedger(1, null)
  read(ledger, 0, [[0, 0]])
  ledger.onBatch(0, 0, 1, 2).observe(1, 'corrupt', createHeader())
  read(ledger, 0, [[2, 2]])
  expect(ledger.report(0, whole(3))).toMatchObject({ ...calm, corrupt: 1 })
})

test('a partition that the topic does not have is refused', () => {
  expect(() => new ConsumeLedger(1, null).onBatch(0, 1, 0, 1)).toThrow('partition 1')
})
