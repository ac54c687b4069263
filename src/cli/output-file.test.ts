import { readFileSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { tempFolder } from '../../test/support/temp-folder.ts'
import { SurroundingsError } from '../errors.ts'
import { checkOutputPaths, writeOutput } from './output-file.ts'

const ioTo = (stdout: PassThrough) => ({
  stdout,
  stderr: new PassThrough(),
  isStdoutTty: false,
  isStderrTty: false,
  columns: null,
})

test('an empty path is refused by its flag', () => {
  expect(() => checkOutputPaths({ json: undefined, html: '' })).toThrow("--html '': a path")
  expect(() => checkOutputPaths({ json: 'a.json', html: undefined })).not.toThrow()
})

test('standard output takes one report', () => {
  expect(() => checkOutputPaths({ json: '-', junit: 'a.xml', html: '-' })).toThrow(
    '--html -: standard output is taken by --json -',
  )
  expect(() => checkOutputPaths({ json: '-', html: undefined })).not.toThrow()
})

test('a report goes to its file, or to standard output', () => {
  const stdout = new PassThrough({ encoding: 'utf8' })
  const file = path.join(tempFolder(), 'a.json')
  writeOutput('json', file, '{}\n', ioTo(stdout))
  expect(readFileSync(file, 'utf8')).toBe('{}\n')
  expect(stdout.read()).toBeNull()
  writeOutput('json', '-', '[]\n', ioTo(stdout))
  expect(stdout.read()).toBe('[]\n')
})

test('a file that cannot be written is named with its flag', () => {
  const file = path.join(tempFolder(), 'a.json')
  writeOutput('json', file, '{}\n', ioTo(new PassThrough()))
  const write = (): void => writeOutput('html', path.join(file, 'b'), '', ioTo(new PassThrough()))
  expect(write).toThrow(SurroundingsError)
  expect(write).toThrow(/--html: .*a\.json/)
})
