import { cpus, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  cpuMsOf,
  type MachineTicks,
  machineTicksOf,
  readProc,
} from '../src/bench/resource-probe.ts'
import { readBenchVersion } from '../src/results/environment.ts'
import { percentOf } from '../src/results/machine-limits.ts'

/** What processes and the machine used, from /proc; NaN where a process is gone. */

/** User and system time. */
export const cpuSecOf = (pid: number | undefined): number => {
  const stat = readProc(`${pid}/stat`)
  return stat === null ? Number.NaN : cpuMsOf(stat) / 1_000
}

/** Resident memory, and the part of it that no file backs: heaps, stacks and buffers. */
export const memoryMiBOf = (pid: number | undefined): { resident: number; anonymous: number } => {
  const status = readProc(`${pid}/status`) ?? ''
  const of = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    return found === undefined ? Number.NaN : Number(found) / 1_024
  }
  return { resident: of('VmRSS'), anonymous: of('RssAnon') }
}

const ticks = (): MachineTicks => machineTicksOf(readProc('stat') ?? '')

const idleMs = 2_000

/** How much of the machine is idle while the benchmark does nothing. */
const idleNow = async (): Promise<string> => {
  const from = ticks()
  await sleep(idleMs)
  const to = ticks()
  const [total, busy] = [to.total - from.total, to.busy - from.busy + to.steal - from.steal]
  return percentOf((total - busy) / total)
}

/** How quiet the machine was before and after, and what the hypervisor took in between. */
export class MachineWatch {
  readonly #from = ticks()
  readonly #before: string

  private constructor(before: string) {
    this.#before = before
  }

  static async open(): Promise<MachineWatch> {
    return new MachineWatch(await idleNow())
  }

  /** Called when the load has ended. */
  async told(): Promise<string> {
    const to = ticks()
    const steal = percentOf((to.steal - this.#from.steal) / (to.total - this.#from.total))
    return `idle ${this.#before} before and ${await idleNow()} after, steal ${steal}`
  }
}

/** `2026-01-31, bench 1.0.0, CPU × 2, 24 GiB, node v20`. */
export const surroundings = (): string => {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const machine = `${cpus()[0]?.model.trim() ?? ''} × ${cpus().length}, ${memory}, node ${process.version}`
  return `${new Date().toISOString().slice(0, 10)}, bench ${readBenchVersion()}, ${machine}`
}
