import { ProduceLedger } from '../../src/bench/produce-ledger.ts'
import { runNumberOf } from '../../src/bench/record-header.ts'
import type { Evidence, Life } from '../../src/scenario/evidence.ts'
import { parseScenario } from '../../src/scenario/load.ts'
import type { MemberEvent, MemberEventOf } from '../../src/scenario/member-protocol.ts'

/** A story that went well: two members, two partitions, ten records in each; tests plant what shall be found. */

export const runId = 'abcdef012345'
const recordsPerPartition = 10

const text = `title: two members
guards: nothing
source: here
topic: { partitions: 2 }
produce: { records: 20 }
members: { a: {}, b: {} }
timeline:
  - { at: 0s, start: [a, b] }
`

export const batchOf = (
  partition: number,
  fromOffset: number,
  count: number,
  atMs: number,
  firstSequence = fromOffset,
): MemberEventOf<'batch'> => ({
  type: 'batch',
  partition,
  fromOffset,
  toOffset: fromOffset + count,
  runs: [[fromOffset, count, runNumberOf(runId), 0, firstSequence]],
  atMs,
})

export const assigned = (
  memberId: string,
  generation: number,
  partitions: number[],
  atMs: number,
): MemberEvent => ({ type: 'assigned', memberId, generation, partitions, atMs })

export const lifeOf = (member: string, changes: Partial<Life> = {}): Life => ({
  member,
  number: 1,
  clientId: member,
  client: 'test 1',
  startedAtMs: 0,
  endedAtMs: 2_100,
  end: 'stopped',
  problem: null,
  isPaused: false,
  events: [],
  batches: [],
  ...changes,
})

const ledger = (): ProduceLedger => {
  const produced = new ProduceLedger(runId, 0, 2)
  for (const partition of [0, 1]) {
    const first = produced.take(partition, recordsPerPartition)
    produced.onAck(partition, first, recordsPerPartition, 0)
  }
  return produced
}

export const evidenceOf = (changes: Partial<Evidence> = {}, file = text): Evidence => ({
  scenario: parseScenario(file, 'two.yaml'),
  topic: 't',
  lives: [
    lifeOf('a', { events: [assigned('a-1', 1, [0], 500)], batches: [batchOf(0, 0, 10, 600)] }),
    lifeOf('b', { events: [assigned('b-1', 1, [1], 500)], batches: [batchOf(1, 0, 10, 600)] }),
  ],
  steps: [{ action: 'start', members: ['a', 'b'], atMs: 0, problem: null }],
  faults: [],
  isCutShort: false,
  problem: null,
  snapshot: { atMs: 2_000, unsettled: null, described: ['a-1', 'b-1'] },
  before: [0, 1].map((partition) => ({ partition, low: 0, high: 0 })),
  after: [0, 1].map((partition) => ({ partition, low: 0, high: recordsPerPartition })),
  committed: new Map([
    [0, 10],
    [1, 10],
  ]),
  produced: [ledger()],
  scan: null,
  exchanges: [],
  facts: [],
  generations: [
    {
      generationId: 1,
      leader: 'a-1',
      protocolName: 'range',
      beganAtUs: 400_000,
      syncedAtUs: 500_000,
      members: ['a-1', 'b-1'],
      owned: new Map([
        ['a-1', [{ topic: 't', partitions: [0] }]],
        ['b-1', [{ topic: 't', partitions: [1] }]],
      ]),
    },
  ],
  recordingStartMs: 0,
  probes: [],
  ...changes,
})

export const scenarioText = text
