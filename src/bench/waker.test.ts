import { describe, expect, it } from 'vitest'
import { ManualClock, settled } from '../../test/support/manual-clock.ts'
import { createSpinWaker, createTimerWaker, type Waker } from './waker.ts'

const wakers: [string, (clock: ManualClock) => Waker][] = [
  ['timer', createTimerWaker],
  ['spin', createSpinWaker],
]

describe.each(wakers)('the %s waker', (_, create) => {
  const wakerTest = () => {
    const clock = new ManualClock()
    const rang: number[] = []
    const waker = create(clock)
    return { clock, rang, waker, ring: () => void rang.push(clock.elapsedMs) }
  }

  it('rings once at its time', async () => {
    const { clock, rang, waker, ring } = wakerTest()
    waker.set(5e6, ring)
    await clock.advanceAsync(4.9)
    expect(rang).toEqual([])
    await clock.advanceAsync(0.1)
    await settled()
    await clock.advanceAsync(20)
    expect(rang).toEqual([5])
  })

  it('rings at once for a time that is past', async () => {
    const { clock, rang, waker, ring } = wakerTest()
    await clock.advanceAsync(10)
    waker.set(5e6, ring)
    await clock.advanceAsync(0)
    await settled()
    expect(rang).toEqual([10])
  })

  it('knows only the alarm set last', async () => {
    const { clock, rang, waker, ring } = wakerTest()
    waker.set(1e6, () => rang.push(-1))
    waker.set(3e6, ring)
    for (let step = 0; step < 50; step += 1) await clock.advanceAsync(0.1)
    expect(rang).toHaveLength(1)
    expect(rang[0]).toBeCloseTo(3, 1)
  })

  it('does not ring when it is cancelled or closed, however near', async () => {
    const { clock, rang, waker, ring } = wakerTest()
    waker.set(1e6, ring)
    await settled()
    waker.cancel()
    await clock.advanceAsync(5)
    waker.set(6e6, ring)
    await settled()
    await waker.close()
    await clock.advanceAsync(5)
    await settled()
    expect([rang, clock.timerCount]).toEqual([[], 0])
  })
})
