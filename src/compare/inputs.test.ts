import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { produceResult } from '../../test/support/sample-result.ts'
import { tempFolder } from '../../test/support/temp-folder.ts'
import type { RunResult } from '../results/result.ts'
import { saveResult } from '../results/store.ts'
import { loadSide } from './inputs.ts'

const saved = (fields: Partial<RunResult>, dir: string): string =>
  saveResult(produceResult(fields), dir).path

const idsOf = (input: string, resultsDir = '/nowhere'): string[] =>
  loadSide(input, resultsDir).runs.map(({ runId }) => runId)

const seriesFolder = (): string => {
  const dir = tempFolder()
  saved({ runId: 'late', label: 'v2', startedAt: '2026-11-21T12:00:00.000Z' }, dir)
  saved({ runId: 'early', label: 'v2', startedAt: '2026-11-21T10:00:00.000Z' }, dir)
  saved({ runId: 'other', label: 'v1', series: { seriesId: 's9', index: 0, side: 'a' } }, dir)
  saved({ runId: 'partner', label: 'v1', series: { seriesId: 's9', index: 0, side: 'b' } }, dir)
  return dir
}

describe('a side is', () => {
  test('a file, titled by its label', () => {
    const path = saved({ runId: 'one', label: 'v2.1.0' }, tempFolder())
    expect(loadSide(path, '/nowhere')).toMatchObject({ title: 'v2.1.0', runs: [{ runId: 'one' }] })
  })

  test('a folder, in the order of the runs', () => {
    expect(idsOf(seriesFolder())).toHaveLength(4)
    expect(idsOf(seriesFolder()).at(-1)).toBe('late')
  })

  test('a folder in which scenarios were saved too', () => {
    const dir = seriesFolder()
    writeFileSync(join(dir, '2026-11-21T10-00-00-000Z-scenario-0123456789ab.json'), '{}')
    expect(idsOf(dir)).toHaveLength(4)
    expect(idsOf(join(dir, '*.json'))).toHaveLength(4)
  })

  test('a pattern over file names', () => {
    const dir = seriesFolder()
    expect(idsOf(join(dir, '*-early.json'))).toEqual(['early'])
    expect(idsOf(join(dir, '*-?ate.json'))).toEqual(['late'])
  })

  test('a label, a series, or one side of it', () => {
    const dir = seriesFolder()
    writeFileSync(join(dir, 'package.json'), '{"name":"not a result"}')
    expect(idsOf('v2', dir)).toEqual(['early', 'late'])
    expect(idsOf('s9', dir).toSorted()).toEqual(['other', 'partner'])
    expect(idsOf('s9:b', dir)).toEqual(['partner'])
  })
})

describe('refused by name', () => {
  test.each(['', 'no-such-label', 'no-such-folder/*.json', '/*.none', 'v2:a'])("'%s'", (input) => {
    expect(() => loadSide(input, seriesFolder())).toThrow(`'${input}`)
  })

  test('a folder with a file that is no result, and an empty one', () => {
    const dir = seriesFolder()
    writeFileSync(join(dir, 'x.json'), '{}')
    expect(() => loadSide(dir, dir)).toThrow(/x\.json' is not a bench result/)
    mkdirSync(join(dir, 'empty'))
    expect(() => loadSide(join(dir, 'empty'), dir)).toThrow(/no results/)
  })
})
