import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../test/support/manual-clock.ts'
import {
  cpuMsOf,
  createResourceProbe,
  machineLoadOf,
  machineTicksOf,
  maxMemoryBytesOf,
} from './resource-probe.ts'

describe('what /proc tells', () => {
  test('CPU of a process whose name holds spaces and brackets', () => {
    const stat =
      '4242 (node (main) x) S 1 4242 4242 0 -1 4194560 33 0 0 0 1234 66 5 6 20 0 11 0 777 0 0'
    expect(cpuMsOf(stat)).toBe(13_000)
  })

  test('largest memory', () => {
    expect(maxMemoryBytesOf('Name:\tnode\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\n')).toBe(2 ** 21)
    expect(maxMemoryBytesOf('')).toBe(0)
  })

  test('ticks of the machine', () => {
    const stat = 'cpu  100 1 50 800 20 2 3 10 0 0\ncpu0 50 0 25 400 10 1 1 5 0 0\n'
    expect(machineTicksOf(stat)).toEqual({ busy: 156, steal: 10, total: 986 })
  })

  test('what others used is what is left of the busy time, never less than none', () => {
    const before = { busy: 100, steal: 0, total: 1_000 }
    const after = { busy: 250, steal: 8, total: 1_400 }
    expect(machineLoadOf(before, after, { cpuMs: 1_000, elapsedMs: 2_000 })).toEqual({
      foreignCores: 0.25,
      steal: 0.02,
    })
    expect(machineLoadOf(before, after, { cpuMs: 9_000, elapsedMs: 2_000 }).foreignCores).toBe(0)
    expect(machineLoadOf(null, after, { cpuMs: 1, elapsedMs: 1 })).toEqual({
      foreignCores: null,
      steal: null,
    })
  })
})

describe('the probe', () => {
  const burn = (): void => {
    let sum = 0
    for (let index = 0; index < 3e7; index += 1) sum += Math.sqrt(index)
    expect(sum).toBeGreaterThan(0)
  }

  test('counts only between begin and end', () => {
    const clock = new ManualClock()
    const probe = createResourceProbe(clock, null)
    expect(probe.end()).toBeNull()
    burn()
    probe.begin()
    const idle = probe.end()
    probe.begin()
    burn()
    const busy = probe.end()
    expect(busy?.generator.cpuMs).toBeGreaterThan(idle?.generator.cpuMs ?? Number.NaN)
    expect(busy?.broker).toBeNull()
    expect(busy?.generator.maxMemoryBytes).toBeGreaterThan(2 ** 20)
    expect(probe.end()).toBeNull()
  })

  test.runIf(process.platform === 'linux')('sees another process, and one that is gone', () => {
    const probe = createResourceProbe(new ManualClock(), process.ppid)
    probe.begin()
    expect(probe.end()?.broker?.maxMemoryBytes).toBeGreaterThan(2 ** 20)
    const gone = createResourceProbe(new ManualClock(), 2 ** 22 + 1)
    gone.begin()
    expect(gone.end()?.broker).toBeNull()
  })
})
