import { afterAll, expect, it } from 'vitest'
import { bench, benchResult, makeFolder } from './bin.ts'

/** The ceiling of a client is measured once, and runs of the same work hear of it. */

const { folder, remove } = makeFolder()
afterAll(remove)

const work = ['-s', '200', '-c', '32', '-p', '2']

it('bench calibrate tells later runs of the same work, and of no other', async () => {
  const flags = ['--client', 'kafkajs', '--repeat', '1', '-d', '500ms']
  const calibrated = await bench(folder, 'calibrate', ...flags, ...work)
  expect([calibrated.code, calibrated.stderr]).toEqual([
    0,
    expect.stringContaining('results/.calibration.json'),
  ])
  expect(calibrated.stdout).toMatch(/kafkajs \S+ +[\d,]+ +[\d.]+ +[\d,]+ +[\d.]+ /)
  const run = ['-n', '2000', '--data-dir', 'memory', '--client', 'kafkajs']
  for (const mode of ['produce', 'consume']) {
    const { result, stderr } = await benchResult(folder, '--mode', mode, ...run, ...work)
    const { recordsPerSec = 0, share = 0 } = result.resources?.ceiling ?? {}
    expect([mode, recordsPerSec > 0, share > 0]).toEqual([mode, true, true])
    expect(stderr).toMatch(/of its ceiling on this/)
  }
  const other = await benchResult(folder, ...run, ...work, '-s', '300')
  expect(other.result.resources).not.toHaveProperty('ceiling')
})

it('refuses what it chooses itself', async () => {
  const { code, stderr } = await bench(folder, 'calibrate', '-b', '127.0.0.1:1')
  expect([code, stderr]).toEqual([
    2,
    "bench: --bootstrap-servers '127.0.0.1:1': not for bench calibrate\n",
  ])
})
