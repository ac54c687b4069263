import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runProgram } from './program.ts'

const bench = async (...args: string[]) => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const streams = { isStdoutTty: false, isStderrTty: false, columns: null }
  const exitCode = await runProgram(args, { stdout, stderr, ...streams })
  return { exitCode, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') }
}

const goldenFile = (name: string): string =>
  fileURLToPath(new URL(`../../test/golden/recorder/${name}`, import.meta.url))
const one = goldenFile('offset-fetch-one-of-three.jsonl')
const three = goldenFile('offset-fetch-three.jsonl')

test('bench diff names the partitions that one side lacks, and ends with 1', async () => {
  const { exitCode, stdout } = await bench('diff', three, one)
  expect(exitCode).toBe(1)
  const [, where, a, b] = stdout.split('\n')
  expect(where).toMatch(
    /^probe {2}OffsetFetch #1 .* response\.groups\[.*\]\.topics\[.*\]\.partitions$/,
  )
  expect(a).toBe('  A: 3 elements, only here: partitionIndex 1, partitionIndex 2')
  expect(b).toBe('  B: 1 elements')
})

test('bench diff of a recording with itself ends with 0', async () => {
  expect(await bench('diff', one, one)).toEqual({
    exitCode: 0,
    stdout: 'no difference\n',
    stderr: '',
  })
})

test('bench record show prints the conversation', async () => {
  const { exitCode, stdout } = await bench('record', 'show', one)
  expect(exitCode).toBe(0)
  expect(stdout).toBe(readFileSync(goldenFile('offset-fetch-one-of-three.txt'), 'utf8'))
})

test.each([
  [['record', '-o', 'x'], '--upstream'],
  [['record', '--upstream', 'a:1'], '--output'],
  [['record', '--upstream', 'a', '-o', 'x'], "--upstream 'a'"],
  [['record', '--upstream', 'a:1', '--listen', 'b:99999', '-o', 'x'], "--listen 'b:99999'"],
  [['record', '--upstream', 'a:1', '-o', 'x', '--format', 'har'], "--format 'har'"],
  [['record', '--upstream', 'a:1', '--listen', 'a:1', '-o', 'x'], 'another address'],
  [['record', 'show', 'no-such-file'], 'no-such-file'],
  [['record', 'show'], 'file'],
  [['diff', 'no-such-file', 'b'], 'no-such-file'],
])('bench %j is refused in one line', async (args, text) => {
  const { exitCode, stdout, stderr } = await bench(...args)
  expect([exitCode, stdout]).toEqual([2, ''])
  expect(stderr).toContain(text)
  expect(stderr.trim().split('\n')).toHaveLength(1)
})
