import { describe, expect, test } from 'vitest'
import {
  assigned,
  batchOf,
  evidenceOf,
  lifeOf,
  runId,
  scenarioText,
} from '../../test/support/scenario-evidence.ts'
import { checkNames } from './check-names.ts'
import { checksOf } from './checks.ts'
import type { Evidence, Life } from './evidence.ts'
import { readingOf } from './reading.ts'

const judge = (evidence: Evidence) => checksOf(evidence, readingOf(evidence, runId))
const failed = (evidence: Evidence): string[] =>
  judge(evidence)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name)
const actualOf = (evidence: Evidence, name: string) =>
  judge(evidence).find((check) => check.name === name)?.actual

/** The usual two lives with one of them changed. */
const lives = (b: Partial<Life>, a: Partial<Life> = {}): { lives: Life[] } => {
  const [first, second] = evidenceOf().lives as [Life, Life]
  return {
    lives: [
      { ...first, ...a },
      { ...second, ...b },
    ],
  }
}

const joinFact = (clientId: string, memberId: string, generationId = 1) => ({
  ...{ kind: 'join', groupId: 'g', clientId, connection: 1, memberId, askedMemberId: memberId },
  ...{ requestedAtUs: 1, answeredAtUs: 2, errorCode: 0, groupInstanceId: null, generationId },
  ...{
    protocolName: 'range',
    leader: 'a-1',
    roster: [],
    rebalanceTimeoutMs: 1,
    sessionTimeoutMs: 1,
  },
})

const heartbeat = (generationId: number, errorCode: number, requestedAtUs: number) => ({
  ...{ kind: 'heartbeat', groupId: 'g', clientId: 'b', connection: 1, memberId: 'b-1' },
  ...{ generationId, errorCode, requestedAtUs, answeredAtUs: requestedAtUs },
})

const exchangeWith = (code: string) => ({
  ...{ connection: 1, node: 'n:1', clientId: 'b', api: 'SyncGroup', apiKey: 14, version: 3 },
  ...{ correlationId: 1, requestedAtUs: 1, answeredAtUs: 2, requestBytes: 0, responseBytes: 0 },
  ...{ request: {}, response: {} },
  findings: [
    {
      level: 'suspicious',
      code,
      message: 'SyncGroup v3 response',
      field: '',
      offset: null,
      text: code,
    },
  ],
})

const facts = (...all: object[]) => ({ facts: all as unknown as Evidence['facts'] })

describe('a story that went well', () => {
  test('holds every check', () => {
    const checks = judge(evidenceOf())
    expect(checks.filter(({ ok }) => !ok)).toEqual([])
    expect(checks.length).toBeGreaterThan(20)
    expect(checks.filter(({ name }) => !checkNames.includes(name))).toEqual([])
  })

  test('leaves out what it is told to skip', () => {
    const file = `${scenarioText}checks: { skip: [fair-share] }\n`
    expect(judge(evidenceOf({}, file)).map(({ name }) => name)).not.toContain('fair-share')
  })
})

