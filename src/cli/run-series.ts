import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDataDir } from '../broker/data-dir.ts'
import { readLiveLock } from '../broker/lock.ts'
import { sleep, systemClock } from '../clock.ts'
import { SurroundingsError, UsageError } from '../errors.ts'
import { createLiveView } from '../report/live.ts'
import { formatPlannedRun, placeOf } from '../report/series.ts'
import type { RunResult, Series } from '../results/result.ts'
import { newRunId } from '../results/run-id.ts'
import { loadResult } from '../results/store.ts'
import { withoutGithub } from './github.ts'
import type { Io } from './io.ts'
import { seriesVariables } from './series-child.ts'
import type { StopRequest } from './signals.ts'

/** Several runs one after the other, each a process of its own on a broker and a topic of its own. */

export interface PlannedRun {
  /** What tells it from the others, such as `a` or `--message-size 100`; empty when nothing does. */
  title: string
  /** The arguments of `bench run`. */
  args: readonly string[]
  index: number
  side: Series['side']
  /** The folder of its embedded broker; null when it has none. */
  dataDir: string | null
}

export interface SeriesParts {
  io: Io
  stop: StopRequest
  isQuiet: boolean
  /** Shell commands before and after each run; null: none. */
  prepare: string | null
  cleanup: string | null
}

export interface SeriesRun {
  plan: PlannedRun
  result: RunResult
}

export interface SeriesOutcome {
  seriesId: string
  runs: SeriesRun[]
  /** The worst of the runs', in the precedence of a run; 3 also when a preparation failed. */
  exitCode: number
}

const brokerLimitMs = 10_000
const lookMs = 50

/** A broker that still ends would be joined, and the run would not have one of its own. */
const waitForBroker = async ({ dataDir }: PlannedRun): Promise<void> => {
  const folder = dataDir === null ? null : parseDataDir(dataDir).folder
  if (folder === null) return
  const sinceMs = systemClock.epochMs()
  while (readLiveLock(folder) !== null) {
    if (systemClock.epochMs() - sinceMs > brokerLimitMs) {
      throw new SurroundingsError(
        `a broker is at work on ${folder}, and each run of a series needs one of its own; end it, or take another --data-dir`,
      )
    }
    await sleep(systemClock, lookMs)
  }
}

interface Ended {
  exitCode: number
  stderr: string
}

/** Ctrl-C of a terminal reaches the child by itself; a signal sent to us alone does not. */
const runProcess = (
  file: string,
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; isShell: boolean },
  stop: StopRequest,
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { ...process.env, ...options.env },
      shell: options.isShell,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    const onStop = (): void => void child.kill(stop.exitCode() === 143 ? 'SIGTERM' : 'SIGINT')
    if (stop.signal.aborted) onStop()
    stop.signal.addEventListener('abort', onStop, { once: true })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-4_096)
    })
    child.on('error', reject)
    child.on('close', (exitCode) => {
      stop.signal.removeEventListener('abort', onStop)
      resolve({ exitCode: exitCode ?? 3, stderr })
    })
  })

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''

const runHook = async (flag: string, command: string | null, stop: StopRequest): Promise<void> => {
  if (command === null || stop.signal.aborted) return
  const { exitCode, stderr } = await runProcess(command, [], { env: {}, isShell: true }, stop)
  if (exitCode === 0 || stop.signal.aborted) return
  throw new SurroundingsError(
    `--${flag} '${command}' ended with ${exitCode}: ${lastLine(stderr) || 'it said nothing'}`,
  )
}

const loadIfThere = (path: string): RunResult | null => {
  try {
    return loadResult(path)
  } catch {
    // A run that ended before its load began leaves no result; its last line says why.
    return null
  }
}

const runOne = async (
  plan: PlannedRun,
  series: { seriesId: string; folder: string },
  stop: StopRequest,
): Promise<{ result: RunResult; exitCode: number }> => {
  const resultFile = join(series.folder, `${plan.index}${plan.side ?? ''}.json`)
  const order = { seriesId: series.seriesId, index: plan.index, side: plan.side, resultFile }
  const script = process.argv[1] as string
  const args = [...process.execArgv, script, 'run', ...plan.args, '--report-interval-secs', '0']
  const env = { ...seriesVariables(order), ...withoutGithub }
  const ended = await runProcess(process.execPath, args, { env, isShell: false }, stop)
  const result = loadIfThere(resultFile)
  if (result !== null) return { result, exitCode: ended.exitCode }
  const problem = lastLine(ended.stderr).replace(/^bench: /, '') || 'it left no result'
  const message = `run ${plan.title || plan.index + 1}: ${problem}`
  throw ended.exitCode === 2 ? new UsageError(message) : new SurroundingsError(message)
}

const precedence = [143, 130, 3, 1]

const worst = (exitCodes: readonly number[]): number =>
  precedence.find((code) => exitCodes.includes(code)) ?? 0

/** Runs the plans in their order, as `runSeriesBy`. */
export const runSeries = (
  plans: readonly PlannedRun[],
  parts: SeriesParts,
): Promise<SeriesOutcome> => runSeriesBy((runs) => plans[runs.length] ?? null, plans.length, parts)

/**
 * Asks for the next run with those that there were, until there is none, and says how each went. Ends early on a signal or
 * when the surroundings fail. `count` is null when nobody knows how many there will be.
 * Throws a `SurroundingsError` when a run could not be made at all, a `UsageError` when it refused its options.
 */
export const runSeriesBy = async (
  nextPlan: (runs: readonly SeriesRun[]) => PlannedRun | null,
  count: number | null,
  parts: SeriesParts,
): Promise<SeriesOutcome> => {
  const { io, stop, isQuiet } = parts
  const seriesId = newRunId()
  const folder = mkdtempSync(join(tmpdir(), 'bench-series-'))
  const live = createLiveView({
    stream: io.stderr,
    isTty: io.isStderrTty,
    hasColor: !process.env['NO_COLOR'],
    quiet: isQuiet,
  })
  const runs: SeriesRun[] = []
  const exitCodes: number[] = []
  try {
    for (let plan = nextPlan(runs); plan !== null; plan = nextPlan(runs)) {
      const place = placeOf(runs.length, count)
      const detail = `${place}${plan.title && `: ${plan.title}`}`
      live.onProgress({ type: 'phase', phase: 'prepare', detail })
      await waitForBroker(plan)
      await runHook('prepare', parts.prepare, stop)
      if (stop.signal.aborted) break
      const { result, exitCode } = await runOne(plan, { seriesId, folder }, stop)
      runs.push({ plan, result })
      exitCodes.push(exitCode)
      const text = formatPlannedRun(place, plan.title, result)
      live.onProgress({ type: 'note', text })
      await runHook('cleanup', parts.cleanup, stop)
      if (exitCode > 1) break
    }
  } finally {
    live.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return { seriesId, runs, exitCode: stop.exitCode() ?? worst(exitCodes) }
}
