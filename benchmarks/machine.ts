import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { cpuMsOf, type MachineTicks, machineTicksOf } from '../src/bench/resource-probe.ts'
import { readBenchVersion } from '../src/results/environment.ts'
import { percentOf } from '../src/results/machine-limits.ts'

/** What processes and the machine used, from /proc; NaN where a process is gone. */

const read = (file: string): string | null => {
  try {
    return readFileSync(`/proc/${file}`, 'utf8')
  } catch {
    return null
  }
}

/** User and system time. */
export const cpuSecOf = (pid: number | undefined): number => {
  const stat = read(`${pid}/stat`)
  return stat === null ? Number.NaN : cpuMsOf(stat) / 1_000
}

/** Resident memory, and the part of it that no file backs: heaps, stacks and buffers. */
export const memoryMiBOf = (pid: number | undefined): { resident: number; anonymous: number } => {
  const status = read(`${pid}/status`) ?? ''
  const of = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    return found === undefined ? Number.NaN : Number(found) / 1_024
  }
  return { resident: of('VmRSS'), anonymous: of('RssAnon') }
}

const ticks = (): MachineTicks => machineTicksOf(read('stat') ?? '')

/** The machine's own figures since it was made, as text: how much of it was idle, and how much others took. */
export class MachineWatch {
  readonly #from = ticks()
  readonly #loadBefore = loadavg()[0] ?? Number.NaN

  /** `idle 53 %, steal 0 %, load 0.1 before`. */
  told(): string {
    const to = ticks()
    const total = to.total - this.#from.total
    const [busy, steal] = [to.busy - this.#from.busy, to.steal - this.#from.steal]
    const idle = percentOf((total - busy - steal) / total)
    return `idle ${idle}, steal ${percentOf(steal / total)}, load ${this.#loadBefore.toFixed(1)} before`
  }
}

/** `2026-01-31, bench 1.0.0, CPU × 2, 24 GiB, node v20`. */
export const surroundings = (): string => {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const machine = `${cpus()[0]?.model.trim() ?? ''} × ${cpus().length}, ${memory}, node ${process.version}`
  return `${new Date().toISOString().slice(0, 10)}, bench ${readBenchVersion()}, ${machine}`
}
