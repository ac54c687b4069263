import { describe, expect, it } from 'vitest'
import {
  parseBootstrapServers,
  parseDuration,
  parseFraction,
  parseInteger,
  parsePairs,
  parseRate,
  parseThreshold,
  parseTopic,
} from './values.ts'

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['1.5s', 1500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration('duration', text, 1)).toBe(ms)
  })

  it.each(['0s', '0.0001s', 'soon', '30', '-5s', '1e3s', '5 s', '', '9999h'])(
    'refuses %j',
    (text) => {
      expect(() => parseDuration('duration', text, 1)).toThrow(`--duration '${text}'`)
    },
  )

  it('takes zero where zero is allowed', () => {
    expect(parseDuration('stagger', '0s')).toBe(0)
  })
})

describe('numbers', () => {
  it.each(['-1', '1e99', '1.5', '', ' 1', '0x10', '99999999999999999'])(
    'integer refuses %j',
    (text) => {
      expect(() => parseInteger('message-size', text, 0, 2 ** 31 - 1)).toThrow(/--message-size/)
    },
  )

  it('integer keeps its bounds', () => {
    expect(parseInteger('concurrency', '1', 1, 10)).toBe(1)
    expect(() => parseInteger('concurrency', '11', 1, 10)).toThrow('from 1 to 10')
  })

  it('rates and fractions', () => {
    expect(parseRate('rate', '0.5')).toBe(0.5)
    expect(() => parseRate('rate', '0')).toThrow(/--rate/)
    expect(() => parseRate('rate', '-5')).toThrow(/--rate/)
    expect(parseFraction('compressibility', '0.25')).toBe(0.25)
    expect(() => parseFraction('compressibility', '1.1')).toThrow('0 to 1')
  })
})

describe('names and addresses', () => {
  it('takes host:port lists', () => {
    expect(parseBootstrapServers('b', 'a:1, b.c:9092')).toEqual(['a:1', 'b.c:9092'])
  })

  it.each(['http://x:y', '[::1]:9', 'localhost', 'a:0', 'a:70000', '', 'a:1,'])(
    'refuses server %j',
    (text) => {
      expect(() => parseBootstrapServers('bootstrap-servers', text)).toThrow(/--bootstrap-servers/)
    },
  )

  it.each(['a b', '..', '.', '', 'x'.repeat(250), 'ä'])('refuses topic %j', (text) => {
    expect(() => parseTopic('topic', text)).toThrow(/--topic/)
  })

  it('takes name=value pairs, the value may hold =', () => {
    expect(parsePairs('X', ['a.b=c=d', 'e='])).toEqual({ 'a.b': 'c=d', e: '' })
    expect(() => parsePairs('X', ['=v'])).toThrow('name=value')
  })
})

describe('thresholds', () => {
  it.each([
    ['p99>10ms', 'p99', '>', 10_000],
    ['p50 >= 1.5s', 'p50', '>=', 1_500_000],
    ['rate<50000', 'rate', '<', 50_000],
    ['rate<50000/s', 'rate', '<', 50_000],
    ['missing>0', 'missing', '>', 0],
    ['assign-time>5s', 'assign-time', '>', 5_000],
  ])('%s', (text, metric, operator, limit) => {
    expect(parseThreshold('fail-if', text)).toEqual({ text, metric, operator, limit })
  })

  it.each(['p98.7>>4', 'p99>10', 'missing>3ms', 'speed>1', 'p99', 'p99=1ms', 'rate<5/m'])(
    'refuses %j',
    (text) => {
      expect(() => parseThreshold('fail-if', text)).toThrow(/--fail-if/)
    },
  )
})
