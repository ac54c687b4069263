import { readFileSync } from 'node:fs'
import {
  type EventLoopUtilization,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks'
import type { Clock } from '../clock.ts'
import type { GcPause, GeneratorResources, MachineLoad, Resources } from '../results/result.ts'

/** What a measurement cost the generator and the embedded broker, and what else ran on the machine meanwhile. */

export interface ResourceProbe {
  /** The measurement begins; a second call begins it anew. */
  begin(): void
  /** Null when it never began. */
  end(): Resources | null
}

/** Kernel ticks per second as /proc counts them: USER_HZ, 100 on every platform Node supports. */
const ticksPerSec = 100
const delayResolutionMs = 10
/** Shorter collections are told in sum only. */
const pauseLimitMs = 50

/** The text of `/proc/PATH`; null where there is no such file: another system, or the process is gone. */
export const readProc = (path: string): string | null => {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return null
  }
}

/** CPU of a process in ms from `/proc/PID/stat`. The name may hold spaces and brackets, so fields count from its end. */
export const cpuMsOf = (stat: string): number => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSec
}

/** Largest resident memory from `/proc/PID/status`. */
export const maxMemoryBytesOf = (status: string): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1_024

export interface MachineTicks {
  busy: number
  steal: number
  total: number
}

/** The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal. */
export const machineTicksOf = (stat: string): MachineTicks => {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
    stat.slice(0, stat.indexOf('\n')).trim().split(/\s+/).slice(1).map(Number)
  const busy = user + nice + system + irq + softirq
  return { busy, steal, total: busy + idle + iowait + steal }
}

/** What both processes did not use; ticks are coarse, so it is never less than 0. */
export const machineLoadOf = (
  before: MachineTicks | null,
  after: MachineTicks | null,
  own: { cpuMs: number; elapsedMs: number },
): MachineLoad => {
  if (before === null || after === null || own.elapsedMs <= 0)
    return { foreignCores: null, steal: null }
  const busyMs = ((after.busy - before.busy) * 1_000) / ticksPerSec
  const total = after.total - before.total
  return {
    foreignCores: Math.max(0, busyMs - own.cpuMs) / own.elapsedMs,
    steal: total > 0 ? (after.steal - before.steal) / total : 0,
  }
}

/** The monitor counts its own timer's interval as delay. */
const delayMs = (ns: number): number => Math.max(0, ns / 1e6 - delayResolutionMs)

/** Counts the generator's own costs from its making to `read`. */
class GeneratorWatch {
  readonly #cpu = process.cpuUsage()
  readonly #loop: EventLoopUtilization = performance.eventLoopUtilization()
  readonly #delay = monitorEventLoopDelay({ resolution: delayResolutionMs })
  readonly #observer: PerformanceObserver
  #gcMs = 0
  #gcMaxMs = 0
  readonly #startMs: number
  readonly #pauses: GcPause[] = []

  /** `startMs` on the clock of `performance.now`, which the entries of the observer have too. */
  constructor(startMs: number) {
    this.#startMs = startMs
    this.#observer = new PerformanceObserver((list) => this.#count(list.getEntries()))
    this.#observer.observe({ entryTypes: ['gc'] })
    this.#delay.enable()
  }

  #count(pauses: readonly { startTime: number; duration: number }[]): void {
    for (const { startTime, duration } of pauses) {
      this.#gcMs += duration
      this.#gcMaxMs = Math.max(this.#gcMaxMs, duration)
      if (duration > pauseLimitMs) {
        this.#pauses.push({ atMs: startTime - this.#startMs, durationMs: duration })
      }
    }
  }

  read(): GeneratorResources {
    const cpu = process.cpuUsage(this.#cpu)
    this.#delay.disable()
    this.#count(this.#observer.takeRecords())
    this.#observer.disconnect()
    return {
      cpuMs: (cpu.user + cpu.system) / 1_000,
      maxMemoryBytes: process.resourceUsage().maxRSS * 1_024,
      eventLoopUtilization: performance.eventLoopUtilization(this.#loop).utilization,
      eventLoopDelayP99Ms: delayMs(this.#delay.percentile(99)),
      eventLoopDelayMaxMs: delayMs(this.#delay.max),
      gcMs: this.#gcMs,
      gcMaxMs: this.#gcMaxMs,
      gcPauses: this.#pauses,
    }
  }
}

const brokerCpuMs = (pid: number | null): number | null => {
  const stat = pid === null ? null : readProc(`${pid}/stat`)
  return stat === null ? null : cpuMsOf(stat)
}

const machineTicks = (): MachineTicks | null => {
  const stat = readProc('stat')
  return stat === null ? null : machineTicksOf(stat)
}

/** `brokerPid` is the embedded broker's; null for an external one. */
export const createResourceProbe = (clock: Clock, brokerPid: number | null): ResourceProbe => {
  let begun: {
    watch: GeneratorWatch
    atNs: number
    brokerMs: number | null
    ticks: MachineTicks | null
  } | null = null
  const brokerSince = (beforeMs: number | null): Resources['broker'] => {
    const afterMs = brokerCpuMs(brokerPid)
    if (beforeMs === null || afterMs === null) return null
    const status = readProc(`${brokerPid}/status`) ?? ''
    return { cpuMs: afterMs - beforeMs, maxMemoryBytes: maxMemoryBytesOf(status) }
  }
  return {
    begin: () => {
      begun?.watch.read()
      const atNs = clock.nowNs()
      begun = {
        watch: new GeneratorWatch(atNs / 1e6),
        atNs,
        brokerMs: brokerCpuMs(brokerPid),
        ticks: machineTicks(),
      }
    },
    end: () => {
      if (begun === null) return null
      const { watch, atNs, brokerMs, ticks } = begun
      begun = null
      const elapsedMs = (clock.nowNs() - atNs) / 1e6
      const generator = watch.read()
      const broker = brokerSince(brokerMs)
      const cpuMs = generator.cpuMs + (broker?.cpuMs ?? 0)
      const machine = machineLoadOf(ticks, machineTicks(), { cpuMs, elapsedMs })
      return { generator, broker, machine }
    },
  }
}
