import { expect, test } from 'vitest'
import { ManualClock, settled } from '../../test/support/manual-clock.ts'
import type { Exchange } from '../recorder/exchange.ts'
import { faultsOf } from './faults.ts'
import type { ScenarioFault } from './schema.ts'

const fault = (changes: Partial<ScenarioFault>): ScenarioFault => ({
  ...{ api: 'JoinGroup', members: null, nth: 1, count: 1, drop: true, delay: null },
  ...changes,
})
const ask = (api: string, clientId: string) => ({ api, clientId }) as Exchange

test('hits so many answers from the nth on, counted per member, whose lives are one', async () => {
  const told: string[] = []
  const faultOf = faultsOf(
    [fault({ members: ['b'], nth: 2, count: 2 })],
    new ManualClock(),
    (who) => told.push(who),
  )
  const hits = ['b', 'b', 'a', 'b.2', 'b.2'].map((who) => faultOf(ask('JoinGroup', who)))
  expect(hits.map((hit) => hit !== null)).toEqual([false, true, false, true, false])
  expect(faultOf(ask('SyncGroup', 'b'))).toBeNull()
  expect(await hits[1]?.()).toBe('drop')
  expect(told).toEqual(['b'])
})

test('lets an answer pass after its delay', async () => {
  const clock = new ManualClock()
  const hit = faultsOf([fault({ drop: false, delay: 500 })], clock, () => {})(ask('JoinGroup', 'a'))
  let verdict = ''
  void hit?.().then((what) => {
    verdict = what
  })
  clock.advance(400)
  await settled()
  expect(verdict).toBe('')
  clock.advance(200)
  await settled()
  expect(verdict).toBe('pass')
})
