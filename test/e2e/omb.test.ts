import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { bench, benchResult, makeFolder } from './bin.ts'

/** A workload of OpenMessaging Benchmark through the real bin, and its result in OMB's form. */

const { folder, remove } = makeFolder()
afterAll(remove)

const fixtures = fileURLToPath(new URL('../fixtures/omb/workloads/', import.meta.url))

it('a workload runs, shortened by what is typed, and its result is written in the form of OMB', async () => {
  const file = path.join(fixtures, 'steady.yaml')
  const shorter = ['-d', '2s', '-w', '0s', '--data-dir', 'memory']
  const { result, code, stderr } = await benchResult(folder, '--omb', file, ...shorter)
  expect([code, stderr]).toEqual([0, expect.stringContaining(`bench: ${file} stands for: `)])
  expect(stderr).toContain(`bench: ${file}: producersPerTopic 3: one producer sends it all\n`)
  expect(result).toMatchObject({
    label: 'steady 1 topic 8 partitions',
    command: expect.arrayContaining(['--mode', 'round-trip', '--rate', '300', '-d', '2s']),
    config: { mode: 'round-trip', durationMs: 2_000, messageSizeBytes: 400, partitions: 8 },
  })
  const [saved = ''] = readdirSync(path.join(folder, 'results'))
  const report = await bench(folder, 'report', `results/${saved}`, '--format', 'omb')
  const omb = JSON.parse(report.stdout) as Record<string, unknown>
  expect(omb).toMatchObject({ workload: result.label, partitions: 8, consumersPerTopic: 1 })
  expect(omb['consumeRate']).toEqual([expect.any(Number)])
  expect(omb['aggregatedEndToEndLatencyMax']).toBeGreaterThan(0)
})

it('a workload that bench cannot do is refused before anything starts', async () => {
  const { code, stderr } = await bench(folder, '--omb', path.join(fixtures, '..', 'kafka.yaml'))
  expect([code, stderr]).toEqual([2, expect.stringMatching(/kafka\.yaml:2: driverClass: no field/)])
})
