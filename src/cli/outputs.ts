import { SurroundingsError, UsageError } from '../errors.ts'
import { formatCsv } from '../report/csv.ts'
import { formatHtml } from '../report/html/run.ts'
import { formatMarkdown } from '../report/markdown.ts'
import { formatReport } from '../report/text.ts'
import type { RunResult } from '../results/result.ts'
import { saveResult, serializeResult } from '../results/store.ts'
import { failuresOf, reportToGithub } from './github.ts'
import { type Io, styleOn } from './io.ts'
import { checkOutputPaths, writeOutput } from './output-file.ts'
import type { RawFlags } from './run-flags.ts'

/** Where a result goes: the report, the saved file, and what the flags ask for. */

export interface Outputs {
  readonly jsonFile: string | null
  readonly csvFile: string | null
  readonly htmlFile: string | null
  /** null: not saved. */
  readonly resultsDir: string | null
  readonly isQuiet: boolean
  readonly isVerbose: boolean
}

export const parseOutputs = (raw: RawFlags): Outputs => {
  const { csvOutput, html, resultsDir } = raw
  checkOutputPaths({ 'json-output': raw.jsonOutput, 'csv-output': csvOutput, html })
  if (resultsDir === '') throw new UsageError("--results-dir '': a path is needed")
  return {
    jsonFile: raw.jsonOutput ?? null,
    csvFile: csvOutput ?? null,
    htmlFile: html ?? null,
    resultsDir: raw.save ? resultsDir : null,
    isQuiet: raw.quiet ?? false,
    isVerbose: raw.verbose ?? false,
  }
}

const printReport = (result: RunResult, outputs: Outputs, io: Io): void => {
  if (outputs.isQuiet) return
  const { jsonFile, csvFile, htmlFile } = outputs
  const isStdoutTaken = [jsonFile, csvFile, htmlFile].includes('-')
  const stream = isStdoutTaken ? 'stderr' : 'stdout'
  io[stream].write(formatReport(result, styleOn(io, stream)))
}

/**
 * Prints the report and writes the files. Every output is tried even when one fails.
 * Throws a `SurroundingsError` that names the first that could not be written; a result that cannot be saved where it
 * belongs goes to the temp folder, named in the message.
 */
export const deliver = (result: RunResult, outputs: Outputs, io: Io): void => {
  printReport(result, outputs, io)
  reportToGithub({ markdown: () => formatMarkdown(result), failures: failuresOf(result) }, io)
  const failures: unknown[] = []
  const attempt = (write: () => void): void => {
    try {
      write()
    } catch (error) {
      failures.push(error)
    }
  }
  const { jsonFile, csvFile, htmlFile, resultsDir } = outputs
  if (jsonFile) attempt(() => writeOutput('json-output', jsonFile, serializeResult(result), io))
  if (csvFile) attempt(() => writeOutput('csv-output', csvFile, formatCsv(result), io))
  if (htmlFile) attempt(() => writeOutput('html', htmlFile, formatHtml(result), io))
  if (resultsDir !== null) {
    attempt(() => {
      const saved = saveResult(result, resultsDir)
      if (saved.problem !== null) {
        throw new SurroundingsError(
          `--results-dir: ${saved.problem}; the result is in ${saved.path}`,
        )
      }
      if (!outputs.isQuiet) io.stderr.write(`saved ${saved.path}\n`)
    })
  }
  if (failures.length > 0) throw failures[0]
}
