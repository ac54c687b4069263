import { appendFileSync } from 'node:fs'
import { printable } from '../report/box.ts'
import type { Io } from './io.ts'

/** What GitHub Actions shows of a command: a summary of the job, and a mark for each thing that failed. */

/** Its own escapes, so that no text can begin another command. */
const escapeMessage = (text: string): string =>
  printable(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

const escapeTitle = (text: string): string =>
  escapeMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

export interface Annotation {
  title: string
  message: string
}

/**
 * Appends `markdown` to the job's summary and marks the failures; nothing outside of a job. A summary that cannot be
 * written is told and fails nothing.
 */
export const reportToGithub = (
  report: { markdown: () => string; failures: readonly Annotation[] },
  io: Io,
  env: NodeJS.ProcessEnv = process.env,
): void => {
  const file = env['GITHUB_STEP_SUMMARY']
  if (file) {
    try {
      appendFileSync(file, `${report.markdown()}\n`)
    } catch (error) {
      io.stderr.write(`bench: GITHUB_STEP_SUMMARY '${file}' cannot be written (${String(error)})\n`)
    }
  }
  if (env['GITHUB_ACTIONS'] !== 'true') return
  for (const { title, message } of report.failures) {
    io.stderr.write(`::error title=${escapeTitle(title)}::${escapeMessage(message)}\n`)
  }
}
