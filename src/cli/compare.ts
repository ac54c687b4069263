import { Command } from 'commander'
import { type Comparison, compareSides } from '../compare/comparison.ts'
import { loadSide } from '../compare/inputs.ts'
import { metrics } from '../compare/metrics.ts'
import { formatComparison } from '../report/comparison.ts'
import { comparisonCases, formatComparisonMarkdown } from '../report/comparison-markdown.ts'
import { formatComparisonHtml, type Sides } from '../report/html/comparison.ts'
import { formatJunit } from '../report/junit.ts'
import { reportToGithub } from './github.ts'
import { type Io, styleOn } from './io.ts'
import { checkOutputPaths, writeOutput } from './output-file.ts'
import { refuse } from './values.ts'

/** `bench compare BASELINE CANDIDATE`: two sides of saved runs, a verdict and an exit code. */

export interface ComparisonFlags {
  ignore?: string[]
  threshold?: string[]
  strict?: boolean
  requireVerdict?: boolean
  json?: string
  markdown?: string
  junit?: string
  html?: string
  quiet?: boolean
}

const collect = (value: string, previous: string[] = []): string[] => [...previous, value]

/** The flags that `bench compare` and `bench ab` share. */
export const addComparisonFlags = (command: Command): Command =>
  command
    .option('--ignore <key>', 'a key in which the sides may differ (repeatable)', collect)
    .option(
      '--threshold <figure=percent>',
      "the change that matters, such as 'rate=3%' (repeatable)",
      collect,
    )
    .option('--strict', 'figures with signs of an unquiet machine decide nothing')
    .option('--require-verdict', 'exit 1 also when nothing could be decided')
    .option('--json <file>', 'the comparison as JSON, - for standard output')
    .option('--markdown <file>', 'as Markdown, - for standard output')
    .option('--junit <file>', 'as JUnit XML, - for standard output')
    .option('--html <file>', 'as a page with charts, - for standard output')
    .option('--quiet', 'no report')

const names = metrics.filter(({ isPrimary }) => isPrimary).map(({ name }) => name)

const parseThreshold = (text: string): [string, number] => {
  const { name = '', percent = '' } =
    /^(?<name>[^=]+)=(?<percent>\d{1,3}(\.\d{1,3})?)%?$/.exec(text)?.groups ?? {}
  const ratio = Number(percent) / 100
  return names.includes(name) && ratio > 0
    ? [name, ratio]
    : refuse('threshold', text, `FIGURE=PERCENT is allowed, FIGURE being ${names.join(', ')}`)
}

/** Throws a `UsageError` for flags of the comparison that are wrong, outputs included. */
export const comparisonOptions = (flags: ComparisonFlags, ignored: readonly string[] = []) => {
  const { json, markdown, junit, html } = flags
  checkOutputPaths({ json, markdown, junit, html })
  return {
    ignored: [...(flags.ignore ?? []), ...ignored],
    thresholds: new Map(flags.threshold?.map(parseThreshold)),
    isStrict: flags.strict ?? false,
  }
}

/** Prints and writes what the flags ask for; the exit code. */
export const deliverComparison = (
  comparison: Comparison,
  sides: Sides,
  flags: ComparisonFlags,
  io: Io,
): number => {
  const forms = [
    ['json', flags.json, () => `${JSON.stringify(comparison, null, 2)}\n`],
    ['markdown', flags.markdown, () => formatComparisonMarkdown(comparison)],
    ['junit', flags.junit, () => formatJunit('bench compare', comparisonCases(comparison))],
    ['html', flags.html, () => formatComparisonHtml(comparison, sides)],
  ] as const
  const isTaken = forms.some(([, file]) => file === '-')
  if (!flags.quiet && !isTaken) {
    io.stdout.write(formatComparison(comparison, styleOn(io)))
  }
  reportToGithub(
    {
      markdown: () => formatComparisonMarkdown(comparison),
      failures: comparisonCases(comparison).flatMap(({ name, failure }) =>
        failure === null ? [] : [{ title: `bench compare: ${name}`, message: failure }],
      ),
    },
    io,
  )
  for (const [flag, file, format] of forms) {
    if (file !== undefined) writeOutput(flag, file, format(), io)
  }
  switch (comparison.verdict) {
    case 'not comparable':
      return 2
    case 'regression':
    case 'invalid':
      return 1
    case 'inconclusive':
    case 'no verdict':
      return flags.requireVerdict ? 1 : 0
    case 'improvement':
    case 'equivalent':
      return 0
    default:
      return comparison.verdict satisfies never
  }
}

const examples = `
A side is a file, a folder, a quoted pattern, a label (--label of its runs) or a series (--repeat, bench ab).
Six runs a side can show a change; one a side gives figures and no verdict.

Examples:
  bench compare v2.1.0 v2.2.0
  bench compare 'results/*-produce-*.json' new-results/ --threshold 'p99=30%' --markdown summary.md

Exit codes: 0 no regression, 1 a regression or an incorrect run, 2 usage or not comparable.`

export const compareCommand = (io: Io, end: (exitCode: number) => void): Command => {
  const command = new Command('compare')
    .description(
      'two sides of saved runs against each other: what changed, and is it more than noise',
    )
    .argument('<baseline>', 'file, folder, pattern, label or series')
    .argument('<candidate>', 'the same')
    .option('--results-dir <dir>', 'where labels and series are looked for', 'results')
    .allowExcessArguments(false)
    .addHelpText('after', examples)
  return addComparisonFlags(command).action(
    (baseline: string, candidate: string, flags: ComparisonFlags & { resultsDir: string }) => {
      const options = comparisonOptions(flags)
      const sides = {
        baseline: loadSide(baseline, flags.resultsDir),
        candidate: loadSide(candidate, flags.resultsDir),
      }
      const comparison = compareSides(sides.baseline, sides.candidate, options)
      end(deliverComparison(comparison, sides, flags, io))
    },
  )
}
