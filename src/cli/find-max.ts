import { MaxSearch, type MaxSearchEnd } from '../bench/max-search.ts'
import { doubtsOf, faultOf, stepOf, unsentCondition } from '../bench/max-step.ts'
import { systemClock } from '../clock.ts'
import { UsageError } from '../errors.ts'
import { formatMaxRateHtml } from '../report/html/max-rate.ts'
import { formatMaxRate } from '../report/max-rate.ts'
import type { MaxRate, MaxRateStep } from '../results/max-rate.ts'
import { asCode, reportToGithub } from './github.ts'
import { type Io, styleOn } from './io.ts'
import { checkOutputPaths, writeOutput } from './output-file.ts'
import { parseRunArgs } from './run-args.ts'
import type { RawFlags } from './run-flags.ts'
import { type PlannedRun, runSeriesBy, type SeriesRun } from './run-series.ts'
import { watchSignals } from './signals.ts'
import { withoutFlags, withoutSecrets } from './words.ts'

/** `--find-max`: an open-loop run per step, each in a process and on a topic of its own, until the highest rate is known. */

const defaultFirstRate = 1_000
const precision = 0.05
const defaultCondition = 'p99>50ms'

/** What the steps must not see, and whether a value follows it. */
const ownFlags = {
  '--find-max': false,
  '--config': true,
  '--rate': true,
  '--rate-limit': true,
  '--json-output': true,
  '--html': true,
  '--prepare': true,
  '--cleanup': true,
}

const refuseOthers = (raw: RawFlags): void => {
  const { messageCount, repeat, scan, csvOutput, mode } = raw
  const others = { 'message-count': messageCount, repeat, scan, 'csv-output': csvOutput }
  for (const [flag, value] of Object.entries(others)) {
    if (value !== undefined) throw new UsageError(`--find-max: not with --${flag}`)
  }
  if (mode === 'consume')
    throw new UsageError('--find-max: not in --mode consume, which has no rate')
}

interface Search {
  /** Of every step, all but its rate. */
  args: readonly string[]
  conditions: readonly string[]
  firstRate: number
  dataDir: string | null
}

/** Throws a `UsageError` for what a single run would refuse. */
export const searchOf = (raw: RawFlags, args: readonly string[]): Search => {
  refuseOthers(raw)
  checkOutputPaths({ 'json-output': raw.jsonOutput, html: raw.html })
  const kept = [...withoutFlags(args, ownFlags)]
  if (raw.duration === undefined) kept.push('--duration', '10s')
  if (raw.warmupDuration === undefined) kept.push('--warmup-duration', '2s')
  if (raw.failIf === undefined) kept.push('--fail-if', defaultCondition)
  const first = raw.rate ?? raw.rateLimit ?? `${defaultFirstRate}`
  const { options } = parseRunArgs([...kept, '--rate', first])
  return {
    args: kept,
    conditions: options.failIf.map(({ text }) => text),
    firstRate: options.rateRecordsPerSec ?? defaultFirstRate,
    dataDir: raw.bootstrapServers ? null : raw.dataDir,
  }
}

/** Asks the search for rates and tells it how they went. */
class Climb {
  readonly steps: MaxRateStep[] = []
  readonly #search: Search
  readonly #rates: MaxSearch
  #offered = 0
  /** A check that has nothing to do with the rate has failed. */
  #fault: string | null = null

  constructor(search: Search) {
    this.#search = search
    this.#rates = new MaxSearch({ firstRate: search.firstRate, precision })
  }

  /** The next run, after the last of `runs` was judged; null when there is nothing more to ask. */
  next(runs: readonly SeriesRun[]): PlannedRun | null {
    const last = runs.at(-1)
    if (last !== undefined) this.#judge(last)
    const rate = this.#fault === null ? this.#rates.next() : null
    if (rate === null) return null
    this.#offered = rate
    const { args, dataDir } = this.#search
    return {
      title: `--rate ${rate}`,
      args: [...args, '--rate', `${rate}`],
      index: runs.length,
      side: null,
      dataDir,
    }
  }

