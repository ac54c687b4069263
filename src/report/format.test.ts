import { describe, expect, it } from 'vitest'
import {
  formatCount,
  formatMegabytes,
  formatMilliseconds,
  formatPartitions,
  formatPercent,
  formatPlain,
  formatRate,
  formatSeconds,
  formatValue,
} from './format.ts'

describe('numbers', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [-0.2, '0'],
    [999, '999'],
    [1_000, '1,000'],
    [1_794_747, '1,794,747'],
    [-1_794_747, '-1,794,747'],
    [0.5, '1'],
    [Number.MAX_SAFE_INTEGER, '9,007,199,254,740,991'],
    [1e21, '1,000,000,000,000,000,000,000'],
    [Number.NaN, 'n/a'],
    [Number.POSITIVE_INFINITY, 'n/a'],
  ])('count %d is %s', (value, text) => {
    expect(formatCount(value)).toBe(text)
  })

  it.each([
    [0, '0'],
    [0.4, '0.40'],
    [99, '99'],
    [99.994, '99.99'],
    [100.4, '100'],
    [51_276.57, '51,277'],
  ])('rate %d is %s', (value, text) => {
    expect(formatRate(value)).toBe(text)
  })

  it('megabytes have 2^20 bytes, as in the founding report', () => {
    expect(formatMegabytes(1_794_747 * 256)).toBe('438.17')
    expect(formatMegabytes(0)).toBe('0.00')
    expect(formatMegabytes(2 ** 60)).toBe('1,099,511,627,776.00')
  })

  it.each([
    [1_901, '1.90'],
    [10_447, '10.45'],
    [0, '0.00'],
    [4, '0.00'],
    [5, '0.01'],
    [61_000_123, '61,000.12'],
  ])('%d μs are %s ms', (us, text) => {
    expect(formatMilliseconds(us)).toBe(text)
  })

  it('seconds', () => {
    expect([0, 500, 35_001.4, 3_600_000].map(formatSeconds)).toEqual([
      '0.00s',
      '0.50s',
      '35.00s',
      '3,600.00s',
    ])
  })

  it.each([
    [0, 10, '0.00%'],
    [0, 0, '0.00%'],
    [1, 0, '0.00%'],
    [1, 1e9, '<0.01%'],
    [1, 3, '33.33%'],
    [999_999_999, 1e9, '>99.99%'],
    [10, 10, '100.00%'],
  ])('%d of %d is %s', (part, total, text) => {
    expect(formatPercent(part, total)).toBe(text)
  })

  it('values keep texts and separate thousands', () => {
    expect(['<= 5', 1_000, 1.234].map(formatValue)).toEqual(['<= 5', '1,000', '1.23'])
  })

  it('plain numbers are for programs', () => {
    expect([
      formatPlain(1_234.567, 2),
      formatPlain(0),
      formatPlain(null),
      formatPlain(undefined),
      formatPlain(Number.NaN),
    ]).toEqual(['1234.57', '0', '', '', ''])
  })
})

describe('partitions', () => {
  it.each([
    [[], 'none'],
    [[0], '0'],
    [[0, 1], '0-1'],
    [[2, 0, 1, 1], '0-2'],
    [[0, 2, 3, 4, 9], '0,2-4,9'],
    [[10, 9, 2], '2,9-10'],
  ])('%j are %s', (partitions, text) => {
    expect(formatPartitions(partitions)).toBe(text)
  })
})
