import { Command, Option } from 'commander'
import { withDefect } from '../broker/defects/index.ts'
import { kafkaParts } from '../broker/parts.ts'
import { loadDriver } from '../clients/index.ts'
import { systemClock } from '../clock.ts'
import { UsageError } from '../errors.ts'
import { formatScenariosHtml } from '../report/html/scenario.ts'
import { formatJunit } from '../report/junit.ts'
import { formatScenario } from '../report/scenario.ts'
import { newRunId } from '../results/run-id.ts'
import type { ScenarioResult } from '../results/scenario-result.ts'
import { saveScenario, serializeResult } from '../results/store.ts'
import {
  judgeScenario,
  mapAtOnce,
  measuresPace,
  type Play,
  type Verdict,
} from '../scenario/campaign.ts'
import { loadScenario, type Scenario, scaleScenario, scenarioNames } from '../scenario/load.ts'
import { type MemberClient, memberClients } from '../scenario/member-clients.ts'
import { runScenario } from '../scenario/result.ts'
import type { Io } from './io.ts'
import { checkOutputPaths, writeOutput } from './output-file.ts'
import { matrixCommand } from './scenario-matrix.ts'
import { watchSignals } from './signals.ts'
import { inFlag, parseBootstrapServers, parseChoice, parseInteger, parseRate } from './values.ts'

/** `bench scenario`: the regression stories of consumer groups, shown, played and proved. */

interface RunFlags {
  bootstrapServers?: string
  client: string
  atOnce: string
  prove?: boolean
  defect?: string
  long?: boolean
  scale: string
  resultsDir: string
  save: boolean
  jsonOutput?: string
  junit?: string
  html?: string
  quiet?: boolean
  verbose?: boolean
}

const examples = `
Examples:
  bench scenario list
  bench scenario run                          all but the long ones, each on a broker of its own in memory
  bench scenario run staggered-1s --prove     passes, and fails with the defect that it guards against
  bench scenario run -b broker:9092           against any broker
  bench scenario run my-story.yaml            a file of your own: docs/SCENARIOS.md

Exit codes: 0 all passed (skipped ones are named), 1 one failed, 2 usage, 3 surroundings, 130 Ctrl-C.`

const list = (io: Io): void => {
  const scenarios = scenarioNames().map((name) => loadScenario(name))
  const width = Math.max(...scenarios.map(({ name }) => name.length))
  for (const { name, title, long, defect } of scenarios) {
    const notes = [...(long ? ['long'] : []), ...(defect === null ? [] : [defect.name])]
    io.stdout.write(
      `${name.padEnd(width)}  ${title}${notes.length ? ` (${notes.join(', ')})` : ''}\n`,
    )
  }
}