  /** `exitCode` is that of the series, which ends with the first run that could not be finished. */
  end(
    exitCode: number,
  ): Pick<MaxRate, 'sustainedPerSec' | 'exceededPerSec' | 'isConverged' | 'problem'> {
    const { sustainedRate, exceededRate, isConverged } = this.#rates.end()
    const isUnfinished = exitCode > 1
    return {
      sustainedPerSec: sustainedRate,
      exceededPerSec: exceededRate,
      isConverged: isConverged && !isUnfinished && this.#fault === null,
      problem: isUnfinished
        ? `The run at ${this.#offered} msg/s did not come to its end (exit ${exitCode}).`
        : this.#problem(this.#rates.end()),
    }
  }

  #problem({ sustainedRate, exceededRate, isConverged }: MaxSearchEnd): string | null {
    if (this.#fault !== null)
      return `The run at ${this.#offered} msg/s is not to be believed: ${this.#fault}.`
    if (!isConverged)
      return 'The same rates held and failed too often: the machine or the broker is not steady.'
    if (sustainedRate !== null) {
      const doubts = doubtsOf(this.steps.filter((step) => step.offeredPerSec === exceededRate))
      return doubts.length === 0
        ? null
        : `Perhaps not the broker's limit: at ${exceededRate} msg/s ${doubts.join(', ')}.`
    }
    const lowest = this.steps.toSorted((a, b) => a.offeredPerSec - b.offeredPerSec)[0]
    return `Not even ${lowest?.offeredPerSec} msg/s holds: ${lowest?.reasons.join(', ')}.`
  }

  #judge({ result }: SeriesRun): void {
    const { conditions } = this.#search
    this.#fault = faultOf(result, conditions)
    const step = stepOf(result, this.#offered, conditions)
    this.steps.push(step)
    this.#rates.add(this.#offered, step.hasHeld)
  }
}

const deliverMaxRate = (found: MaxRate, raw: RawFlags, io: Io): void => {
  const { jsonOutput, html } = raw
  const stream = [jsonOutput, html].includes('-') ? 'stderr' : 'stdout'
  if (raw.quiet !== true) io[stream].write(formatMaxRate(found, styleOn(io, stream)))
  reportToGithub({ markdown: () => asCode(formatMaxRate(found)), failures: [] }, io)
  if (jsonOutput !== undefined) {
    writeOutput('json-output', jsonOutput, `${JSON.stringify(found, null, 2)}\n`, io)
  }
  if (html !== undefined) writeOutput('html', html, formatMaxRateHtml(found), io)
}

/** The whole command. Returns the exit code: 1 when no rate is known in the end. */
export const runFindMax = async (
  raw: RawFlags,
  args: readonly string[],
  io: Io,
): Promise<number> => {
  const search = searchOf(raw, args)
  const climb = new Climb(search)
  const startedAt = new Date(systemClock.epochMs()).toISOString()
  const stop = watchSignals()
  try {
    const hooks = { prepare: raw.prepare ?? null, cleanup: raw.cleanup ?? null }
    const parts = { io, stop, isQuiet: raw.quiet ?? false, ...hooks }
    const { seriesId, exitCode } = await runSeriesBy((runs) => climb.next(runs), null, parts)
    const end = climb.end(exitCode)
    const found: MaxRate = {
      schemaVersion: 1,
      kind: 'max-rate',
      seriesId,
      startedAt,
      command: withoutSecrets(args),
      conditions: [...search.conditions, unsentCondition],
      precision,
      ...end,
      steps: climb.steps,
    }
    deliverMaxRate(found, raw, io)
    if (exitCode > 1) return exitCode
    return end.isConverged && end.sustainedPerSec !== null ? 0 : 1
  } finally {
    stop.dispose()
  }
}
