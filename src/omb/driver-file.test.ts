import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { translateDriverFile } from './driver-file.ts'

const file = new URL('../../test/fixtures/omb/kafka.yaml', import.meta.url)

it('is options, and the names of what has none: values may be secret', () => {
  const { args, notes } = translateDriverFile(readFileSync(file, 'utf8'), 'kafka.yaml')
  expect(args).toEqual([
    ...['--replication-factor', '1', '--bootstrap-servers', 'broker-1:9092,broker-2:9092'],
    ...['--acks', 'all', '--linger-ms', '1', '--batch-size', '131072', '--compression', 'lz4'],
    ...['--max-partition-fetch-bytes', '10485760', '--isolation', 'read-committed'],
  ])
  expect(notes).toEqual([
    'topicConfig: not taken: min.insync.replicas',
    'commonConfig: not taken: sasl.jaas.config',
    'consumerConfig: not taken: auto.offset.reset, enable.auto.commit',
  ])
})

it('of another system, or with fields of one, is refused by its line', () => {
  expect(() => translateDriverFile('name: P\ndriverClass: io.example.Pulsar\n', 'p.yaml')).toThrow(
    "p.yaml:2: driverClass io.example.Pulsar: only Kafka's is read",
  )
  expect(() => translateDriverFile('client:\n  serviceUrl: x\n', 'p.yaml')).toThrow(
    'p.yaml:1: client: no field that bench knows',
  )
})

it('takes idempotence only when it is on', () => {
  const argsOf = (value: string): string[] =>
    translateDriverFile(`producerConfig: enable.idempotence=${value}\n`, 'k.yaml').args
  expect([argsOf('true'), argsOf('false')]).toEqual([['--idempotent'], []])
})