const chosen = (names: readonly string[], flags: RunFlags): Scenario[] => {
  const scale = parseRate('scale', flags.scale)
  const all = (names.length > 0 ? names : scenarioNames()).map((name) => loadScenario(name))
  const wanted = names.length > 0 || flags.long ? all : all.filter((one) => !one.long)
  return wanted.map((scenario) => scaleScenario(scenario, scale))
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

const labels = { passed: 'PASS', failed: 'FAIL', skipped: 'SKIP', interrupted: 'STOP' } as const

const verdictLine = ({ scenario, clean, broken, status, text }: Verdict): string => {
  const elapsedMs = clean.elapsedMs + (broken?.elapsedMs ?? 0)
  return `${labels[status]}  ${scenario.name}  ${text}  (${seconds(elapsedMs)})\n`
}

/** The play that says why it failed: the one without the defect, unless that one held. */
const tellingPlay = ({ clean, broken, status }: Verdict): ScenarioResult =>
  status === 'failed' && clean.status === 'passed' && broken !== null ? broken : clean

/** Standard output belongs to what a program reads. */
const isTaken = ({ jsonOutput, junit, html }: RunFlags): boolean =>
  [jsonOutput, junit, html].includes('-')

const casesOf = (verdicts: readonly Verdict[]) =>
  verdicts.map(({ scenario, clean, broken, status, text }) => ({
    name: scenario.name,
    elapsedMs: clean.elapsedMs + (broken?.elapsedMs ?? 0),
    failure: status === 'failed' || status === 'interrupted' ? text : null,
    skipped: status === 'skipped' ? text : null,
  }))

const deliver = (verdicts: readonly Verdict[], flags: RunFlags, io: Io): void => {
  const isStdoutTaken = isTaken(flags)
  const stream = isStdoutTaken ? io.stderr : io.stdout
  const isTty = isStdoutTaken ? io.isStderrTty : io.isStdoutTty
  const options = { width: io.columns ?? 80, color: isTty && !process.env['NO_COLOR'] }
  const isAll = flags.verbose === true || verdicts.length === 1
  for (const verdict of verdicts) {
    if (flags.quiet || !(isAll || verdict.status === 'failed')) continue
    stream.write(`\n${formatScenario(tellingPlay(verdict), options)}`)
  }
  const count = (status: Verdict['status']): number =>
    verdicts.filter((verdict) => verdict.status === status).length
  const skipped = count('skipped')
  const skippedText = skipped === 0 ? '' : `, ${skipped} skipped`
  const summary = `${count('passed')} passed, ${count('failed')} failed${skippedText}`
  if (!flags.quiet) {
    stream.write(`\n${summary}\n`)
  }
  const results = verdicts.flatMap(({ clean, broken }) =>
    broken === null ? [clean] : [clean, broken],
  )
  if (flags.jsonOutput !== undefined) {
    const text =
      results.length === 1
        ? serializeResult(results[0] as ScenarioResult)
        : `${JSON.stringify(results, null, 2)}\n`
    writeOutput('json-output', flags.jsonOutput, text, io)
  }
  if (flags.junit !== undefined) {
    writeOutput('junit', flags.junit, formatJunit('bench scenario', casesOf(verdicts)), io)
  }
  if (flags.html !== undefined) {
    const isPassed = count('failed') + count('interrupted') === 0
    writeOutput('html', flags.html, formatScenariosHtml(results, { isPassed, text: summary }), io)
  }
}

interface Wish {
  readonly bootstrapServers: readonly string[] | null
  readonly client: MemberClient
  readonly atOnce: number
  readonly defect: string | null
}

const parseWish = (flags: RunFlags): Wish => {
  const bootstrapServers =
    flags.bootstrapServers === undefined
      ? null
      : parseBootstrapServers('bootstrap-servers', flags.bootstrapServers)
  if (flags.prove && bootstrapServers !== null) {
    throw new UsageError(
      '--prove: only the embedded broker has defects; leave out --bootstrap-servers',
    )
  }
  const { junit, html } = flags
  checkOutputPaths({ 'json-output': flags.jsonOutput, junit, html })
  const { defect = null } = flags
  if (defect !== null) inFlag('--defect', () => withDefect(kafkaParts, defect))
  if (defect !== null && (flags.prove || bootstrapServers !== null)) {
    throw new UsageError('--defect: neither with --prove nor with --bootstrap-servers')
  }
  return {
    bootstrapServers,
    client: parseChoice('client', flags.client, memberClients),
    atOnce: parseInteger('at-once', flags.atOnce, 1, 64),
    defect,
  }
}

const run = async (names: readonly string[], flags: RunFlags, io: Io): Promise<number> => {
  const { bootstrapServers, client, atOnce, defect } = parseWish(flags)
  const scenarios = chosen(names, flags)
  const driver = await loadDriver('kafkajs')
  const stop = watchSignals()
  const play: Play = async (scenario, proving) => {
    const runId = newRunId()
    const onProgress = (text: string): void => {
      if (flags.verbose) io.stderr.write(`${scenario.name}: ${text}\n`)
    }
    const given = proving ?? defect
    const parts = { scenario, bootstrapServers, defect: given, client, driver, runId, onProgress }
    const how = { clock: systemClock, stop: stop.signal, isBrief: false }
    const result = await runScenario({ ...parts, ...how })
    if (flags.save) {
      const saved = saveScenario(result, flags.resultsDir)
      if (saved.problem !== null)
        io.stderr.write(`bench: ${saved.problem}; it is in ${saved.path}\n`)
    }
    return result
  }
  try {
    const isShown = !flags.quiet
    const judge = async (scenario: Scenario): Promise<Verdict> => {
      const verdict = await judgeScenario(scenario, play, flags.prove ?? false)
      if (isShown) (isTaken(flags) ? io.stderr : io.stdout).write(verdictLine(verdict))
      return verdict
    }
    const verdicts = await mapAtOnce(scenarios, atOnce, judge, measuresPace)
    deliver(verdicts, flags, io)
    return stop.exitCode() ?? (verdicts.some(({ status }) => status === 'failed') ? 1 : 0)
  } finally {
    stop.dispose()
  }
}

/** Throws `BenchError`s. */
export const scenarioCommand = (io: Io, end: (exitCode: number) => void): Command => {
  const command = new Command('scenario')
    .description('stories of consumer groups with what must hold at their end')
    .addHelpText('after', examples)
  command
    .command('list')
    .description('the scenarios that come with bench')
    .allowExcessArguments(false)
    .action(() => list(io))
  command
    .command('show')
    .description('the file of a scenario')
    .argument('<name>', 'of bench scenario list, or a YAML file')
    .allowExcessArguments(false)
    .action((name: string) => void io.stdout.write(loadScenario(name).text))
  command
    .command('run')
    .description('plays scenarios; all but the long ones when none is named')
    .argument('[names...]', 'of bench scenario list, or YAML files')
    .addOption(
      new Option(
        '-b, --bootstrap-servers <list>',
        'HOST:PORT[,…] (default: an embedded broker in memory for each scenario)',
      ).env('KAFKA_BOOTSTRAP_SERVERS'),
    )
    .option('--client <name>', `of members: ${memberClients.join(', ')}`, 'kafkajs')
    .option('--at-once <n>', 'so many scenarios at a time', '6')
    .option('--prove', 'each once more with its defect, which the named check must catch')
    .option('--defect <name>', 'the embedded broker with this bug in it')
    .option('--long', 'the long ones too')
    .option('--scale <factor>', 'times of the timeline and of the producing, times this', '1')
    .option('--results-dir <dir>', 'where each play is saved', 'results')
    .option('--no-save', 'saves nothing')
    .option('--json-output <file>', 'the results as JSON, - for standard output')
    .option('--junit <file>', 'JUnit XML, one case per scenario, - for standard output')
    .option('--html <file>', 'a page with members over time, - for standard output')
    .option('--quiet', 'no report')
    .option('-v, --verbose', 'the whole report of each scenario, and what is going on')
    .action(async (names: string[], flags: RunFlags) => end(await run(names, flags, io)))
  command.addCommand(matrixCommand(io, end))
  return command
}
