import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  consumeResult,
  metadataResult,
  produceResult,
  sampleResources,
} from '../../test/support/sample-result.ts'
import {
  type CalibratedWork,
  calibratedWorkOf,
  ceilingOf,
  fastestOf,
  loadCalibration,
  saveCalibration,
} from './calibration.ts'
import type { RunResult } from './result.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'bench-calibration-'))
afterAll(() => rmSync(folder, { recursive: true }))

const measured = (result: RunResult): CalibratedWork => {
  const work = calibratedWorkOf({ ...result, resources: sampleResources() })
  if (work === null) throw new Error('nothing to calibrate')
  return work
}

const atRate = (recordsPerSec: number, fields: Partial<RunResult> = {}): RunResult => {
  const result = produceResult(fields)
  return { ...result, totals: { ...result.totals, recordsPerSec } }
}

describe('the ceiling', () => {
  const calibrated = [measured(atRate(80_000))]

  it('is the rate of the same work in the same place', () => {
    expect(ceilingOf(atRate(60_000), calibrated)).toEqual({ recordsPerSec: 80_000, share: 0.75 })
  })

  it.each<[string, Partial<RunResult>]>([
    ['another option', { config: { ...produceResult().config, compression: 'zstd' } }],
    ['another client', { environment: { ...produceResult().environment, client: 'wire 0.1.0' } }],
    ['another machine', { environment: { ...produceResult().environment, cores: 8 } }],
    ['other partitions', { partitions: [] }],
  ])('is not that of %s', (_, fields) => {
    expect(ceilingOf(atRate(60_000, fields), calibrated)).toBeNull()
  })

  it('is the same whatever the topic, the broker and the length of the run', () => {
    const config = { ...produceResult().config, topic: 'other', durationMs: 1, dataDir: 'ring' }
    const target = { kind: 'external' as const, bootstrapServers: 'h:1' }
    expect(ceilingOf(atRate(8_000, { config, target }), calibrated)?.share).toBe(0.1)
  })

  it('of a consumer counts from the first record: joining is not its speed', () => {
    const result = consumeResult()
    const [first] = result.consumers
    const beganMs = Math.min(
      ...result.consumers.map(
        ({ startedAtMs, firstRecordMs }) => startedAtMs + (firstRecordMs ?? 0),
      ),
    )
    expect(first?.firstRecordMs).toBeGreaterThan(0)
    const seconds = (result.totals.elapsedMs - beganMs) / 1_000
    expect(measured(result).recordsPerSec).toBeCloseTo(result.totals.records / seconds)
  })

  it('is none for other modes and for runs that did nothing', () => {
    expect(calibratedWorkOf({ ...metadataResult(), resources: sampleResources() })).toBeNull()
    const idle = produceResult({ resources: sampleResources() })
    expect(calibratedWorkOf({ ...idle, totals: { ...idle.totals, records: 0 } })).toBeNull()
  })
})

describe('the calibration of a folder', () => {
  const slow = measured(atRate(10_000))
  const fast = measured(atRate(20_000))
  const other = measured(consumeResult())

  it('keeps the fastest of each work, and replaces what is measured anew', () => {
    expect(fastestOf([slow, fast, slow, other])).toEqual([fast, other])
    saveCalibration(folder, [fast, other])
    saveCalibration(folder, [slow])
    expect(loadCalibration(folder)).toEqual([other, slow])
  })

  it('is a hidden file, which is no result', () => {
    expect(readdirSync(folder)).toEqual(['.calibration.json'])
  })

  it('says nothing when it is missing or not ours', () => {
    expect(loadCalibration(path.join(folder, 'none'))).toEqual([])
    for (const text of ['', '{', '{"schemaVersion":1,"works":[{}]}', '{"schemaVersion":2}']) {
      writeFileSync(path.join(folder, '.calibration.json'), text)
      expect(loadCalibration(folder)).toEqual([])
    }
  })
})
