import { expect, test } from 'vitest'
import { splitWords } from './words.ts'

test.each([
  ['', []],
  ['  ', []],
  ['--client wire', ['--client', 'wire']],
  [" --fail-if 'p99 > 10ms'  -c 64 ", ['--fail-if', 'p99 > 10ms', '-c', '64']],
  ['--label "" x', ['--label', '', 'x']],
  ['--label a\\ b\\"c', ['--label', 'a b"c']],
  [`--label 'it''s' "a'b"`, ['--label', 'its', "a'b"]],
  ["'\\n'", ['\\n']],
])('%s', (text, words) => {
  expect(splitWords('a', text)).toEqual(words)
})

test('an open quote is refused by name', () => {
  expect(() => splitWords('b', "--label 'x")).toThrow(`--b '--label 'x': the quote ' stays open`)
})