describe('the group', () => {
  test('a member without a share', () => {
    const evidence = evidenceOf(
      lives(
        { events: [assigned('b-1', 1, [], 500)], batches: [] },
        {
          events: [assigned('a-1', 1, [0, 1], 500)],
          batches: [batchOf(0, 0, 10, 600), batchOf(1, 0, 10, 600)],
        },
      ),
    )
    expect(failed(evidence)).toContain('fair-share')
    expect(actualOf(evidence, 'fair-share')).toBe('b owns nothing')
  })

  test('a member that owns its share by its own account, and nothing on the wire', () => {
    const sync = { ...heartbeat(1, 0, 300), kind: 'sync', owned: [], given: null }
    expect(failed(evidenceOf(facts(sync)))).toEqual(['fair-share'])
  })

  test('a partition that nobody owns', () => {
    const evidence = evidenceOf(
      lives({
        events: [assigned('b-1', 1, [1], 500), { type: 'revoked', partitions: null, atMs: 900 }],
      }),
    )
    expect(failed(evidence)).toEqual(['fair-share', 'complete'])
  })

  test('a partition with two owners in one generation, by members and on the wire', () => {
    const both = lives({ events: [assigned('b-1', 1, [0, 1], 500)] })
    expect(failed(evidenceOf(both))).toContain('disjoint')
    const [generation] = evidenceOf().generations
    const owned = new Map([...(generation?.owned ?? []), ['c', [{ topic: 't', partitions: [0] }]]])
    const generations = [{ ...generation, owned }] as Evidence['generations']
    expect(failed(evidenceOf({ generations }))).toEqual(['disjoint'])
  })

  test('a first partition that came late, or never', () => {
    expect(failed(evidenceOf(lives({ startedAtMs: -15_000 })))).toEqual(['first-assignment'])
    expect(failed(evidenceOf(lives({ events: [], batches: [] })))).toContain('first-assignment')
  })

  test('more generations than members that came', () => {
    const [generation] = evidenceOf().generations
    const generations = [1, 2, 3, 4].map((id) => ({ ...generation, generationId: id }))
    const evidence = evidenceOf({ generations: generations as Evidence['generations'] })
    expect(failed(evidence)).toEqual(['generations-bounded'])
    expect(actualOf(evidence, 'generations-bounded')).toBe(4)
    const exact = `${scenarioText}checks: { generations: 2 }\n`
    expect(failed(evidenceOf({}, exact))).toEqual(['generations-bounded'])
  })

  test('the generations of a static member that comes back', () => {
    const file = scenarioText.replace('b: {}', 'b: { client: scripted, instanceId: one }')
    const [generation] = evidenceOf().generations
    const count = (ids: number[]) => ({
      generations: ids.map((id) => ({
        ...generation,
        generationId: id,
      })) as Evidence['generations'],
      steps: (['start', 'restart', 'crash', 'start'] as const).map((action) => ({
        ...{ action, members: ['b'], atMs: 0, problem: null },
      })),
    })
    expect(failed(evidenceOf(count([1, 2]), file))).toEqual([])
    expect(failed(evidenceOf(count([1, 2, 3]), file))).toEqual(['generations-bounded'])
  })

  test('an id that two members share, and a member with two ids', () => {
    const shared = facts(joinFact('a', 'x'), joinFact('b', 'x'))
    expect(failed(evidenceOf(shared))).toEqual(['member-ids-distinct'])
    const several = facts(joinFact('a', 'x'), joinFact('a', 'y'))
    expect(failed(evidenceOf(several))).toEqual(['member-ids-distinct'])
  })

  test('members of a generation that were never answered', () => {
    const leader = { ...joinFact('a', 'a-1'), roster: ['a-1', 'b-1', 'ghost'] }
    const joins = facts(leader, joinFact('b', 'b-1'))
    expect(failed(evidenceOf(joins))).toEqual(['no-ghosts'])
    const crash = { action: 'crash', members: ['b'], atMs: 1, problem: null } as const
    expect(failed(evidenceOf({ ...joins, steps: [crash, ...evidenceOf().steps] }))).toEqual([])
  })

  test('members that are described and not there', () => {
    const snapshot = { ...evidenceOf().snapshot, described: ['a-1', 'b-1', 'ghost'] }
    expect(failed(evidenceOf({ snapshot }))).toEqual(['described-members'])
  })

  test('a heartbeat of an old generation without an error', () => {
    expect(failed(evidenceOf(facts(heartbeat(0, 0, 500_000))))).toEqual(['heartbeats-current'])
    expect(failed(evidenceOf(facts(heartbeat(0, 22, 500_000))))).toEqual([])
    expect(failed(evidenceOf(facts(heartbeat(0, 0, 300_000))))).toEqual([])
  })

  test('what the recording marks', () => {
    const marked = (code: string) => ({
      exchanges: [exchangeWith(code)] as unknown as Evidence['exchanges'],
    })
    expect(failed(evidenceOf(marked('sync-before-leader')))).toEqual(['sync-after-leader'])
    expect(failed(evidenceOf(marked('offsets-missing')))).toEqual(['answers-sound'])
  })

  test('a member that gave up, a step that did not come, a group that did not settle', () => {
    expect(failed(evidenceOf(lives({ problem: 'no broker' })))).toEqual(['members-healthy'])
    const steps = [{ action: null, members: [], atMs: 0, problem: 'settled: no' }]
    expect(failed(evidenceOf({ steps }))).toContain('timeline-kept')
    const snapshot = { ...evidenceOf().snapshot, unsettled: 'b has no assignment' }
    expect(failed(evidenceOf({ snapshot }))).toEqual(['group-settles'])
  })
})

