import { readFileSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { tempFolder } from '../../test/support/temp-folder.ts'
import { reportToGithub } from './github.ts'
import type { Io } from './io.ts'

const ioOf = () => {
  const stderr = new PassThrough({ encoding: 'utf8' })
  const io: Io = {
    stdout: new PassThrough(),
    stderr,
    isStdoutTty: false,
    isStderrTty: false,
    columns: null,
  }
  return { io, said: (): string => (stderr.read() as string | null) ?? '' }
}

const report = {
  markdown: () => '## Results',
  failures: [{ title: 'a: b, c', message: '100 % lost\n::error::x' }],
}

test('a job gets a summary and a mark for each failure', () => {
  const summary = path.join(tempFolder(), 'summary.md')
  const { io, said } = ioOf()
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary }
  reportToGithub(report, io, env)
  reportToGithub({ ...report, failures: [] }, io, env)
  expect(readFileSync(summary, 'utf8')).toBe('## Results\n## Results\n')
  expect(said()).toBe('::error title=a%3A b%2C c::100 %25 lost?::error::x\n')
})

test('elsewhere nothing is written, and a summary that cannot be is told', () => {
  const { io, said } = ioOf()
  reportToGithub(report, io, {})
  expect(said()).toBe('')
  reportToGithub(report, io, { GITHUB_STEP_SUMMARY: '/no/such/folder/x' })
  expect(said()).toMatch(/^bench: GITHUB_STEP_SUMMARY '\/no\/such\/folder\/x' cannot be written/)
})
