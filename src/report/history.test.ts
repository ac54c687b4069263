import { expect, test } from 'vitest'
import { golden } from '../../test/support/golden.ts'
import { produceResult, sampleResources } from '../../test/support/sample-result.ts'
import { historyOf } from '../compare/history.ts'
import { formatHistory } from './history.ts'
import { sparkline } from './sparkline.ts'

test('bars from the least to the most, the last ones where there is no room', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█')
  expect(sparkline([5, 5, 5])).toBe('▄▄▄')
  expect(sparkline([9, 9, 1, 2], 2)).toBe('▁█')
})

test.each([100, 60])('a step is marked, %d wide', (width) => {
  const runs = Array.from({ length: 14 }, (_, index) => {
    const rate = (index < 8 ? 50_000 : 45_000) + 37 * ((index * 5) % 7)
    const run = produceResult({
      runId: `${index}`,
      label: index < 8 ? 'v1' : 'v2',
      startedAt: new Date(Date.UTC(2026, 10, 1 + index)).toISOString(),
      resources: sampleResources(),
    })
    return { ...run, totals: { ...run.totals, recordsPerSec: rate } }
  })
  const text = formatHistory(historyOf(runs), { last: 2, width })
  expect(text).toBe(golden(`report/history-${width}.txt`, text))
})

test('no run is listed where none is asked for', () => {
  expect(formatHistory(historyOf([produceResult()]), { last: 0 })).not.toContain('started')
  expect(formatHistory(historyOf([produceResult()]), { last: 1 })).toContain('started')
})