describe('the records', () => {
  const ofB = (...batches: Life['batches']) => evidenceOf(lives({ batches }))

  test('a log with fewer records than were acked', () => {
    const after = [0, 1].map((partition) => ({ partition, low: 0, high: 10 - partition }))
    expect(failed(evidenceOf({ after }))).toContain('acked-equals-watermark-delta')
  })

  test('records that nobody got', () => {
    const evidence = ofB(batchOf(1, 0, 4, 600), batchOf(1, 6, 4, 700))
    expect(failed(evidence)).toEqual(['counts-equal', 'nothing-lost-on-way'])
    expect(actualOf(evidence, 'nothing-lost-on-way')).toContain('1')
  })

  test('records that came twice, to one member or after a move', () => {
    expect(failed(ofB(batchOf(1, 0, 10, 600), batchOf(1, 8, 2, 700)))).toEqual(['read-once'])
    const moved = evidenceOf({
      lives: [
        ...(evidenceOf().lives as Life[]),
        lifeOf('c', {
          events: [assigned('c-1', 1, [], 600)],
          batches: [batchOf(1, 5, 5, 1_000)],
        }),
      ],
    })
    expect(failed(moved)).toContain('read-once')
  })

  test('a member that begins behind what another had committed before it left', () => {
    const [a, b] = evidenceOf().lives as [Life, Life]
    const left = {
      ...b,
      events: [...b.events, { type: 'left', atMs: 700 } as const],
      endedAtMs: 700,
    }
    const c = lifeOf('c', {
      startedAtMs: 700,
      events: [assigned('c-1', 2, [1], 900)],
      batches: [batchOf(1, 5, 5, 1_000)],
    })
    expect(failed(evidenceOf({ lives: [a, left, c] }))).toContain('restart-resumes')
  })

  test('records out of order, at two offsets, and corrupt', () => {
    const swapped = ofB(batchOf(1, 0, 5, 600, 5), batchOf(1, 5, 5, 700, 0))
    expect(failed(swapped)).toEqual(['order-kept'])
    const twice = ofB(batchOf(1, 0, 5, 600, 0), batchOf(1, 5, 5, 700, 0))
    expect(failed(twice)).toContain('stored-once')
    const corrupt = batchOf(1, 0, 10, 600)
    corrupt.runs = [[0, 10, -2, 0, 0]]
    expect(failed(ofB(corrupt))).toContain('no-corruption')
  })

  test('commits that are not there', () => {
    expect(failed(evidenceOf({ committed: new Map([[0, 10]]) }))).toEqual(['commits-kept'])
  })

  test('counts that the file asks for', () => {
    const asks = (checks: string) => `${scenarioText}checks: ${checks}\n`
    expect(failed(evidenceOf({}, asks('{ perPartition: 10, perMember: { a: 10 } }')))).toEqual([])
    expect(failed(evidenceOf({}, asks('{ perPartition: 11 }')))).toEqual(['records-per-partition'])
    expect(failed(evidenceOf({}, asks('{ perMember: { b: 9 } }')))).toEqual(['records-per-member'])
  })

  test('records of another run that are not told as such', () => {
    const file = scenarioText.replace('partitions: 2', 'partitions: 2, oldRecords: 3')
    expect(failed(evidenceOf({}, file))).toEqual(['contamination-told'])
  })
})

test('a story that was given up is judged only by what lasts', () => {
  const exchanges = [exchangeWith('sync-before-leader')] as unknown as Evidence['exchanges']
  const { before: after } = evidenceOf()
  const cut = { isCutShort: true, after, exchanges }
  expect(failed(evidenceOf({ ...cut }))).toEqual(['sync-after-leader'])
  const given = evidenceOf({ ...cut, problem: 'refused' })
  expect(failed(given)).toEqual(['story-told', 'sync-after-leader'])
  expect(actualOf(given, 'story-told')).toBe('refused')
})
