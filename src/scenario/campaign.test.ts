import { expect, test } from 'vitest'
import type { ScenarioResult } from '../results/scenario-result.ts'
import { judgeScenario, mapAtOnce } from './campaign.ts'
import { parseScenario } from './load.ts'

const scenario = parseScenario(
  `title: x
guards: x
source: x
members: { a: {} }
timeline: [{ start: a }]
defect: { name: canary, check: fair-share }
`,
  'x.yaml',
)

const result = (failed: readonly string[], reason: string | null = null): ScenarioResult => {
  const checks = ['fair-share', 'complete'].map((name) => {
    return { name, ok: !failed.includes(name), expected: 1, actual: 1 }
  })
  return {
    status: failed.length === 0 ? 'passed' : 'failed',
    reason,
    checks,
  } as ScenarioResult
}

const judge = (clean: readonly string[], broken: readonly string[], isProof = true) =>
  judgeScenario(
    scenario,
    (_scenario, defect) => Promise.resolve(result(defect === null ? clean : broken)),
    isProof,
  )

test.each([
  ['passes without and the named check fails with', [], ['fair-share', 'complete'], 'passed'],
  ['nothing fails with the defect', [], [], 'failed'],
  ['another check than the named one fails', [], ['complete'], 'failed'],
  ['fails without the defect', ['complete'], ['fair-share'], 'failed'],
])('a proof where it %s', async (_what, clean, broken, status) => {
  expect((await judge(clean, broken)).status).toBe(status)
})

test('without a proof the defect is not tried', async () => {
  const { status, broken } = await judge([], [], false)
  expect([status, broken]).toEqual(['passed', null])
})

test('what ended a story stands beside its name', async () => {
  const play = () => Promise.resolve(result(['complete'], 'cannot create topic t: refused'))
  const { status, text } = await judgeScenario(scenario, play, true)
  expect([status, text]).toEqual(['failed', 'failed: complete (cannot create topic t: refused)'])
})

test('works on so many at a time, and gives the results in their order', async () => {
  let running = 0
  let most = 0
  const results = await mapAtOnce([3, 1, 2, 5, 4], 2, async (item) => {
    running += 1
    most = Math.max(most, running)
    for (let turn = 0; turn < item; turn += 1) await Promise.resolve()
    running -= 1
    return item * 10
  })
  expect(results).toEqual([30, 10, 20, 50, 40])
  expect(most).toBe(2)
})

test('what is to be alone comes last, one by one', async () => {
  const running = new Set<number>()
  const beside = new Map<number, number>()
  const work = async (item: number): Promise<number> => {
    running.add(item)
    await Promise.resolve()
    beside.set(item, running.size)
    running.delete(item)
    return item * 10
  }
  const isEven = (item: number): boolean => item % 2 === 0
  expect(await mapAtOnce([1, 2, 3, 4, 5], 3, work, isEven)).toEqual([10, 20, 30, 40, 50])
  expect([...beside.keys()]).toEqual([1, 3, 5, 2, 4])
  expect([beside.get(1), beside.get(2), beside.get(4)]).toEqual([3, 1, 1])
})

test('a play that cannot be is the failure of all', async () => {
  const work = (item: number) =>
    item === 2 ? Promise.reject(new Error('no broker')) : Promise.resolve(item)
  await expect(mapAtOnce([1, 2, 3], 2, work)).rejects.toThrow('no broker')
})

test('after it no more are begun', async () => {
  const begun: number[] = []
  const work = (item: number) => {
    begun.push(item)
    return item === 2 ? Promise.reject(new Error('no broker')) : Promise.resolve(item)
  }
  await expect(mapAtOnce([1, 2, 3, 4, 5, 6], 2, work)).rejects.toThrow('no broker')
  expect(begun).toEqual([1, 2, 3])
})
