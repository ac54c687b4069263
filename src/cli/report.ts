import { Command } from 'commander'
import { UsageError } from '../errors.ts'
import { formatCsv } from '../report/csv.ts'
import { formatHgrm } from '../report/hgrm.ts'
import { formatHtml } from '../report/html/run.ts'
import { formatMarkdown } from '../report/markdown.ts'
import { formatOmb } from '../report/omb.ts'
import { formatReport } from '../report/text.ts'
import type { RunResult } from '../results/result.ts'
import { loadResult, serializeResult, writeAtomically } from '../results/store.ts'
import { type Io, styleOn } from './io.ts'
import { parseChoice } from './values.ts'

/** `bench report RESULT`: any report again from a saved result. */

const formats = ['text', 'html', 'json', 'csv', 'markdown', 'hgrm', 'omb'] as const
type Format = (typeof formats)[number]

const formatters: Record<Exclude<Format, 'text'>, (result: RunResult) => string> = {
  html: formatHtml,
  json: serializeResult,
  csv: formatCsv,
  markdown: formatMarkdown,
  hgrm: formatHgrm,
  omb: formatOmb,
}

/** Throws `UsageError` for a file that is no result, `SurroundingsError` for an output that cannot be written. */
export const reportCommand = (io: Io): Command =>
  new Command('report')
    .description('any report again from a saved result')
    .argument('<result>', 'a saved result, such as results/….json')
    .option('--format <format>', formats.join(', '), 'text')
    .option('-o, --output <file>', 'a file in place of standard output')
    .allowExcessArguments(false)
    .action((file: string, flags: { format: string; output?: string }) => {
      const format = parseChoice('format', flags.format, formats)
      if (flags.output === '') throw new UsageError("--output '': a path is needed")
      const output = flags.output === '-' ? undefined : flags.output
      const result = loadResult(file)
      const style = output === undefined ? styleOn(io) : { color: false }
      const text = format === 'text' ? formatReport(result, style) : formatters[format](result)
      if (output === undefined) io.stdout.write(text)
      else writeAtomically(output, text)
    })
