import { expect, test } from 'vitest'
import { loadDriver } from './index.ts'

test('kafkajs is loaded with its version', async () => {
  const driver = await loadDriver('kafkajs')
  expect(driver.name).toBe('kafkajs')
  expect(driver.version).toBe('2.2.4')
})

test('a client that nobody knows is refused by name', async () => {
  await expect(loadDriver('sarama')).rejects.toMatchObject({
    exitCode: 2,
    message: 'client sarama: unknown; kafkajs, wire, platformatic, librdkafka are allowed',
  })
})
