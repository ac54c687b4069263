import { appendFileSync } from 'node:fs'
import { messageOf } from '../errors.ts'
import { printable } from '../report/box.ts'
import type { RunResult } from '../results/result.ts'
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

/** A mark for each check of a run that failed. */
export const failuresOf = ({ checks }: RunResult, command = 'bench'): Annotation[] =>
  checks
    .filter(({ ok }) => !ok)
    .map(({ name, expected, actual }) => ({
      title: `${command}: ${name}`,
      message: `expected ${expected}, actual ${actual}`,
    }))

/** A boxed report for a summary. */
export const asCode = (text: string): string => `\`\`\`text\n${text}\`\`\`\n`

/** What keeps a run that is part of something from reporting by itself. */
export const withoutGithub: NodeJS.ProcessEnv = { GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: '' }

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
      io.stderr.write(
        `bench: GITHUB_STEP_SUMMARY '${file}' cannot be written (${messageOf(error)})\n`,
      )
    }
  }
  if (env['GITHUB_ACTIONS'] !== 'true') return
  for (const { title, message } of report.failures) {
    io.stderr.write(`::error title=${escapeTitle(title)}::${escapeMessage(message)}\n`)
  }
}
