import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { RunResult } from '../src/results/result.ts'
import { cpuSecOf } from './machine.ts'
import { benchBin, folder, startProcess } from './processes.ts'

/** Runs of the real bin, each a process, and what they cost. */

export interface Taken {
  readonly result: RunResult
  /** Of a reading, from its first record on: without the join of the group. */
  readonly perSec: number
  /** Of the measurement, without the start of the process. */
  readonly clientSecPerMillion: number
  /** Of the warm-up too, over the records of both; NaN without the broker's process. */
  readonly brokerSecPerMillion: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly generatorCores: number
}

let count = 0

/** Throws when it does not end with 0, so that a figure is always one of a run whose checks all held. */
export const runBench = async (args: readonly string[], brokerPid?: number): Promise<Taken> => {
  count += 1
  const file = path.join(folder, `run-${count}.json`)
  const before = cpuSecOf(brokerPid)
  const saved = ['--no-save', '--quiet', '--json-output', file]
  const child = startProcess(process.execPath, [benchBin, 'run', ...args, ...saved])
  const code = await child.ended
  if (code !== 0) throw new Error(`bench ${args.join(' ')}: exit ${code}: ${child.output()}`)
  const brokerSec = cpuSecOf(brokerPid) - before
  const result = JSON.parse(readFileSync(file, 'utf8')) as RunResult
  const { totals, warmup, latencyUs, resources, consumers } = result
  const generatorMs = resources?.generator.cpuMs ?? Number.NaN
  return {
    result,
    perSec: (totals.records / (totals.elapsedMs - (consumers[0]?.firstRecordMs ?? 0))) * 1e3,
    clientSecPerMillion: (generatorMs / totals.records) * 1e3,
    brokerSecPerMillion: (brokerSec / (totals.records + warmup.records)) * 1e6,
    p50Ms: (latencyUs.response?.p50 ?? Number.NaN) / 1e3,
    p99Ms: (latencyUs.response?.p99 ?? Number.NaN) / 1e3,
    generatorCores: generatorMs / totals.elapsedMs,
  }
}
