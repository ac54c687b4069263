import { expect, test } from 'vitest'
import { parseSettings } from './settings.ts'
import { topicConfigEntries, topicConfigFault } from './topic-configs.ts'

test('what the broker does is accepted, and nothing else of a choice', () => {
  expect(topicConfigFault('message.timestamp.type', 'LogAppendTime')).toBeNull()
  expect(topicConfigFault('message.timestamp.type', 'CreateTime')).toBeNull()
  expect(topicConfigFault('message.timestamp.type', 'Never')).toMatch(
    'CreateTime and LogAppendTime',
  )
  expect(topicConfigFault('cleanup.policy', 'compact')).toMatch('delete only')
  expect(topicConfigFault('no.such', '1')).toMatch('Unknown topic config name')
})

test('a topic tells the choice it was given, else the default', () => {
  const typeOf = (given: Record<string, string>) =>
    topicConfigEntries(given, parseSettings()).find(({ name }) => name === 'message.timestamp.type')
  expect(typeOf({})).toMatchObject({ value: 'CreateTime', source: 5 })
  expect(typeOf({ 'message.timestamp.type': 'LogAppendTime' })).toMatchObject({
    value: 'LogAppendTime',
    source: 1,
  })
})
