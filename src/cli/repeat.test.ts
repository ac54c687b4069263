import { expect, test } from 'vitest'
import { UsageError } from '../errors.ts'
import { plansOf } from './repeat.ts'
import { parseRunArgs } from './run-args.ts'

const plansFor = (args: string[]) => {
  const raw = parseRunArgs(args).raw
  return plansOf(raw, args).map(({ args: own, title, index }) => [index, title, own.join(' ')])
}

test('a repeated run keeps its own options only', () => {
  expect(plansFor(['-c', '8', '--repeat', '2', '--prepare=true', '-n', '10'])).toEqual([
    [0, '', '-c 8 -n 10'],
    [1, '', '-c 8 -n 10'],
  ])
})

test('scans take every combination, and every value once before any twice', () => {
  const args = ['--scan', 'c=1', '--scan', 'message-size=100,200', '--repeat', '2']
  expect(() => plansFor(args)).toThrow(UsageError)
  const wanted = ['--scan', 'acks=1,all', '--scan', 'message-size=10,20', '--repeat', '2']
  expect(plansFor(wanted).map(([index, title]) => `${index} ${title}`)).toEqual([
    '0 --acks 1 --message-size 10',
    '0 --acks 1 --message-size 20',
    '0 --acks all --message-size 10',
    '0 --acks all --message-size 20',
    '1 --acks 1 --message-size 10',
    '1 --acks 1 --message-size 20',
    '1 --acks all --message-size 10',
    '1 --acks all --message-size 20',
  ])
})

test.each([
  [['--repeat', '0'], "--repeat '0'"],
  [['--scan', 'message-size'], "--scan 'message-size'"],
  [['--scan', 'message-size=-1'], "--message-size '-1'"],
  [['--repeat', '2', '--json-output', 'x.json'], "--json-output 'x.json'"],
])('%j is refused before anything runs', (args, text) => {
  expect(() => plansFor(args)).toThrow(text)
})
