import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { translateWorkload } from './workload.ts'

const folder = fileURLToPath(new URL('../../test/fixtures/omb/workloads/', import.meta.url))

const translate = (name: string) => {
  const file = path.join(folder, name)
  return translateWorkload(readFileSync(file, 'utf8'), file)
}

const small = `topics: 1
partitionsPerTopic: 2
messageSize: 100
producerRate: 50
testDurationMinutes: 3
`

describe('a workload', () => {
  it('that produces and consumes is a round-trip at its rate, with what bench does otherwise', () => {
    expect(translate('steady.yaml')).toEqual({
      args: [
        ...['--mode', 'round-trip', '--partitions', '8', '--message-size', '400'],
        ...['--rate', '300', '--duration', '5m', '--warmup-duration', '1m'],
        ...['--payload-pattern', 'random', '--compressibility', '0.7'],
        ...['--key-pattern', 'random', '--label', 'steady 1 topic 8 partitions'],
      ],
      notes: [
        'producersPerTopic 3: one producer sends it all',
        'consumerPerSubscription 2: one reader reads it all, without a group',
        'keyDistributor RANDOM_NANO: keys do not repeat after so many',
        'randomizedPayloadPoolSize 500: as many payloads as fit into 16 MiB, at most 4096',
        'records in flight: OMB sets no bound; here --concurrency is one, 64 unless told',
      ],
    })
  })

  it('without a rate looks for the highest, and one that nobody reads is a produce', () => {
    const { args, notes } = translate('from-file.yaml')
    expect(args).toEqual([
      ...['--mode', 'produce', '--partitions', '1', '--message-size', '64', '--find-max'],
      ...['--payload-pattern', path.join(folder, '..', 'payload', 'letters.data')],
      ...['--label', 'sent from a file, read by nobody'],
    ])
    expect(notes[0]).toMatch(/^producerRate 0: --find-max/)
  })

  it('has the defaults of OMB for what it leaves out', () => {
    expect(translateWorkload(small, 'small.yaml').args).toEqual([
      ...['--mode', 'produce', '--partitions', '2', '--message-size', '100'],
      ...['--rate', '50', '--duration', '3m', '--warmup-duration', '1m'],
    ])
  })
})

const refusal = (text: string): string => {
  try {
    translateWorkload(text, 'w.yaml')
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it was not refused')
}

describe('a workload is refused', () => {
  it.each([
    ['an unknown field', `${small}producerrate: 5\n`, /^w\.yaml:6: producerrate: no field/],
    ['a value of another kind', small.replace('100', 'big'), /^w\.yaml:3: messageSize: a whole/],
    ['several topics', small.replace('topics: 1', 'topics: 10'), /^w\.yaml:1: topics 10: /],
    [
      'several subscriptions',
      `${small}subscriptionsPerTopic: 2\n`,
      /^w\.yaml:6: subscriptionsPerTopic 2: /,
    ],
    ['a backlog', `${small}consumerBacklogSizeGB: 1\n`, /^w\.yaml:6: consumerBacklogSizeGB 1: /],
    ['unknown keys', `${small}keyDistributor: HOT\n`, /^w\.yaml:6: keyDistributor HOT: NO_KEY, /],
    ['a payload that is not there', `${small}payloadFile: x\n`, /^w\.yaml:6: payloadFile x: not/],
    ['no time', small.replace(': 3', ': 0'), /^w\.yaml:5: testDurationMinutes 0: /],
    ['a field twice', `${small}topics: 1\n`, /^w\.yaml:6: .*unique/],
    ['a list', '- topics\n', /^w\.yaml: fields/],
    ['no YAML', 'topics: [\n', /^w\.yaml:\d: /],
  ])('for %s, by its line', (_, text, message) => {
    expect(refusal(text)).toMatch(message)
  })

  it('with all its problems at once', () => {
    const lines = refusal('topics: one\nwho: 1\n').split('\n')
    expect(
      lines.map((line) =>
        line
          .replace(/^bench: /, '')
          .split(': ')
          .slice(0, 2),
      ),
    ).toEqual([
      ['w.yaml:1', 'topics'],
      ['w.yaml:2', 'who'],
      ...['partitionsPerTopic', 'messageSize', 'producerRate', 'testDurationMinutes'].map(
        (name) => ['w.yaml', `${name} is missing`],
      ),
    ])
  })
})
