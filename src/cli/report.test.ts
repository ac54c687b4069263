import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { consumeResult, produceResult } from '../../test/support/sample-result.ts'
import { UsageError } from '../errors.ts'
import { formatReport } from '../report/text.ts'
import { saveResult, serializeResult } from '../results/store.ts'
import { reportCommand } from './report.ts'

let folder = ''
let saved = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-report-'))
  saved = saveResult(produceResult(), folder).path
})
afterEach(() => {
  rmSync(folder, { recursive: true })
  vi.unstubAllEnvs()
})

const report = (args: string[], terminal: { columns: number } | null = null): string => {
  const stdout = new PassThrough()
  const io = {
    stdout,
    stderr: new PassThrough(),
    isStdoutTty: terminal !== null,
    isStderrTty: false,
    columns: terminal?.columns ?? null,
  }
  reportCommand(io)
    .exitOverride()
    .configureOutput({ writeErr() {} })
    .parse(args, { from: 'user' })
  return String(stdout.read() ?? '')
}

describe('bench report', () => {
  it('prints the box, plain when piped', () => {
    expect(report([saved])).toBe(formatReport(produceResult(), { color: false }))
  })

  it('is coloured and as wide as the terminal, plain with NO_COLOR', () => {
    vi.stubEnv('NO_COLOR', undefined)
    const terminal = { columns: 64 }
    expect(report([saved], terminal)).toBe(
      formatReport(produceResult(), { color: true, width: 64 }),
    )
    vi.stubEnv('NO_COLOR', '1')
    expect(report([saved], terminal)).toBe(
      formatReport(produceResult(), { color: false, width: 64 }),
    )
  })

  it.each([
    ['json', serializeResult(produceResult())],
    ['csv', 'timestamp,mode,'],
    ['markdown', '## bench Benchmark Results - PRODUCE'],
    ['html', '<!doctype html>'],
  ])('has format %s', (format, start) => {
    expect(report([saved, '--format', format]).startsWith(start)).toBe(true)
  })

  it('writes a file in place of standard output', () => {
    const file = join(folder, 'new', 'report.txt')
    expect(report([saved, '-o', file], { columns: 64 })).toBe('')
    expect(readFileSync(file, 'utf8')).toBe(formatReport(produceResult(), { color: false }))
    expect(report([saved, '-o', '-'])).toBe(formatReport(produceResult(), { color: false }))
  })

  it.each([
    [['--format', 'xml'], "--format 'xml': allowed are text, html, json, csv, markdown, hgrm"],
    [['-o', ''], "--output ''"],
  ])('refuses %j before it reads anything', (flags, message) => {
    const run = (): string => report(['nosuchfile.json', ...flags])
    expect(run).toThrow(UsageError)
    expect(run).toThrow(message)
  })

  it('names a file that is missing or no result, and writes nothing', () => {
    const output = join(folder, 'out.txt')
    expect(() => report(['nosuchfile.json', '-o', output])).toThrow(
      "'nosuchfile.json' does not exist",
    )
    const odd = join(folder, 'odd.json')
    writeFileSync(odd, '{"name":"x"}')
    expect(() => report([odd, '-o', output])).toThrow(`'${odd}' is not a bench result`)
    expect(existsSync(output)).toBe(false)
  })

  it('says that there is no distribution where no latency was measured', () => {
    const latencyUs = { response: null, service: null, endToEnd: null }
    const { path } = saveResult(consumeResult({ latencyUs }), folder)
    expect(() => report([path, '--format', 'hgrm'])).toThrow('has no latency samples')
  })

  it('takes one result', () => {
    expect(() => report([])).toThrow("missing required argument 'result'")
    expect(() => report([saved, saved])).toThrow('too many arguments')
  })
})
