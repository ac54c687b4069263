import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import { actsOn, defectNames } from '../broker/defects/index.ts'
import { loadDriver } from '../clients/index.ts'
import { systemClock } from '../clock.ts'
import { formatMatrix, formatMatrixMarkdown } from '../report/scenario-matrix.ts'
import { newRunId } from '../results/run-id.ts'
import {
  falseAlarms,
  type MatrixCell,
  type ScenarioMatrix,
  uncaughtDefects,
} from '../results/scenario-matrix.ts'
import { mapAtOnce, measuresPace } from '../scenario/campaign.ts'
import { loadScenario, type Scenario, scenarioNames } from '../scenario/load.ts'
import { type MemberClient, memberClients } from '../scenario/member-clients.ts'
import { runScenario } from '../scenario/result.ts'
import type { Io } from './io.ts'
import { checkOutputPaths, writeOutput } from './output-file.ts'
import { watchSignals } from './signals.ts'
import { parseChoice, parseInteger } from './values.ts'

/** `bench scenario matrix`: every scenario against every defect, which takes its time. */

const usualClient = 'kafkajs'

interface MatrixFlags {
  client: string
  atOnce: string
  defect?: string
  markdown?: string
}

interface Pair {
  readonly scenario: Scenario
  readonly defect: string | null
}

const asksForPace = ({ scenario, defect }: Pair): boolean =>
  measuresPace(scenario) && (defect === null || defect === scenario.defect?.name)

const isPlayed = ({ scenario, defect }: Pair): boolean =>
  defect === null || actsOn(defect, scenario.broker)

/** Of a broker with another defect the pace is not asked: that would take longer than all else of the play. */
const withoutPace = (pair: Pair): Pair => {
  const { scenario } = pair
  return {
    ...pair,
    scenario: { ...scenario, probe: scenario.probe.filter((one) => one !== 'pace') },
  }
}

const parseDefects = (flags: MatrixFlags): (string | null)[] => {
  const given = flags.defect?.split(',') ?? [...defectNames]
  return [null, ...given.map((name) => parseChoice('defect', name, defectNames))]
}

const playPair = async (
  { scenario, defect }: Pair,
  parts: {
    client: MemberClient
    stop: AbortSignal
    driver: Awaited<ReturnType<typeof loadDriver>>
  },
): Promise<MatrixCell & { elapsedMs: number }> => {
  const { status, checks, elapsedMs } = await runScenario({
    ...{ ...parts, scenario, defect, bootstrapServers: null, clock: systemClock },
    runId: newRunId(),
    isBrief: true,
    onProgress: () => {},
  })
  const failedChecks = checks.filter(({ ok }) => !ok).map(({ name }) => name)
  return { status, failedChecks, elapsedMs }
}

const commandOf = (names: readonly string[], { client, defect, markdown }: MatrixFlags): string => {
  const flags = [
    ...(client === usualClient ? [] : ['--client', client]),
    ...(defect === undefined ? [] : ['--defect', defect]),
    ...(markdown === undefined ? [] : ['--markdown', markdown]),
  ]
  return ['bench scenario matrix', ...names, ...flags].join(' ')
}

const play = async (
  scenarios: readonly Scenario[],
  defects: readonly (string | null)[],
  flags: MatrixFlags,
  io: Io,
): Promise<{ matrix: Omit<ScenarioMatrix, 'command'>; stopCode: number | null }> => {
  const startedMs = systemClock.epochMs()
  const client = parseChoice('client', flags.client, memberClients)
  const atOnce = parseInteger('at-once', flags.atOnce, 1, 64)
  const driver = await loadDriver('kafkajs')
  const stop = watchSignals()
  const pairs = defects.flatMap((defect) => scenarios.map((scenario) => ({ scenario, defect })))
  const playCount = pairs.filter(isPlayed).length
  let count = 0
  const playOne = async (pair: Pair): Promise<MatrixCell> => {
    if (!isPlayed(pair)) return { status: 'same', failedChecks: [] }
    if (stop.signal.aborted) return { status: 'interrupted', failedChecks: [] }
    const asked = asksForPace(pair) ? pair : withoutPace(pair)
    const { elapsedMs, ...cell } = await playPair(asked, { client, driver, stop: stop.signal })
    count += 1
    const what = `${pair.defect ?? 'correct'} × ${pair.scenario.name}`
    const failed = cell.failedChecks.length === 0 ? '' : `: ${cell.failedChecks.join(', ')}`
    const seconds = (elapsedMs / 1_000).toFixed(1)
    io.stderr.write(`${count}/${playCount}  ${what}  ${cell.status}${failed}  (${seconds} s)\n`)
    return cell
  }
  try {
    const cells = await mapAtOnce(pairs, atOnce, playOne, asksForPace)
    const rows = defects.map((defect, index) => ({
      defect,
      cells: cells.slice(index * scenarios.length, (index + 1) * scenarios.length),
    }))
    const names = scenarios.map(({ name }) => name)
    const matrix = {
      startedAt: new Date(startedMs).toISOString(),
      elapsedMs: systemClock.epochMs() - startedMs,
      ...{ atOnce, cores: availableParallelism(), scenarios: names, rows },
    }
    return { matrix, stopCode: stop.exitCode() }
  } finally {
    stop.dispose()
  }
}

const run = async (names: readonly string[], flags: MatrixFlags, io: Io): Promise<number> => {
  checkOutputPaths({ markdown: flags.markdown })
  const defects = parseDefects(flags)
  const all = (names.length > 0 ? names : scenarioNames()).map((name) => loadScenario(name))
  const scenarios = names.length > 0 ? all : all.filter(({ long }) => !long)
  const { matrix: played, stopCode } = await play(scenarios, defects, flags, io)
  const matrix = { command: commandOf(names, flags), ...played }
  io.stdout.write(formatMatrix(matrix))
  if (stopCode !== null) return stopCode
  if (flags.markdown !== undefined) {
    writeOutput('markdown', flags.markdown, formatMatrixMarkdown(matrix), io)
  }
  return uncaughtDefects(matrix).length + falseAlarms(matrix).length === 0 ? 0 : 1
}

/** Throws `BenchError`s. */
export const matrixCommand = (io: Io, end: (exitCode: number) => void): Command =>
  new Command('matrix')
    .description('every scenario but the long ones against every defect of the embedded broker')
    .argument('[names...]', 'only these scenarios')
    .option('--client <name>', `of members: ${memberClients.join(', ')}`, usualClient)
    .option('--at-once <n>', 'so many scenarios at a time', '6')
    .option('--defect <names>', 'only these, by commas')
    .option('--markdown <file>', 'the matrix as Markdown')
    .action(async (names: string[], flags: MatrixFlags) => end(await run(names, flags, io)))
