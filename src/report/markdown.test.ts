import { describe, expect, it } from 'vitest'
import { golden } from '../../test/support/golden.ts'
import {
  consumeResult,
  metadataResult,
  produceResult,
  roundTripResult,
  sampleLatency,
} from '../../test/support/sample-result.ts'
import { formatMarkdown } from './markdown.ts'

describe('Markdown', () => {
  it.each([
    ['produce', produceResult()],
    [
      'consume',
      consumeResult({
        label: 'v2|1 <b>*x*</b>\n# y',
        warnings: [{ code: 'c', text: 'a text', advice: 'an advice' }],
      }),
    ],
    ['round-trip', roundTripResult()],
    ['metadata', metadataResult()],
  ])('%s is as expected', (name, result) => {
    const text = formatMarkdown(result)
    expect(text).toBe(golden(`report/${name}.md`, text))
  })

  it('names the pacer of an open loop and how late it was', () => {
    const latenessUs = sampleLatency({ p50: 84 })
    const pacing = { pacer: 'precise' as const, latenessUs, lateRecords: 0 }
    expect(formatMarkdown(produceResult({ pacing }))).toContain(
      '| Lateness of the pacer (precise) | 0.08 |',
    )
  })

  it('has as many cells in each row of a table as its heading', () => {
    const tables = formatMarkdown(consumeResult({ label: 'a|b' })).match(/(?:^\|.*\n)+/gm) ?? []
    expect(tables).toHaveLength(5)
    for (const table of tables) {
      const counts = table
        .trimEnd()
        .split('\n')
        .map((row) => row.split(/(?<!\\)\|/).length)
      expect(new Set(counts).size).toBe(1)
    }
  })
})
