import { expect, test } from 'vitest'
import type { ScenarioResult, ScenarioTimeline } from '../results/scenario-result.ts'
import { formatScenario, pictureLines } from './scenario.ts'

const timeline: ScenarioTimeline = {
  endMs: 10_000,
  rows: [
    {
      member: 'a',
      lives: [{ fromMs: 0, toMs: 10_000 }],
      owned: [
        { fromMs: 1_000, toMs: 5_000, partitions: [0, 1] },
        { fromMs: 5_000, toMs: 10_000, partitions: [0] },
      ],
    },
    {
      member: 'b',
      lives: [{ fromMs: 4_000, toMs: 8_000 }],
      owned: [{ fromMs: 5_000, toMs: 8_000, partitions: [1] }],
    },
  ],
  generations: [
    { atMs: 1_000, generation: 1 },
    { atMs: 5_000, generation: 2 },
  ],
  marks: [
    { atMs: 0, member: 'a', kind: 'start', text: 'start' },
    { atMs: 4_000, member: 'b', kind: 'start', text: 'start' },
    { atMs: 6_000, member: 'b', kind: 'fault', text: 'SyncGroup answer lost' },
    { atMs: 8_000, member: 'b', kind: 'crash', text: 'crash' },
  ],
}

const result: ScenarioResult = {
  schemaVersion: 1,
  kind: 'scenario',
  runId: 'abcdef012345',
  scenario: 'two',
  title: 'Two members',
  guards: 'Nothing\u001b[31m in particular.',
  source: 'here',
  defect: 'canary',
  status: 'failed',
  reason: null,
  startedAt: '2026-11-21T10:00:00.000Z',
  elapsedMs: 12_000,
  environment: {
    ...{ benchVersion: '0', node: 'v20', os: 'test', cpu: 'test', cores: 2, memoryBytes: 1 },
    ...{ client: 'kafkajs 2.2.4', broker: 'bench' },
  },
  target: { kind: 'embedded', bootstrapServers: '127.0.0.1:1' },
  partitionCount: 2,
  members: [
    {
      ...{ name: 'b', life: 1, client: 'x', memberIds: [], startedAtMs: 4_000, generations: [2] },
      ...{
        firstAssignmentMs: 1_000,
        firstRecordMs: null,
        partitions: [1],
        records: 0,
        end: 'crashed',
        errors: ['no broker'],
      },
    },
  ],
  partitions: [],
  checks: [
    { name: 'complete', ok: true, expected: 2, actual: 2 },
    { name: 'fair-share', ok: false, expected: 'a share', actual: 'b owns nothing' },
  ],
  timeline,
  explanation: ['b, connection 1 to n:1'],
  warnings: [],
}

test('draws who owned what over time, with what happened on top', () => {
  expect(pictureLines(timeline, 31)).toMatchInlineSnapshot(`
    [
      "time       0             10.00s",
      "a          S.********0000000000",
      "b                  S.11!111X",
      "generation   |       |",
      "generations: 1, 2",
      "! 6.00s b: SyncGroup answer",
      "  lost",
      "digits: the partition owned, *",
      "  several; . running without",
      "  one; S start, E stop, X",
      "  crash, R restart, P pause, C",
      "  resume, ! fault, | new",
      "  generation",
    ]
  `)
})

test.each([40, 60, 80, 200])('keeps within %i columns but for the exchanges', (width) => {
  const text = formatScenario({ ...result, explanation: [] }, { width, color: false })
  expect(text.split('\n').filter((line) => line.length > width)).toEqual([])
})

test('tells verdict, checks, defect and the exchanges, without escapes but its own', () => {
  const text = formatScenario(result, { width: 80, color: false })
  expect(text).toContain('two: FAILED')
  expect(text).toContain('defect canary')
  expect(text).toContain('FAILED fair-share: expected a share, actual b owns nothing')
  expect(text).toContain('b told: no broker')
  expect(text).toContain('b, connection 1 to n:1')
  expect(text).not.toContain('\u001b')
  expect(formatScenario(result, { width: 80, color: true })).toContain('\u001b[31m  FAILED')
})
