import { expect, it } from 'vitest'
import { produceResult, sampleResources } from '../../test/support/sample-result.ts'
import type { CalibratedWork } from '../results/calibration.ts'
import { formatCalibration } from './calibration.ts'
import { formatReport } from './text.ts'

const work = (fields: Partial<CalibratedWork>): CalibratedWork => ({
  measuredAt: '2026-11-21T10:00:00.000Z',
  place: '',
  work: '',
  client: 'kafkajs 2.2.4',
  mode: 'produce',
  recordsPerSec: 51_277,
  clientCpuSec: 12.345,
  ...fields,
})

it('has a row for each client, and says what was not measured', () => {
  const table = formatCalibration([
    work({}),
    work({ client: 'wire 0.1.0', recordsPerSec: 400_000 }),
    work({ mode: 'consume', recordsPerSec: 180_000 }),
  ])
  expect(table).toMatch(/kafkajs 2\.2\.4 +51,277 +12\.3[45] +180,000 +12\.3[45] /)
  expect(table).toMatch(/wire 0\.1\.0 +400,000 +12\.3[45] +n\/a +n\/a /)
})

it('is told in the report of a run', () => {
  const resources = { ...sampleResources(), ceiling: { recordsPerSec: 82_704, share: 0.62 } }
  const report = formatReport(produceResult({ resources }), { color: false, width: 100 })
  expect(report).toContain('client at 62 % of its ceiling on this machine, 82,704 msg/s')
  const plain = produceResult({ resources: sampleResources() })
  expect(formatReport(plain, { color: false })).not.toContain('ceiling')
})
