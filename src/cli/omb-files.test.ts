import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { withOmbFiles } from './omb-files.ts'
import { parseRunArgs } from './run-args.ts'

const folder = fileURLToPath(new URL('../../test/fixtures/omb/', import.meta.url))
const workload = path.join(folder, 'workloads', 'steady.yaml')
const driver = path.join(folder, 'kafka.yaml')

it('goes before what is typed, and says what it stands for', () => {
  const typed = ['run', '-d', '10s', `--omb=${workload}`, '--omb-driver', driver, '--rate', '7']
  const { args, notes } = withOmbFiles(typed)
  expect(args.slice(0, 3)).toEqual(['run', '--mode', 'round-trip'])
  expect(args.slice(-4)).toEqual(['-d', '10s', '--rate', '7'])
  expect(notes[0]).toMatch(/steady\.yaml stands for: bench run --mode round-trip .*'steady 1 topic/)
  expect(notes).toContain(`${driver}: commonConfig: not taken: sasl.jaas.config`)
  expect(notes.join()).not.toContain('hidden')
})

it('is read by a series too', () => {
  const { options } = parseRunArgs(['--omb', workload, '--omb-driver', driver, '-d', '10s'])
  expect(options).toMatchObject({
    mode: 'round-trip',
    durationMs: 10_000,
    rateRecordsPerSec: 300,
    acks: -1,
    bootstrapServers: ['broker-1:9092', 'broker-2:9092'],
  })
})

it('belongs to a run, and a driver file to a workload', () => {
  expect(withOmbFiles(['report', '--omb', 'x']).args).toEqual(['report', '--omb', 'x'])
  expect(() => withOmbFiles(['--omb-driver', driver])).toThrow('--omb is missing')
  expect(() => withOmbFiles(['--omb'])).toThrow('--omb: a file is needed')
  expect(() => withOmbFiles(['--omb', 'none.yaml'])).toThrow("--omb 'none.yaml': a readable file")
})
