import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { UsageError } from '../errors.ts'
import { parseMemberEvent, parseMemberOptions, plainScript } from './member-protocol.ts'

const least = { bootstrapServers: ['127.0.0.1:1'], topic: 't', groupId: 'g', clientId: 'c' }

test('options that are left out have a value', () => {
  expect(parseMemberOptions(least)).toEqual({
    ...least,
    groupInstanceId: null,
    assignor: 'range',
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 1_000,
    rebalanceTimeoutMs: 60_000,
    isolation: 'read-uncommitted',
    commit: 'auto',
    maxPollRecords: 10_000,
    batchDelayMs: 0,
    script: null,
  })
  expect(parseMemberOptions({ ...least, script: {} }).script?.neverSyncFromGeneration).toBeNull()
})

test.each([
  [{ ...least, topic: '' }, /topic/],
  [{ ...least, bootstrapServers: [] }, /bootstrapServers/],
  [{ ...least, assignor: 'sticky' }, /assignor/],
  [{ ...least, sessionTimeoutMs: -1 }, /sessionTimeoutMs/],
  [{ ...least, sesionTimeoutMs: 1 }, /sesionTimeoutMs/],
  [{ ...least, script: { neverSync: true } }, /script.*neverSync/],
])('an option that is not right is named: %j', (options, name) => {
  expect(() => parseMemberOptions(options)).toThrow(UsageError)
  expect(() => parseMemberOptions(options)).toThrow(name)
})

const events = [
  { type: 'hello', library: 'l', version: '1' },
  { type: 'joining', atMs: 1.5 },
  { type: 'assigned', memberId: null, generation: -1, partitions: [], atMs: 1 },
  { type: 'generation', memberId: 'm', generation: 3, atMs: 1 },
  { type: 'revoked', partitions: null, atMs: 1 },
  {
    type: 'batch',
    partition: 0,
    fromOffset: 5,
    toOffset: 9,
    runs: [
      [5, 2, 2 ** 48 - 1, 1, 0],
      [8, 1, -1, 0, 0],
    ],
    atMs: 1,
  },
  { type: 'committed', offsets: [[0, 9]], atMs: 1 },
  { type: 'left', atMs: 1 },
  { type: 'error', code: 25, message: 'm', isFatal: false, atMs: 1 },
]

test.each(events)('an event comes back as it was told: $type', (event) => {
  expect(parseMemberEvent(JSON.stringify(event))).toEqual(event)
})

test.each([
  ['hello', /not JSON: hello/],
  ['{}', /type/],
  ['{"type":"left"}', /atMs/],
  ['{"type":"revoked","partitions":[-1],"atMs":1}', /partitions\.0/],
  ['{"type":"committed","offsets":[[0]],"atMs":1}', /offsets\.0/],
  [
    '{"type":"batch","partition":0,"fromOffset":0,"toOffset":1,"runs":[[0,0,0,0,0]],"atMs":1}',
    /runs\.0\.1/,
  ],
])('what is not an event is named: %s', (line, name) => {
  expect(() => parseMemberEvent(line)).toThrow(UsageError)
  expect(() => parseMemberEvent(line)).toThrow(name)
})

test('what a later version adds to an event is dropped', () => {
  expect(parseMemberEvent('{"type":"left","atMs":1,"mood":"good"}')).toEqual({
    type: 'left',
    atMs: 1,
  })
})

test('docs/ADAPTERS.md names every option, event, field of an event and switch of a script', () => {
  const text = readFileSync(new URL('../../docs/ADAPTERS.md', import.meta.url), 'utf8')
  const types = events.map((event) => event.type)
  const fields = events.flatMap((event) => Object.keys(event)).filter((name) => name !== 'type')
  const options = Object.keys(parseMemberOptions(least))
  const names = [...types, ...fields, ...options, ...Object.keys(plainScript)]
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})
