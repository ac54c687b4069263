import { expect, test } from 'vitest'
import { searchOf } from './find-max.ts'
import { parseRunArgs } from './run-args.ts'

const searchFor = (...args: string[]) => searchOf(parseRunArgs(args).raw, args)

test('a step keeps its own options, and is short and judged by p99 unless told otherwise', () => {
  const { args, conditions, firstRate } = searchFor(
    ...['--find-max', '-c', '8', '--json-output=x.json', '--prepare', 'true'],
  )
  const usual = ['--duration', '10s', '--warmup-duration', '2s', '--fail-if', 'p99>50ms']
  expect(args).toEqual(['-c', '8', ...usual])
  expect([conditions, firstRate]).toEqual([['p99>50ms'], 1_000])
})

test('what is told is taken: where to begin, how long, what must hold, the pacer', () => {
  const told = ['-d', '1s', '-w', '0s', '--fail-if', 'p50>1ms', '--fail-if', 'failed>0']
  const search = searchFor(...told, '--pacer', 'spin', '--rate', '5000', '--find-max')
  expect(search.args).toEqual([...told, '--pacer', 'spin'])
  expect(search).toMatchObject({ conditions: ['p50>1ms', 'failed>0'], firstRate: 5_000 })
})

test.each([
  [['-n', '10'], '--message-count'],
  [['--repeat', '2'], '--repeat'],
  [['--scan', 'acks=1'], '--scan'],
  [['--csv-output', 'x'], '--csv-output'],
  [['--mode', 'consume'], '--mode consume'],
  [['--rate', '0'], "--rate '0'"],
])('%j is refused before anything runs', (args, text) => {
  expect(() => searchFor('--find-max', ...args)).toThrow(text)
})
